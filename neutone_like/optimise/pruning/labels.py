"""Which numbers of a network live and die together: every number that is moved about carries a label."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LOCKED = 0
"""The label of what must stay: the network's inputs and outputs, and what nothing is known of."""
FREE = -1
"""Of constants, which fit beside anything."""

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Activation:
    """A tensor that is computed, with a label for every number (float64, so that every operation moves them)."""

    labels: Tensor


@dataclass(frozen=True)
class Weight:
    """A tensor of the network, perhaps moved about; each number says where in the tensor it is from."""

    name: str
    shape: tuple[int, ...]
    elements: Tensor  # flat indices, float64
    trained: bool

    def along(self, dim: int) -> list[tuple[int, Ids]]:
        """The axes of the tensor whose index depends on the position along ``dim`` and on nothing else."""
        places = self.places()
        count = self.elements.shape[dim]
        found: list[tuple[int, Ids]] = []
        for axis, size in enumerate(self.shape):
            index = np.moveaxis(places[axis], dim, 0).reshape(count, -1)
            if size > 1 and (index == index[:, :1]).all() and (count == 1 or (index[:, 0] != index[0, 0]).any()):
                found.append((axis, index[:, 0]))
        return found

    def places(self) -> list[Ids]:
        """The index along each axis, for every number."""
        # Not by numpy.unravel_index: 2.4.6 gives wrong ones for arrays of three axes and more than 8192 numbers.
        flat = self.elements.to(torch.int64).numpy()
        steps = [int(np.prod(self.shape[axis + 1 :])) for axis in range(len(self.shape))]
        return [flat // step % size for step, size in zip(steps, self.shape, strict=True)]


class Labels:
    """Hands out labels, one for each index along an axis of a tensor, and keeps which of them are united."""

    def __init__(self) -> None:
        self.axes: dict[tuple[str, int], Ids] = {}
        self.count = 1
        self._edges: list[NDArray[np.int64]] = []
        self._locks: list[NDArray[np.int64]] = []
        self._classes: Ids = np.zeros(1, np.int64)

    def of_axis(self, weight: Weight, axis: int) -> Ids:
        """The labels along an axis of one of the network's tensors."""
        key = (weight.name, axis)
        if key not in self.axes:
            size = weight.shape[axis]
            self.axes[key] = np.arange(self.count, self.count + size)
            self.count += size
        return self.axes[key]

    def unite(self, a: Any, b: Any) -> None:
        """``a[i]`` lives as long as ``b[i]``. Constants don't care."""
        first, second = np.broadcast_arrays(_flat(a), _flat(b))
        kept = (first != second) & (first >= 0) & (second >= 0)
        pairs = np.stack([first[kept], second[kept]], 1)
        if not len(pairs):
            return
        codes = np.unique(pairs.min(1) * (self.count + 1) + pairs.max(1))
        pairs = np.stack([codes // (self.count + 1), codes % (self.count + 1)], 1)
        locks = pairs[:, 0] == LOCKED
        self._edges.append(pairs[~locks])
        self._locks.append(pairs[locks])

    def lock(self, labels: Any) -> None:
        """These must stay."""
        self.unite(labels, LOCKED)

    def current(self, labels: Tensor) -> Tensor:
        """Each label as that of its class, as far as it was known when this pass began."""
        return torch.from_numpy(self.known(labels.to(torch.int64).numpy())).double()

    def known(self, ids: Ids) -> Ids:
        """As :meth:`current`, of whole numbers."""
        inside = (ids >= 0) & (ids < len(self._classes))
        return np.where(inside, self._classes[np.where(inside, ids, 0)], ids)

    def next_pass(self) -> bool:
        """Forget the edges, keep the classes that they made; whether there are new ones."""
        before = self._classes
        self._classes = self._united(self._edges)
        self._edges, self._locks = [], []
        old = np.arange(len(self._classes))
        old[: len(before)] = before
        return not np.array_equal(old, self._classes)

    def classes(self) -> Ids:
        """The class of every label: its smallest one, so that what is locked has 0."""
        return self._united([*self._edges, *self._locks])

    def _united(self, edges: list[NDArray[np.int64]]) -> Ids:
        parent = np.arange(self.count)
        parent[: len(self._classes)] = self._classes
        pairs = np.concatenate([np.zeros((0, 2), np.int64), *edges])
        while len(pairs):
            roots = parent[pairs]
            low, high = roots.min(1), roots.max(1)
            apart = low != high
            if not apart.any():
                break
            np.minimum.at(parent, high[apart], low[apart])
            while (parent != parent[parent]).any():
                parent = parent[parent]
        return parent


def _flat(labels: Any) -> Ids:
    if isinstance(labels, Tensor):
        return labels.detach().reshape(-1).to(torch.int64).numpy()
    return np.asarray(labels, np.int64).reshape(-1)


def first_along(labels: Tensor, dims: tuple[int, ...]) -> Tensor:
    """The first label along ``dims`` that is no constant's, with these dimensions kept as 1."""
    for dim in dims:
        held = labels >= 0
        index = held.to(torch.int8).argmax(dim, keepdim=True)
        labels = labels.gather(dim, index)
    return labels
