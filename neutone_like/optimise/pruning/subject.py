"""What is pruned: a network with an example, or a live model, which brings its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.artifact.writing.captured_model import PlayedCore, example_block, prepare_example
from neutone_like.artifact.writing.probe import example_arguments
from neutone_like.errors import CaptureError, ModelError
from neutone_like.graph import Example, Graph, capture_call, functional, own_copy, take_apart
from neutone_like.model import NonRealtimeBase, WaveformToWaveformBase
from neutone_like.streaming.trials import noise_for

_EXAMPLE_SAMPLES = (960, 1024, 7680, 16384)  # multiples of most strides, some longer than most windows


@dataclass(frozen=True)
class Subject:
    """A network, how it is called, and its graph.

    Attributes:
        network: A copy, in evaluation mode.
        played: Makes of such a network a module that takes the example's arguments; its own copy.
        prefix: Of the network's names in that module.
        example: The call.
        graph: Captured, without operations that write.
    """

    network: nn.Module
    played: Callable[[nn.Module], nn.Module]
    prefix: str
    example: Example
    graph: Graph

    def block(self, seed: int = 0) -> list[Tensor]:
        """Inputs like the example's."""
        generator = torch.Generator().manual_seed(seed)
        return list(self.example.block(self.example.samples, generator).values())

    def call(self, played: nn.Module, block: Sequence[Tensor]) -> Any:
        """What such a module gives."""
        return self.example.call(played, [each.clone() for each in block])


def require_network(network: object) -> None:
    """Raise :class:`ModelError` for what is no network in Python."""
    if not isinstance(network, nn.Module) or isinstance(network, torch.jit.ScriptModule):
        raise ModelError(
            f"prune takes a network in Python (torch.nn.Module) or a live model, got {type(network).__name__}."
        )


def subject_of(network: nn.Module, example: Any) -> Subject:
    """Capture what is to be pruned.

    Raises:
        ModelError: An offline model, or an example for a model that has its own.
        CaptureError: It can't be captured.
    """
    if isinstance(network, NonRealtimeBase):
        raise ModelError(
            f"{type(network).__name__} is an offline model: prune its network, prune(model.model, example), and put "
            "the result in its place."
        )
    if isinstance(network, WaveformToWaveformBase):
        if example is not None:
            raise ModelError(f"{type(network).__name__} is a model, which knows what it takes: leave the example out.")
        return _model(network)
    if example is not None:
        return _network(network, example)
    reasons: list[CaptureError] = []
    for samples in _EXAMPLE_SAMPLES:
        try:
            return _network(network, noise_for(network, samples))
        except CaptureError as reason:
            reasons.append(reason)
    raise CaptureError(f"{reasons[0]} (Noise was tried. Give an example of what it is called with.)") from reasons[0]


def _network(network: nn.Module, example: Any) -> Subject:
    arguments = example if isinstance(example, tuple) else (example,)
    call = take_apart(network, arguments, {})
    return _captured(network, lambda each: own_copy(each).eval(), "", call)


def _model(model: WaveformToWaveformBase) -> Subject:
    def played(each: nn.Module) -> nn.Module:
        prepared: Any = own_copy(each).eval()
        prepare_example(prepared)
        return PlayedCore(prepared, [parameter.name for parameter in prepared.declaration().parameters])

    prepared: Any = own_copy(model)
    prepare_example(prepared)
    x, params = example_arguments(prepared, example_block(prepared))
    call = take_apart(played(model), (x, *params.values()), {})
    per_sample = [each.rate == "sample" for each in model.declaration().parameters]
    varying = [name for name, varies in zip(call.tensors, [True, *per_sample], strict=True) if varies]
    call = replace(call, varying=frozenset(varying))
    return _captured(model, played, "core.", call)


def _captured(network: nn.Module, played: Callable[[nn.Module], nn.Module], prefix: str, call: Example) -> Subject:
    """Of one block length, which is enough to follow channels."""
    graph = capture_call(played(network), call, only_length=True)
    subject = Subject(network, played, prefix, call, graph)
    return replace(subject, graph=functional(graph, [subject.block()]))
