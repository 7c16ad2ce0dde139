"""One run of a network, written down operation by operation, for one block length."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from neutone_like.errors import CaptureError
from neutone_like.graph.graph import Node, Value, map_values
from neutone_like.graph.slots import Slot, read_slots, write_slot
from neutone_like.user_code import user_line_of_traceback

Call = Callable[[nn.Module, Sequence[Tensor]], Any]
"""Calls the network with tensors in the order of the graph's inputs."""


@dataclass(frozen=True)
class Trace:
    """What one run did.

    Attributes:
        nodes: Its operations; numbers are those of this block length.
        constants: Tensors that the run met and neither made nor was given, by the names that nodes call them.
        outputs: What it returned.
        results: What is in each state's slot afterwards.
        counts: What is in each counter's slot afterwards.
    """

    nodes: tuple[Node, ...]
    constants: Mapping[str, Tensor]
    outputs: Any
    results: tuple[Value, ...]
    counts: tuple[int, ...]


def trace_call(
    network: nn.Module,
    call: Call,
    inputs: Mapping[str, Tensor],
    states: Mapping[Slot, Tensor],
    counters: Mapping[Slot, int],
) -> Trace:
    """Run ``network`` once, from these states, and write down what it does. The network's state is moved on.

    Raises:
        CaptureError: It decides by a tensor's values, or returns something other than tensors.
    """
    names = [*inputs, *(f"state_{index}" for index in range(len(states)))]
    found: dict[str, Any] = {}

    def run(*tensors: Tensor) -> list[Tensor]:
        given, held = tensors[: len(inputs)], tensors[len(inputs) :]
        for slot, value in (*zip(states, held, strict=True), *counters.items()):
            write_slot(network, slot, value)
        leaves, found["form"] = pytree.tree_flatten(call(network, given))
        _require_tensors(network, leaves)
        now = read_slots(network)
        found["counts"] = tuple(now.get(slot) for slot in counters)
        found["count"] = len(leaves)
        return [*leaves, *(now[slot] for slot in states)]

    with _explained(network):
        tensors = [value.detach().clone() for value in (*inputs.values(), *states.values())]
        module = make_fx(run, tracing_mode="real", pre_dispatch=True, record_stack_traces=True)(*tensors)
    nodes, constants, results = _read_graph(module, names)
    outputs = pytree.tree_unflatten(results[: found["count"]], found["form"])
    return Trace(nodes, constants, outputs, tuple(results[found["count"] :]), found["counts"])


def _require_tensors(network: nn.Module, leaves: Sequence[Any]) -> None:
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            raise CaptureError(
                f"{type(network).__name__} returned {leaf!r} of type {type(leaf).__name__}; a graph holds tensors, and "
                "tuples, lists and dictionaries of tensors. Return those alone: call the network in a small module "
                "that takes them out of the rest."
            )


@contextmanager
def _explained(network: nn.Module) -> Iterator[None]:
    """PyTorch's refusals to go on where values decide, in words, with the line."""
    try:
        yield
    except RuntimeError as error:
        if "value out of a tracing tensor" not in str(error) and "data-dependent" not in str(error).lower():
            raise
        line = user_line_of_traceback(error.__traceback__)
        raise CaptureError(
            f"{type(network).__name__} decides by the values of a tensor, which a graph of operations can't:\n{line}\n"
            "What to do: compute both ways and choose with torch.where, or take the number out of the network, as an "
            "attribute that does not change or as a tensor that is only calculated with."
        ) from error


def _read_graph(
    module: fx.GraphModule, names: Sequence[str]
) -> tuple[tuple[Node, ...], dict[str, Tensor], list[Value]]:
    nodes: list[Node] = []
    constants: dict[str, Tensor] = {}
    known: dict[fx.Node, Value] = {}
    results: list[Value] = []
    placeholders = iter(names)
    for node in module.graph.nodes:
        if node.op == "placeholder":
            known[node] = Value(next(placeholders))
        elif node.op == "get_attr":
            constants[str(node.target)] = getattr(module, str(node.target))
            known[node] = Value(str(node.target))
        elif node.op == "output":
            results = [known[each] for each in pytree.tree_leaves(node.args[0])]
        else:
            known[node] = Value(f"v{len(nodes)}")
            args, kwargs = _arguments(node.args, known), _arguments(dict(node.kwargs), known)
            nodes.append(Node(known[node].name, _name(node.target), args, kwargs, _line(node)))
    return tuple(nodes), constants, results


def _arguments(value: Any, known: Mapping[fx.Node, Value]) -> Any:
    return map_values(_plain_lists(value), lambda each: known[each] if isinstance(each, fx.Node) else each)


def _plain_lists(value: Any) -> Any:
    """PyTorch's immutable lists and dictionaries as plain ones."""
    if isinstance(value, tuple):
        return tuple(map(_plain_lists, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if isinstance(value, list):
        return list(map(_plain_lists, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if isinstance(value, dict):
        return {key: _plain_lists(each) for key, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return value


def _name(target: Any) -> str:
    if isinstance(target, torch._ops.OpOverload):
        return f"{target.namespace}::{target._opname}.{target._overloadname}"
    return str(getattr(target, "__name__", target))


def _line(node: fx.Node) -> str:
    """The innermost line of the call that is not PyTorch's own."""
    frames = [line for line in (node.stack_trace or "").splitlines() if line.lstrip().startswith('File "')]
    for frame in reversed(frames):
        path, _, rest = frame.strip().removeprefix('File "').partition('", line ')
        if f"{torch.__name__}/" not in path and "neutone_like/graph" not in path:
            return f"{path}:{rest.partition(',')[0]}"
    return ""
