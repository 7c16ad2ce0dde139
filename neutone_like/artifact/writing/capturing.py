"""How a model becomes TorchScript: compiled as it is, or with what does not compile captured as a graph."""

import copy
from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import nn
from torch.jit import ScriptModule

from neutone_like.arguments import is_one_of
from neutone_like.artifact.format.format_limits import Model
from neutone_like.artifact.writing import probe
from neutone_like.artifact.writing.captured_model import (
    capture_model,
    example_block,
    prepare_example,
    require_lengths,
)
from neutone_like.artifact.writing.exporters import Exporter, exporter_for
from neutone_like.artifact.writing.offline_probe import example_arguments, example_lengths
from neutone_like.artifact.writing.scripting import script_wrapper
from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.errors import CaptureError, ExportError
from neutone_like.graph import Example, Graph, capture_call, take_apart, to_torchscript
from neutone_like.model import NonRealtimeBase, WaveformToWaveformBase

Capture = Literal["auto", "script", "graph"]
"""Which way into TorchScript: what works, scripting alone, or capturing in any case."""

SCRIPTED = "scripted"

_Calls = dict[str, list[Example]]


def scripted_or_captured(model: Model, quality: str, exporter: Exporter, way: Capture) -> tuple[str, ScriptModule]:
    """The wrapper as TorchScript, and in words which way led there.

    Raises:
        ExportError: No way does; the message has the reason of each that was tried.
    """
    if not is_one_of(way, ("auto", "script", "graph")):
        raise ExportError(f'capture must be "auto", "script" or "graph", got {way!r}.')
    refused: ExportError | None = None
    if way != "graph":
        try:
            return SCRIPTED, script_wrapper(exporter.wrapper())
        except ExportError as error:
            if way == "script":
                raise
            refused = error
    try:
        return _with_captured_networks(model, quality, everything=way == "graph")
    except (CaptureError, ExportError) as error:
        inner = error
    if isinstance(model, WaveformToWaveformBase):
        try:
            captured = capture_model(model)
            return "captured: all of do_forward_pass", script_wrapper(exporter_for(captured, quality).wrapper())
        except CaptureError as error:
            inner = error
    if refused is None:
        raise ExportError(f"{type(model).__name__} can't be captured: {inner}") from inner
    raise ExportError(f"{refused}\nIt was captured instead, which failed too: {inner}") from inner


def _with_captured_networks(model: Model, quality: str, everything: bool) -> tuple[str, ScriptModule]:
    """The user's code as it is, with the networks that it calls written from their graphs."""
    copied = working_copy(model)
    calls = _calls_of_networks(copied)
    taken: list[str] = []
    for name, made in calls.items():
        network = copied.get_submodule(name)
        if not everything and _is_scriptable(network):
            continue
        _put(copied, name, to_torchscript(_captured(network, made, name, model)))
        taken.append(f"{name} ({type(network).__name__})")
    if not taken:
        raise CaptureError(f"{type(model).__name__} calls no network that TorchScript refuses.")
    return f"captured: {', '.join(taken)}", script_wrapper(exporter_for(copied, quality).wrapper())


def _captured(network: nn.Module, calls: list[Example], name: str, model: Model) -> Graph:
    first = calls[0]
    graph = capture_call(network, first)
    for other in calls[1:]:
        if _form(other) != _form(first) or not graph.lengths.accepts(other.samples):
            raise CaptureError(
                f"{name} is called in one block with {_shapes(first)} and with {_shapes(other)}; a graph takes "
                f"{graph.lengths}, and is one in all else."
            )
    if isinstance(model, WaveformToWaveformBase):
        require_lengths(model, name, graph, first.samples - example_block(model))
    return graph


def _form(call: Example) -> Any:
    """What all calls of a graph have in common: everything but the length."""
    return call.fixed, [(name, *each.shape[:-1]) for name, each in call.tensors.items()]


def _shapes(call: Example) -> str:
    return ", ".join(f"{name} of shape {list(each.shape)}" for name, each in call.tensors.items())


def _is_scriptable(network: nn.Module) -> bool:
    try:
        script_wrapper(copy.deepcopy(network))
    except ExportError:
        return False
    return True


def _calls_of_networks(model: Model) -> _Calls:
    """With what ``do_forward_pass`` calls the model's networks, in a run on noise of a copy."""
    probed = copy.deepcopy(model)
    calls: _Calls = {}
    for name, network in _networks(probed):
        network.register_forward_pre_hook(_recorder(calls, name), with_kwargs=True)
    with torch.no_grad():
        if isinstance(probed, NonRealtimeBase):
            _run_offline(probed)
        else:
            prepare_example(probed)
            x, params = probe.example_arguments(probed, example_block(probed))
            probed.do_forward_pass(x, params)
    return calls


def _recorder(calls: _Calls, name: str) -> Any:
    def record(network: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        calls.setdefault(name, []).append(take_apart(network, *copy.deepcopy((arguments, named))))

    return record


def _run_offline(model: NonRealtimeBase) -> None:
    declared = model.declaration()
    length = example_lengths(declared)[0]
    rate = declared.sample_rates[0] if declared.sample_rates else probe.ANY_RATE
    model.prepare_model(rate, 0 if declared.is_one_shot and not declared.block_sizes else length)
    model.reset_model()
    model.do_forward_pass(*example_arguments(declared, 0, length))


def _networks(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The modules that a model's own code calls: its children, and those of its lists and dictionaries."""
    for name, child in model.named_children():
        if isinstance(child, (nn.ModuleList, nn.ModuleDict)):
            yield from ((f"{name}.{inner}", each) for inner, each in _networks(child))
        elif not isinstance(child, ScriptModule):
            yield name, child


def _put(model: nn.Module, name: str, network: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    holder: Any = model.get_submodule(parent)
    holder._modules[last] = network
