"""One run of a network, written down operation by operation, for one block length."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, fx, nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from neutone_like.errors import CaptureError
from neutone_like.graph.decisions import refuse_decisions
from neutone_like.graph.folding import is_pure
from neutone_like.graph.graph import Node, Value, map_values, values_in
from neutone_like.graph.lines import CallingLines
from neutone_like.graph.naming import node_name, state_name
from neutone_like.graph.results import plain
from neutone_like.graph.slots import Slot, read_slots, write_slot

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
    names = [*inputs, *map(state_name, range(len(states)))]
    found: dict[str, Any] = {}
    lines = CallingLines(network)

    def run(*tensors: Tensor) -> list[Tensor]:
        given, held = tensors[: len(inputs)], tensors[len(inputs) :]
        for slot, value in (*zip(states, held, strict=True), *counters.items()):
            write_slot(network, slot, value)
        with lines:
            leaves, found["form"] = pytree.tree_flatten(plain(call(network, given)))
        _require_tensors(network, leaves)
        now = read_slots(network)
        found["counts"] = tuple(now.get(slot) for slot in counters)
        found["count"] = len(leaves)
        return [*leaves, *(now[slot] for slot in states)]

    def traced(pre_dispatch: bool) -> tuple[tuple[Node, ...], dict[str, Tensor], list[Value]]:
        tensors = [value.detach().clone() for value in (*inputs.values(), *states.values())]
        # Values that are read are looked at afterwards: those of constants may be.
        trace = make_fx(run, tracing_mode="real", pre_dispatch=pre_dispatch, _error_on_data_dependent_ops=False)
        return read_graph(trace(*tensors), names, lines)

    nodes, constants, results = traced(pre_dispatch=True)
    if any(map(_is_transformed, constants.values())):  # torch.vmap is seen through one level further down
        nodes, constants, results = traced(pre_dispatch=False)
    refuse_decisions(type(network).__name__, nodes, names)
    for value in constants.values():  # all of them: what is left out next may be why the rest is wrong
        detached(value)
    nodes, constants, results = _without_unused(nodes, constants, results)
    outputs = pytree.tree_unflatten(results[: found["count"]], found["form"])
    return Trace(nodes, constants, outputs, tuple(results[found["count"] :]), found["counts"])


def _is_transformed(value: Tensor) -> bool:
    """Whether it is a tensor of one of torch.func's transformations, which has ended: it can't even be detached."""
    try:
        value.detach()
    except RuntimeError:
        return True
    return False


def detached(value: Tensor) -> Tensor:
    """A tensor that a run met, without gradients.

    Raises:
        CaptureError: No graph can hold it.
    """
    if _is_transformed(value):
        raise CaptureError(
            "The network computes inside a function of torch.func, whose tensors no graph can hold. Write it for all "
            "items at once, with a batch dimension."
        )
    return value.detach()


def _without_unused(
    nodes: Sequence[Node], constants: Mapping[str, Tensor], results: Sequence[Value]
) -> tuple[tuple[Node, ...], dict[str, Tensor], list[Value]]:
    """Without constants that nobody needs, such as a tensor made of a shape to be asked for its own: numbered anew.

    What is made of signals stays, read or not: whoever makes the network smaller has to see it.
    """
    fixed = set(constants)
    for node in nodes:
        if all(each.name in fixed for each in values_in([node.args, dict(node.kwargs)])):
            fixed.add(node.name)
    needed = {each.name for each in results}
    kept: list[Node] = []
    for node in reversed(nodes):
        if node.name in needed or node.name not in fixed or not is_pure(node):
            kept.append(node)
            needed |= {each.name for each in values_in([node.args, dict(node.kwargs)])}
    names = {node.name: node_name(index) for index, node in enumerate(reversed(kept))}

    def rename(value: Any) -> Any:
        return Value(names.get(value.name, value.name)) if isinstance(value, Value) else value

    renamed = tuple(replace(each.with_arguments(rename), name=names[each.name]) for each in reversed(kept))
    used = {name: value for name, value in constants.items() if name in needed}
    return renamed, used, [rename(each) for each in results]


def _require_tensors(network: nn.Module, leaves: Sequence[Any]) -> None:
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            raise CaptureError(
                f"{type(network).__name__} returned {leaf!r:.99} of type {type(leaf).__name__}; a graph holds tensors, "
                "and tuples, lists, dictionaries and dataclasses of tensors. Return those alone: call the network in a "
                "small module that takes them out of the rest."
            )


def read_graph(
    module: fx.GraphModule, names: Sequence[str], lines: CallingLines | None
) -> tuple[tuple[Node, ...], dict[str, Tensor], list[Value]]:
    """PyTorch's own graph as nodes, the tensors it holds, and its results; ``names`` are its arguments'."""
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
        elif getattr(node.target, "__name__", "") == "_set_grad_enabled":
            continue  # nothing here needs gradients
        elif node.op == "output":
            results = [known[each] for each in pytree.tree_leaves(node.args[0])]
        else:
            known[node] = Value(node_name(len(nodes)))
            args, kwargs = _arguments(node.args, known), _arguments(dict(node.kwargs), known)
            line, layer = (lines.lines.get(node.name, ""), lines.layers.get(node.name, "")) if lines else ("", "")
            nodes.append(Node(known[node].name, _name(node.target), args, kwargs, line, layer))
    return tuple(nodes), constants, results


def _arguments(value: Any, known: Mapping[fx.Node, Value]) -> Any:
    return map_values(_plain_lists(value), lambda each: known[each] if isinstance(each, fx.Node) else each)


def _plain_lists(value: Any) -> Any:
    """PyTorch's immutable lists and dictionaries as plain ones."""
    if isinstance(value, tuple):
        return tuple(map(_plain_lists, value))
    if isinstance(value, list):
        return list(map(_plain_lists, value))
    if isinstance(value, dict):
        return {key: _plain_lists(each) for key, each in value.items()}
    return value


def _name(target: Any) -> str:
    """``aten::conv1d.default``; the plain name of what is not an operator of PyTorch's."""
    schema = getattr(target, "_schema", None)
    if schema and schema.name == "aten::detach_":  # of torch.tensor(...); no value is written
        return "aten::detach.default"
    return f"{schema.name}.{schema.overload_name or 'default'}" if schema else str(getattr(target, "__name__", target))
