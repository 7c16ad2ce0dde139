"""Operations that treat every number by itself, several tensors beside each other: what stands together, stays so."""

import numpy as np
import torch
from torch import Tensor

from neutone_like.optimise.pruning.labels import FREE, LOCKED, Activation, Weight
from neutone_like.optimise.pruning.walk import Call, Held, Walk, lock_held, locked_result


def elementwise(call: Call) -> Held:
    """Any number of tensors that are broadcast against each other."""
    if not isinstance(call.result, Tensor):
        return locked_result(call.result)
    held, shape = call.held, tuple(call.result.shape)
    if len(held) == 1 and isinstance(held[0], Weight) and held[0].elements.shape == shape:
        return held[0]  # a weight in another scale
    return Activation(beside(call, held, shape))


def beside(call: Call, held: list[Activation | Weight], shape: tuple[int, ...]) -> Tensor:
    """The labels of what several broadcast tensors give together."""
    computed = [each.labels for each in held if isinstance(each, Activation)]
    weights = [each for each in held if isinstance(each, Weight)]
    labels = torch.full(shape, float(FREE), dtype=torch.float64)
    numbers = torch.arange(labels.numel()).reshape(shape)
    for each in sorted(computed, key=lambda one: -one.numel()):
        own = torch.arange(each.numel()).reshape(each.shape).broadcast_to(shape)
        if (labels < 0).all():
            labels, numbers = each.broadcast_to(shape).contiguous(), own
        elif (each >= 0).any():
            labels = _pair(call, (labels, numbers), (each.broadcast_to(shape), own))
            numbers = torch.arange(labels.numel()).reshape(shape)
    for weight in weights:
        labels = _with_weight(call, labels, weight)
    return labels


def _pair(call: Call, first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> Tensor:
    """Numbers that meet only each other are united. What is spread over several channels must stay.

    Each is its labels, and which of its own numbers stands where.
    """
    a, b = first[0], second[0]
    spread_a, spread_b = (
        several(own.reshape(-1), labels.reshape(-1), int(own.max()) + 1 if own.numel() else 0)[own]
        for (_, own), labels in ((first, b), (second, a))
    )
    for labels, spread in ((a, spread_a), (b, spread_b)):
        if (spread & (labels > 0)).any() and call.is_alive:
            locked = Activation(labels[spread & (labels > 0)])
            lock_held(call.walk, locked, f"{call.node.place} spreads them over other channels")
    met = ~spread_a & ~spread_b & (a >= 0) & (b >= 0)
    call.walk.labels.unite(a[met], b[met])
    chosen = torch.where(spread_a | ((a < 0) & ~spread_b), b, a)
    return torch.where(spread_a & spread_b, float(LOCKED), chosen)


def several(groups: Tensor, labels: Tensor, count: int) -> Tensor:
    """For each group of numbers whether it holds several labels; constants count for none."""
    held = labels >= 0
    kept, found = groups[held], labels[held]
    lowest = torch.full((count,), torch.inf, dtype=torch.float64).scatter_reduce(0, kept, found, "amin")
    highest = torch.full((count,), -torch.inf, dtype=torch.float64).scatter_reduce(0, kept, found, "amax")
    return lowest < highest


def _with_weight(call: Call, labels: Tensor, weight: Weight) -> Tensor:
    """A gain, an offset, positions: the axis of the weight that goes along with the channels follows them."""
    wide = Weight(weight.name, weight.shape, weight.elements.broadcast_to(labels.shape), weight.trained)
    channel_axes = following(wide, labels)
    walk = call.walk
    for axis in channel_axes:
        ids = walk.labels.of_axis(weight, axis)[wide.places()[axis]]
        walk.labels.unite(labels, ids)
    if not channel_axes and (labels < 0).all():
        longest = max(range(len(weight.shape)), key=lambda axis: weight.shape[axis], default=0)
        if not weight.shape or weight.shape[longest] == 1:
            return labels
        real = [axis for axis, size in enumerate(weight.shape) if size > 1]
        if len(real) > 1:
            lock_held(walk, weight, f"{call.node.place} gives a table")
            return torch.full_like(labels, float(LOCKED))
        return torch.from_numpy(walk.labels.of_axis(weight, real[0])[wide.places()[real[0]]]).double()
    if not channel_axes and weight.elements.numel() > 1:
        _keep_apart(walk, call, labels, wide)
    return labels


def following(weight: Weight, labels: Tensor) -> list[int]:
    """The axes of the weight along which every index has one label, and there are several."""
    flat, found = labels.reshape(-1), list[int]()
    if (flat < 0).all():
        return found
    for axis, size in enumerate(weight.shape):
        if size == 1:
            continue
        index = torch.from_numpy(np.ascontiguousarray(weight.places()[axis]).reshape(-1))
        if not several(index, flat, size).any():
            held = flat >= 0
            if len(torch.unique(flat[held])) > 1 or len(torch.unique(index[held])) == 1:
                found.append(axis)
    return found


def _keep_apart(walk: Walk, call: Call, labels: Tensor, weight: Weight) -> None:
    """The weight does not follow the channels. Where it has a number for several of them, they stay."""
    numbers = weight.elements.to(torch.int64).reshape(-1)
    count = int(np.prod(weight.shape))
    shared = several(numbers, labels.reshape(-1), count)
    own = ~shared[numbers] & (labels.reshape(-1) > 0)
    if own.any() and len(torch.unique(labels[labels > 0])) > 1:
        lock_held(walk, Activation(labels.reshape(-1)[own]), f"{call.node.place} has a table with numbers for each")
