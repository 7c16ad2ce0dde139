"""A captured network, operation by operation: which indices of which weights live and die together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neutone_like.graph import SAMPLES, Graph, Node, Value, WholeNumber
from neutone_like.graph.graph import map_values, values_in
from neutone_like.graph.running import play_node
from neutone_like.optimise.pruning.labels import FREE, LOCKED, Activation, Ids, Labels, Weight
from neutone_like.optimise.pruning.rules import follow
from neutone_like.optimise.pruning.walk import Call, Product, Walk, locked_result

_MOST_PASSES = 16  # states are filled by what is heard, a block at a time


@dataclass(frozen=True)
class Dependencies:
    """What depends on what.

    Attributes:
        axes: For an axis of a tensor of the network the class of each index; what is cut, is cut by classes. 0 must
            stay, and so must an axis that is not here.
        states: Alike for what the network keeps, for each of its numbers; below 0 where it is a constant.
        made: The axes whose indices are the layer's outputs.
        products: Every product with a trained weight.
        units, heads: The classes that are units of recurrent layers, and heads.
        reasons: Of an axis why it must stay, or why its channels can't be told apart.
        norms: By layer, the classes of the channels that it normalises.
    """

    axes: Mapping[tuple[str, int], Ids]
    states: Mapping[str, Ids]
    made: frozenset[tuple[str, int]]
    products: tuple[Product, ...]
    units: frozenset[int]
    heads: frozenset[int]
    reasons: Mapping[tuple[str, int], str]
    norms: Mapping[str, Ids]


def dependencies(graph: Graph, block: list[Tensor], trained: frozenset[str]) -> Dependencies:
    """Follow every channel through the graph.

    Args:
        graph: Without operations that write.
        block: Its inputs, of a length that it takes.
        trained: The names of tensors that are weights, as opposed to tables, statistics and windows.
    """
    labels = Labels()
    values = _played(graph, block)
    states = {each.name: torch.full(each.initial.shape, float(FREE), dtype=torch.float64) for each in graph.states}
    reasons: list[tuple[Ids, str]] = []
    for _ in range(_MOST_PASSES):
        walk, held = _walked(graph, values, labels, states, trained, block)
        reasons = [*walk.reasons, *reasons]
        found = {each.name: held[each.result.name] for each in graph.states}
        filled = {name: _filled(states[name], each) for name, each in found.items()}
        more = any(not torch.equal(filled[name], states[name]) for name in states)
        states = filled
        if not labels.next_pass() and not more:
            break
    final, held = _walked(graph, values, labels, states, trained, block)
    for each in graph.states:
        result = held[each.result.name]
        if isinstance(result, Activation):
            labels.unite(states[each.name], result.labels)
    final.reasons += reasons
    return _summary(final, states)


def _played(graph: Graph, block: list[Tensor]) -> dict[str, Any]:
    values: dict[str, Any] = {**graph.parameters, **{each.name: each.initial for each in graph.states}}
    values.update({each.name: tensor for each, tensor in zip(graph.inputs, block, strict=True)})
    with torch.no_grad():
        for node in graph.nodes:
            values[node.name] = play_node(node, values, _numbers(graph, block))
    return values


def _numbers(graph: Graph, block: list[Tensor]) -> dict[str, int]:
    return {SAMPLES: block[0].shape[-1], **{each.name: each.initial for each in graph.counters}}


def _filled(state: Tensor, result: Any) -> Tensor:
    if not isinstance(result, Activation) or result.labels.shape != state.shape:
        return torch.full_like(state, float(LOCKED))
    return torch.where(state >= 0, state, result.labels)


def _walked(
    graph: Graph,
    values: Mapping[str, Any],
    labels: Labels,
    states: Mapping[str, Tensor],
    trained: frozenset[str],
    block: list[Tensor],
) -> tuple[Walk, dict[str, Any]]:
    walk = Walk(labels, values, _numbers(graph, block), _alive(graph))
    held: dict[str, Any] = {}
    for name, tensor in graph.parameters.items():
        held[name] = _weight(name, tensor, name in trained)
    for name, each in states.items():
        held[name] = Activation(labels.current(each))
    for each, tensor in zip(graph.inputs, block, strict=True):
        held[each.name] = locked_result(tensor)
    for node in graph.nodes:
        held[node.name] = _current(labels, _result(walk, node, held))
    for value in values_in(graph.outputs):
        if isinstance(held[value.name], Activation):
            walk.because(held[value.name].labels.numpy(), "they are what the network gives")
            labels.lock(held[value.name].labels)
    return walk, held


def _weight(name: str, tensor: Tensor, trained: bool) -> Activation | Weight:
    if not tensor.is_floating_point():
        return Activation(torch.full(tensor.shape, float(FREE), dtype=torch.float64))
    elements = torch.arange(tensor.numel(), dtype=torch.float64).reshape(tensor.shape)
    return Weight(name, tuple(tensor.shape), elements, trained)


def _result(walk: Walk, node: Node, held: Mapping[str, Any]) -> Any:
    def known(each: Any) -> Any:
        if isinstance(each, Value):
            return held[each.name]
        return each.evaluate(walk.numbers) if isinstance(each, WholeNumber) else each

    args, kwargs = map_values(node.args, known), map_values(dict(node.kwargs), known)
    if node.op == "getitem":
        several, index = args
        return several[index] if isinstance(several, list) else several
    names = map_values(node.args, lambda each: each.name if isinstance(each, Value) else None)
    call = Call(walk, node, args, kwargs, names, walk.values[node.name])
    return follow(call)


def _current(labels: Labels, held: Any) -> Any:
    if isinstance(held, list):
        return [_current(labels, each) for each in held]
    return Activation(labels.current(held.labels)) if isinstance(held, Activation) else held


def _alive(graph: Graph) -> set[str]:
    sources = {node.name: values_in([node.args, dict(node.kwargs)]) for node in graph.nodes}
    pending = [*values_in(graph.outputs), *(each.result for each in graph.states)]
    found: set[str] = set()
    while pending:
        name = pending.pop().name
        if name not in found:
            found.add(name)
            pending += sources.get(name, [])
    return found


def _summary(walk: Walk, states: Mapping[str, Tensor]) -> Dependencies:
    classes = walk.labels.classes()

    def of(labels: Any) -> Ids:
        ids = np.asarray(labels, np.int64)
        return np.where(ids >= 0, classes[np.maximum(ids, 0)], ids)

    reasons: dict[int, str] = {}
    for ids, reason in walk.reasons:
        for each in np.unique(walk.labels.known(ids)):
            reasons.setdefault(int(each), reason)
    return Dependencies(
        axes={key: of(ids) for key, ids in walk.labels.axes.items()},
        states={name: of(each) for name, each in states.items()},
        made=frozenset(walk.made),
        products=tuple(walk.products),
        units=frozenset(int(each) for each in of(sorted(walk.units))),
        heads=frozenset(int(each) for each in of(sorted(walk.heads))),
        reasons={
            key: found
            for key, ids in walk.labels.axes.items()
            for found in [next((reasons[int(each)] for each in walk.labels.known(ids) if int(each) in reasons), None)]
            if found is not None
        },
        norms={name: of(ids) for name, ids in walk.norms.items()},
    )
