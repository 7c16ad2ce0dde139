"""Memory as a table of rows along time, and strided views of it: what only moves data moves nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple

import torch

from neutone_like.compiler.extent import ZERO, Extent
from neutone_like.errors import CompileError

ROW_FLOATS = 16
"""Rows are padded to this."""

_SHORT_ROW = 64


class Kind(Enum):
    """How long a tensor lives."""

    BLOCK = "block"
    STATE = "state"
    RING = "ring"
    CONSTANT = "constant"


class Stride(NamedTuple):
    """A distance in a table: rows, and places within a row."""

    rows: int
    columns: int


STILL = Stride(0, 0)


@dataclass(eq=False)
class Tensor:
    """A table of ``rows`` by ``columns``. Where it lies is decided later: within another, or by itself.

    Attributes:
        name: For people who read a plan.
        rows: At the granule.
        columns: Of each row.
        double: float64 instead of float32.
        kind: How long it lives.
        data: A constant's values, or a state's before the first block; a ring's history, ``[rows, history]``.
        history: A ring's past places in each row.
        written: How many places of a ring's present block are written.
        advance: How far a ring walks with each block.
        home: The tensor that it lies within, with the row and column of its first place there.
        pinned: Somebody relies on rows that follow each other without a gap.
    """

    name: str
    rows: int
    columns: Extent
    double: bool = False
    kind: Kind = Kind.BLOCK
    data: torch.Tensor | None = None
    history: int = 0
    written: Extent = ZERO
    advance: Extent = ZERO
    home: "tuple[Tensor, int, Extent] | None" = None
    pinned: bool = False

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class View:
    """A strided tensor within a table.

    Attributes:
        tensor: The table.
        dims: Of the view.
        strides: One for each dimension.
        row: Of its first element.
        column: Of its first element.
    """

    tensor: Tensor
    dims: tuple[Extent, ...]
    strides: tuple[Stride, ...]
    row: int = 0
    column: Extent = field(default=ZERO)

    def __str__(self) -> str:
        place = f"+{self.row}r{self.column}c" if self.row or self.column != ZERO else ""
        steps = ",".join(f"{each.rows}r{each.columns}" if each.rows else str(each.columns) for each in self.strides)
        return f"{self.tensor}{place}[{','.join(map(str, self.dims))}|{steps}]"

    @property
    def rank(self) -> int:
        """How many dimensions it has."""
        return len(self.dims)

    def permuted(self, order: Sequence[int]) -> "View":
        """The dimensions in another order."""
        return replace(
            self, dims=tuple(self.dims[each] for each in order), strides=tuple(self.strides[each] for each in order)
        )

    def moved(self, dim: int, places: Extent) -> "View":
        """From another place along a dimension."""
        stride = self.strides[dim]
        rows = places.constant
        if stride.rows and rows is None:
            raise CompileError("a place among rows that depends on the block")
        return replace(self, row=self.row + stride.rows * (rows or 0), column=self.column + places * stride.columns)

    def sliced(self, dim: int, start: Extent, length: Extent, step: int = 1) -> "View":
        """Part of a dimension."""
        stride = self.strides[dim]
        return replace(
            self.moved(dim, start),
            dims=(*self.dims[:dim], length, *self.dims[dim + 1 :]),
            strides=(*self.strides[:dim], Stride(stride.rows * step, stride.columns * step), *self.strides[dim + 1 :]),
        )

    def selected(self, dim: int, index: Extent) -> "View":
        """Without a dimension."""
        return self.moved(dim, index).without(dim)

    def without(self, dim: int) -> "View":
        """Without a dimension, at its first place."""
        return replace(
            self,
            dims=(*self.dims[:dim], *self.dims[dim + 1 :]),
            strides=(*self.strides[:dim], *self.strides[dim + 1 :]),
        )

    def with_one(self, dim: int, stride: Stride = STILL) -> "View":
        """With another dimension of one."""
        return replace(
            self,
            dims=(*self.dims[:dim], Extent.of(1), *self.dims[dim:]),
            strides=(*self.strides[:dim], stride, *self.strides[dim:]),
        )

    def flipped(self, dim: int) -> "View":
        """Backwards along a dimension."""
        stride = self.strides[dim]
        last = self.moved(dim, self.dims[dim] - 1)
        turned = Stride(-stride.rows, -stride.columns)
        return replace(last, strides=(*self.strides[:dim], turned, *self.strides[dim + 1 :]))

    def expanded(self, dims: Sequence[Extent]) -> "View":
        """Broadcast: dimensions of one are repeated, and others come before."""
        missing = len(dims) - self.rank
        strides = [STILL] * missing
        for mine, stride, wanted in zip(self.dims, self.strides, dims[missing:], strict=True):
            strides.append(stride if mine == wanted else STILL)
        return replace(self, dims=tuple(dims), strides=tuple(strides))

    def split(self, dim: int, inner: int) -> "View":
        """A dimension as two, the second of ``inner`` places."""
        stride = self.strides[dim]
        outer = Stride(stride.rows * inner, stride.columns * inner)
        count = self.dims[dim] * (Extent.of(1).base / inner)
        return replace(
            self,
            dims=(*self.dims[:dim], count, Extent.of(inner), *self.dims[dim + 1 :]),
            strides=(*self.strides[:dim], outer, stride, *self.strides[dim + 1 :]),
        )


def new_tensor(name: str, dims: Sequence[Extent], order: Sequence[int], granule: int, double: bool = False) -> View:
    """A table for these dimensions, laid out in this order (last: innermost), and a view of all of it.

    Short constant rows are put together, so that little is lost to padding.
    """
    sizes = [dims[each] for each in order]
    columns, inner = (sizes[-1] if sizes else Extent.of(1)), 1
    while inner < len(sizes) and (length := columns.constant) is not None and length < _SHORT_ROW:
        columns, inner = sizes[-1 - inner] * length, inner + 1
    strides: dict[int, Stride] = {}
    step, rows = 1, 1
    for place, dim in enumerate(reversed(order)):
        if place < inner:
            strides[dim] = Stride(0, step)
            step *= dims[dim].constant or 1
        else:
            strides[dim] = Stride(rows, 0)
            rows *= dims[dim].at(granule)
    tensor = Tensor(name, rows, columns, double)
    return View(tensor, tuple(dims), tuple(strides[each] for each in range(len(dims))))


def stride_order(view: View) -> list[int]:
    """The dimensions from the outermost to the innermost, as they lie in memory."""

    def reach(dim: int) -> tuple[int, int, int]:
        stride = view.strides[dim]
        if stride == STILL or view.dims[dim].constant == 1:
            return (1, 0, -dim)  # anywhere: outside
        return (0, abs(stride.rows), abs(stride.columns))

    return sorted(range(view.rank), key=reach, reverse=True)
