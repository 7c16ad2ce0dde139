"""How much each channel, head or unit counts: by its weights, or by what it gives to the next layers."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neutone_like.graph import SAMPLES, Graph
from neutone_like.graph.running import play_node
from neutone_like.optimise.pruning.dependencies import Dependencies
from neutone_like.optimise.pruning.plan import Peers

Scores = dict[int, float]
"""By class."""


def by_weights(found: Dependencies, peers: Sequence[Peers], weights: Mapping[str, Tensor]) -> Scores:
    """The sum of squared weights on every axis where it is found, each in parts of the axis's mean.

    Source: Li et al., Pruning Filters for Efficient ConvNets (2017), over coupled layers as in Fang et al., DepGraph
    (2023).
    """
    scores: Scores = {}
    for group in peers:
        for name, axis in group.axes:
            weight = weights.get(name)
            if weight is not None and weight.dim() > 1:
                rest = [each for each in range(weight.dim()) if each != axis]
                _add(scores, group, found.axes[name, axis], weight.double().square().sum(rest).numpy())
    return scores


def by_sound(
    found: Dependencies,
    peers: Sequence[Peers],
    graph: Graph,
    weights: Mapping[str, Tensor],
    blocks: Sequence[list[Tensor]],
) -> Scores:
    """The energy that each gives to the products that hear it, on calibration audio, in parts of the mean.

    Where something is heard by nobody that multiplies it, its weights count.
    """
    energies = _energies(found, graph, blocks)
    scores = by_weights(found, peers, weights)
    heard: Scores = {}
    for product in found.products:
        weight, classes = weights[product.weight], found.axes.get((product.weight, product.axis))
        if classes is None:
            continue
        rest = [each for each in range(weight.dim()) if each != product.axis]
        squares = weight.double().square().sum(rest).numpy()
        energy = energies[product.source, product.dim]
        own = np.zeros(len(squares))
        counts = np.bincount(product.index, minlength=len(squares))
        if len(product.index) == len(energy):
            own = np.bincount(product.index, energy, len(squares)) / np.maximum(counts, 1)
        for group in peers:
            if (product.weight, product.axis) in group.axes:
                _add(heard, group, classes, squares * own)
    return {each: heard.get(each, score) for each, score in scores.items()}


def _add(scores: Scores, group: Peers, classes: NDArray[np.int64], squares: NDArray[np.float64]) -> None:
    own = {each: float(squares[classes == each].sum()) for each in group.classes}
    mean = sum(own.values()) / len(own)
    for each, value in own.items():
        scores[each] = scores.get(each, 0.0) + value / max(mean, 1e-30)


def _energies(
    found: Dependencies, graph: Graph, blocks: Sequence[list[Tensor]]
) -> dict[tuple[str, int], NDArray[np.float64]]:
    """The mean square of each channel of what products hear, over consecutive blocks."""
    wanted = {(product.source, product.dim) for product in found.products}
    sums: dict[tuple[str, int], NDArray[np.float64]] = {}
    states = {each.name: each.initial for each in graph.states}
    counters = {each.name: each.initial for each in graph.counters}
    for block in blocks:
        numbers = {SAMPLES: block[0].shape[-1], **counters}
        values = {**graph.parameters, **states, **dict(zip((each.name for each in graph.inputs), block, strict=True))}
        with torch.no_grad():
            for node in graph.nodes:
                values[node.name] = play_node(node, values, numbers)
        states = {each.name: values[each.result.name] for each in graph.states}
        for key in wanted:
            value, dim = values[key[0]], key[1]
            channels = value.detach().double().movedim(dim, 0).reshape(value.shape[dim], -1)
            sums[key] = sums.get(key, np.zeros(value.shape[dim])) + channels.square().mean(1).numpy()
    return sums
