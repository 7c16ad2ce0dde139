"""Windows of a tensor that lie over each other, and diagonals."""

from collections.abc import Sequence

import torch

from neutone_like.compiler.extent import ONE, Extent
from neutone_like.errors import CompileError
from neutone_like.formats.onnx.context import Context, Written, writes
from neutone_like.formats.onnx.movement import Number
from neutone_like.graph import Node

_MOST_SLICES = 64


@writes("unfold")
def _unfold(context: Context, node: Node, x: Written, dimension: int, size: Number, step: int) -> Written:
    dim = dimension % x.rank
    windows = context.shape(node).dims[dim]
    if isinstance(size, int) and size % step == 0 and size // step <= _MOST_SLICES:
        return _overlapping(context, node, x, dim, size, step, windows)
    starts = _counted(context, windows * step, step)
    starts = context.emit("Unsqueeze", [starts, context.integers([1])], torch.int64)
    index = context.emit("Add", [starts, _counted(context, Extent.of(size), 1)], torch.int64)
    found = context.emit("Gather", [x, index], x.dtype, axis=dim)  # [..., windows, size, ...]
    order = [*range(dim + 1), *range(dim + 2, x.rank + 1), dim + 1]
    return context.result(node, "Transpose", [found], perm=order)


def _counted(context: Context, end: Extent, step: int | Extent) -> Written:
    """Whole numbers from 0 on."""
    return context.emit("Range", [context.integer(each) for each in (0, end, step)], torch.int64)


def _overlapping(context: Context, node: Node, x: Written, dim: int, size: int, step: int, windows: Extent) -> Written:
    """Windows that are whole steps long, made of pieces of a step."""
    times = size // step
    last = len(context.shape(node).dims) - 1
    order = [*range(dim + 1), *range(dim + 2, x.rank + 1), dim + 1]
    parts: list[Written] = []
    for each in range(times):
        piece = context.sliced(x, dim, each * step, windows * step + each * step)
        dims = [*x.dims[:dim], windows, Extent.of(step), *x.dims[dim + 1 :]]
        piece = context.reshaped(Written(piece.name, x.dtype, ()), dims)
        parts.append(context.permuted(piece, order) if order != list(range(last + 1)) else piece)
    return context.result(node, "Concat", parts, axis=last)


@writes("as_strided")
def _as_strided(
    context: Context,
    node: Node,
    x: Written,
    size: Sequence[Number],
    stride: Sequence[Number],
    storage_offset: Number | None = None,
) -> Written:
    """As PyTorch sees its memory: the tensor is in one piece here."""
    sizes, strides = [Extent.of(each) for each in size], [Extent.of(each) for each in stride]
    offset = Extent.of(storage_offset or 0)
    windows = _windows(x, sizes, strides)
    if windows is not None:
        return _sliding(context, node, x, sizes, windows, offset)
    index = context.integer(offset)
    for place, (length, step) in enumerate(zip(sizes, strides, strict=True)):
        steps = context.emit("Mul", [_counted(context, length, 1), context.integer(step)], torch.int64)
        if place < len(sizes) - 1:
            behind = list(range(1, len(sizes) - place))
            steps = context.emit("Unsqueeze", [steps, context.integers(behind)], torch.int64)
        index = context.emit("Add", [index, steps], torch.int64)
    flat = context.emit("Reshape", [x, context.integers([-1])], x.dtype)
    return context.result(node, "Gather", [flat, index], axis=0)


def _windows(x: Written, sizes: Sequence[Extent], strides: Sequence[Extent]) -> list[int] | None:
    """For ``[others..., taps, samples]`` of a tensor ``[others..., time]``: where each tap begins."""
    if len(sizes) != x.rank + 1 or strides[-1] != ONE:
        return None
    own = [ONE]
    for dim in reversed(x.dims[1:]):
        if dim.constant is None and own[-1] != ONE:
            return None
        own.append(dim if own[-1] == ONE else own[-1] * (dim.constant or 0))
    own.reverse()
    others = len(sizes) - 2
    if list(sizes[:others]) != list(x.dims[:others]) or list(strides[:others]) != own[:others]:
        return None
    taps, step = sizes[-2].constant, strides[-2].constant
    if taps is None or step is None or not 0 < taps <= _MOST_SLICES:
        return None
    return [tap * step for tap in range(taps)]


def _sliding(
    context: Context, node: Node, x: Written, sizes: Sequence[Extent], starts: Sequence[int], offset: Extent
) -> Written:
    last = x.rank - 1
    parts = [context.sliced(x, last, offset + each, offset + each + sizes[-1]) for each in starts]
    parts = [context.emit("Unsqueeze", [each, context.integers([last])], x.dtype) for each in parts]
    return context.result(node, "Concat", parts, axis=last)


@writes("diagonal")
def _diagonal(context: Context, node: Node, x: Written, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Written:
    first, second = dim1 % x.rank, dim2 % x.rank
    rows, columns = x.dims[first].constant, x.dims[second].constant
    if rows is None or columns is None:
        raise CompileError("the diagonal of a matrix whose size depends on the block")
    last = context.integers([-1])
    parts: list[Written] = []
    for row in range(rows):
        if 0 <= row + offset < columns:
            line = context.emit("Gather", [x, context.integer(row)], x.dtype, axis=first)
            column = context.integer(row + offset)
            single = context.emit("Gather", [line, column], x.dtype, axis=second - (second > first))
            parts.append(context.emit("Unsqueeze", [single, last], x.dtype))
    return context.result(node, "Concat", parts, axis=-1)
