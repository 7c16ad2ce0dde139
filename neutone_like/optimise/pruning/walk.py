"""What a rule has before it while the operations of a network are gone through, and what it leaves behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neutone_like.graph import Node
from neutone_like.optimise.pruning.labels import LOCKED, Activation, Ids, Labels, Weight, first_along

Held = Activation | Weight | None | list[Any]
"""What an argument or a result is: labelled, nothing, or several."""


@dataclass(frozen=True)
class Product:
    """A trained weight and what it is multiplied by.

    Attributes:
        weight: Its name.
        axis: Of the weight, over which the product sums.
        index: Along that axis, one for each of the inputs.
        source: The name of the input in the graph.
        dim: Of the input, over which the product sums, from the right.
    """

    weight: str
    axis: int
    index: Ids
    source: str
    dim: int


@dataclass
class Walk:
    """Everything that the rules find out.

    Attributes:
        values: Every tensor of one run by its name.
        numbers: What the operations' numbers depend on.
        alive: The operations that an output or a state depends on.
        products: Every product with a trained weight.
        made: The weights' axes whose index is an output channel, head or unit.
        units, heads: Labels of these kinds.
        reasons: Why labels must stay, or can't be told apart, with the place.
        norms: Layers that count channels without having a weight for each: their channels' labels.
    """

    labels: Labels
    values: Mapping[str, Any]
    numbers: Mapping[str, int]
    alive: set[str]
    products: list[Product] = field(default_factory=list[Product])
    made: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    units: set[int] = field(default_factory=set[int])
    heads: set[int] = field(default_factory=set[int])
    reasons: list[tuple[Ids, str]] = field(default_factory=list[tuple[Ids, str]])
    norms: dict[str, Ids] = field(default_factory=dict[str, Ids])

    def because(self, labels: Any, reason: str) -> None:
        """Note why."""
        ids = np.unique(np.asarray(labels, np.int64).reshape(-1))
        self.reasons.append((ids[ids > 0], reason))


@dataclass(frozen=True)
class Call:
    """One operation.

    Attributes:
        walk: What is known.
        node: The operation.
        args: Its arguments by position: labelled where they are tensors, numbers as they are.
        kwargs: Alike, by name.
        names: The names of tensors among ``args``; ``None`` for others.
        result: What it gave: a tensor, or several.
    """

    walk: Walk
    node: Node
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    names: Sequence[str | None]
    result: Any

    def get(self, position: int, name: str, default: Any = None) -> Any:
        """An argument that may be left out."""
        if position < len(self.args):
            return self.args[position]
        return self.kwargs.get(name, default)

    @property
    def held(self) -> list[Activation | Weight]:
        """Everything that is labelled, also in lists."""
        return [
            each for each in flattened([*self.args, *self.kwargs.values()]) if isinstance(each, Activation | Weight)
        ]

    @property
    def is_alive(self) -> bool:
        """Whether anything that leaves the network depends on it."""
        return self.node.name in self.walk.alive


def flattened(value: Any) -> list[Any]:
    """Everything in lists and tuples."""
    if isinstance(value, (list, tuple)):
        return [each for item in value for each in flattened(item)]
    return [value]


def locked_result(result: Any) -> Held:
    """Every number of it must stay."""
    if isinstance(result, (list, tuple)):
        return [locked_result(each) for each in result]
    return Activation(torch.full(result.shape, float(LOCKED), dtype=torch.float64)) if _is_tensor(result) else None


def lock(call: Call, reason: str) -> Held:
    """Whatever goes in or out must stay as it is."""
    for each in call.held:
        lock_held(call.walk, each, reason)
    return locked_result(call.result)


def lock_held(walk: Walk, held: Activation | Weight, reason: str) -> None:
    """All of its labels must stay."""
    if isinstance(held, Activation):
        walk.because(held.labels.numpy(), reason)
        walk.labels.lock(held.labels)
        return
    for axis, size in enumerate(held.shape):
        if size > 1:
            ids = walk.labels.of_axis(held, axis)
            walk.because(ids, reason)
            walk.labels.lock(ids)


def mixed(call: Call, labels: Tensor, dims: Sequence[int]) -> Tensor:
    """Numbers along ``dims`` are made one without weights, so that they live and die together: their first label."""
    kept = tuple(dim % labels.dim() for dim in dims)
    first = first_along(labels, kept)
    if not call.is_alive:
        return first
    apart = (labels != first) & (labels >= 0) & (first >= 0)
    if apart.any():
        both = torch.cat([labels[apart], first.expand_as(labels)[apart]])
        call.walk.because(both.numpy(), f"{call.node.place} joins them without a weight for each")
        call.walk.labels.unite(labels[apart], first.expand_as(labels)[apart])
    return first


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor)
