"""Passes that make a graph shorter and leave what it computes as it is."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import CaptureError
from neutone_like.graph.graph import Graph, Node, Value, map_values, values_in
from neutone_like.graph.running import operation, writes
from neutone_like.graph.whole_number import WholeNumber

_RANDOM = torch.Tag.nondeterministic_seeded


@checked_arguments(CaptureError)
def fold_constants(graph: Graph) -> Graph:
    """Compute once what depends on parameters alone: weight norm, parametrizations, windows, tables."""
    known: dict[str, Any] = dict(graph.parameters)
    kept: list[Node] = []
    touched = _written_names(graph)
    folded: dict[str, Tensor] = {}
    for node in graph.nodes:
        needs = values_in([node.args, dict(node.kwargs)])
        given = all(value.name in known and value.name not in touched for value in needs)
        if not needs or not given or not is_pure(node) or node.name in touched or _has_numbers(node):
            kept.append(node)
            continue
        args = map_values(node.args, lambda each: known[each.name] if isinstance(each, Value) else each)
        kwargs = map_values(dict(node.kwargs), lambda each: known[each.name] if isinstance(each, Value) else each)
        with torch.no_grad():
            known[node.name] = operation(node.op)(*args, **kwargs)
    used = {value.name for node in kept for value in values_in([node.args, dict(node.kwargs)])}
    used |= {value.name for value in values_in(graph.outputs)} | {state.result.name for state in graph.states}
    for node in graph.nodes:
        if node.name in known and node.name in used:
            folded[node.name] = known[node.name].clone(memory_format=torch.contiguous_format)
    return drop_unused(replace(graph, nodes=tuple(kept), parameters={**graph.parameters, **folded}))


def drop_unread_states(graph: Graph) -> Graph:
    """Leave out states that no output depends on, ever: meters, and weights that every call computes anew."""
    sources = {node.name: [value.name for value in values_in([node.args, dict(node.kwargs)])] for node in graph.nodes}
    sources.update({state.name: [state.result.name] for state in graph.states})
    read: set[str] = set()
    pending = [value.name for value in values_in(graph.outputs)]
    pending += [node.name for node in graph.nodes if not is_pure(node)]
    while pending:
        name = pending.pop()
        if name not in read:
            read.add(name)
            pending += sources.get(name, [])
    states = tuple(state for state in graph.states if state.name in read)
    if len(states) == len(graph.states):
        return graph
    return replace(graph, states=states, nodes=tuple(node for node in graph.nodes if node.name in read))


@checked_arguments(CaptureError)
def drop_unused(graph: Graph) -> Graph:
    """Leave out operations and parameters whose results nobody needs."""
    needed = {value.name for value in values_in(graph.outputs)} | {state.result.name for state in graph.states}
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if node.name in needed or not is_pure(node):
            kept.append(node)
            needed |= {value.name for value in values_in([node.args, dict(node.kwargs)])}
    parameters: Mapping[str, Tensor] = {name: value for name, value in graph.parameters.items() if name in needed}
    return replace(graph, nodes=tuple(reversed(kept)), parameters=parameters)


def is_pure(node: Node) -> bool:
    """Whether leaving the node out changes nothing but its own result."""
    if node.op == "getitem":
        return True
    return not writes(node) and _RANDOM not in operation(node.op).tags


def _has_numbers(node: Node) -> bool:
    found: list[bool] = []
    map_values([node.args, dict(node.kwargs)], lambda each: found.append(isinstance(each, WholeNumber)))
    return any(found)


def _written_names(graph: Graph) -> set[str]:
    """Every name whose tensor, or one that shares its memory, an operation writes into; more rather than fewer."""
    sources = {node.name: [value.name for value in values_in([node.args, dict(node.kwargs)])] for node in graph.nodes}
    written: set[str] = set()
    pending = [name for node in graph.nodes if writes(node) for name in [node.name, *sources[node.name]]]
    while pending:
        name = pending.pop()
        if name not in written:
            written.add(name)
            pending += sources.get(name, [])
    return written
