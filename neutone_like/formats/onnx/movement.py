"""Operations that only move data."""

from collections.abc import Sequence
from typing import Any

import torch

from neutone_like.compiler.extent import ONE, ZERO, Extent
from neutone_like.errors import CompileError
from neutone_like.formats.onnx.context import FIRST, LAST, Context, Written, is_complex, writes
from neutone_like.graph import Node, WholeNumber

_MOST_SLICES = 64

Number = int | WholeNumber


@writes("alias", "clone", "contiguous", "detach", "lift_fresh_copy", "copy", takes_complex=True)
def _same(context: Context, node: Node, x: Written, src: Written | None = None, **_: Any) -> Written:
    if src is None:
        return x
    shape = context.shape(node)
    return context.result(node, "Expand", [context.cast(src, shape.dtype), context.integers(shape.dims)])


@writes(
    "view",
    "view_copy",
    "reshape",
    "_reshape_alias",
    "_unsafe_view",
    "flatten.using_ints",
    "unflatten.int",
    "ravel",
    "squeeze",
    "squeeze.dim",
    "squeeze.dims",
    "unsqueeze",
    takes_complex=True,
)
def _reshape(context: Context, node: Node, x: Written, **_: Any) -> Written:
    return context.reshaped(x, context.shape(node).dims)


@writes("expand", "expand_as", "broadcast_to", takes_complex=True)
def _expand(context: Context, node: Node, x: Written, **_: Any) -> Written:
    dims = context.shape(node).dims
    if dims == x.dims:
        return x
    if is_complex(x):
        x = context.reshaped(x, [*[ONE] * (len(dims) - x.rank), *x.dims])
    sizes = [*dims, Extent.of(2)] if is_complex(x) else list(dims)
    return context.result(node, "Expand", [x, context.integers(sizes)])


@writes("permute", takes_complex=True)
def _permute(context: Context, node: Node, x: Written, dims: Sequence[int]) -> Written:
    return context.permuted(x, [each % x.rank for each in dims])


@writes("transpose.int", "swapaxes", takes_complex=True)
def _transpose(context: Context, node: Node, x: Written, **dims: int) -> Written:
    order = list(range(x.rank))
    first, second = (each % x.rank for each in dims.values())
    order[first], order[second] = order[second], order[first]
    return context.permuted(x, order)


@writes("t", "numpy_T", takes_complex=True)
def _backwards(context: Context, node: Node, x: Written) -> Written:
    return context.permuted(x, list(reversed(range(x.rank))))


@writes("movedim.int", takes_complex=True)
def _movedim(context: Context, node: Node, x: Written, source: int, destination: int) -> Written:
    order = list(range(x.rank))
    order.insert(destination % x.rank, order.pop(source % x.rank))
    return context.permuted(x, order)


@writes("select.int", takes_complex=True)
def _select(context: Context, node: Node, x: Written, dim: int, index: Number) -> Written:
    return context.result(node, "Gather", [x, context.integer(index)], axis=dim % x.rank)


@writes("slice.Tensor", takes_complex=True)
def _slice(
    context: Context,
    node: Node,
    x: Written,
    dim: int = 0,
    start: Number | None = None,
    end: Number | None = None,
    step: int = 1,
) -> Written:
    first, last = (0 if start is None else start), (LAST if end is None else end)
    found = context.sliced(x, dim % x.rank, first, last, step)
    return Written(found.name, x.dtype, context.shape(node).dims)


@writes("narrow", takes_complex=True)
def _narrow(context: Context, node: Node, x: Written, dim: int, start: Number, length: Number) -> Written:
    dim %= x.rank
    begin = Extent.of(start)
    if (begin.constant or 0) < 0:
        begin = x.dims[dim] + begin
    return context.sliced(x, dim, begin, begin + Extent.of(length), dims=context.shape(node).dims)


def pieces(context: Context, x: Written, dim: int, sizes: Sequence[Extent]) -> list[Written]:
    """A tensor cut along a dimension."""
    found: list[Written] = []
    start = ZERO
    for size in sizes:
        dims = [*x.dims[:dim], size, *x.dims[dim + 1 :]]
        found.append(context.sliced(x, dim, start, start + size, dims=dims))
        start = start + size
    return found


@writes("split.sizes", "split_with_sizes", takes_complex=True)
def _split_sizes(
    context: Context,
    node: Node,
    x: Written,
    split_sizes: Sequence[Number] = (),
    split_size: Sequence[Number] = (),
    dim: int = 0,
) -> list[Written]:
    return pieces(context, x, dim % x.rank, [Extent.of(each) for each in split_sizes or split_size])


@writes("split.Tensor", takes_complex=True)
def _split(context: Context, node: Node, x: Written, split_size: Number, dim: int = 0) -> list[Written]:
    dim %= x.rank
    if not isinstance(split_size, int):
        whole, part = x.dims[dim], Extent.of(split_size)
        count = next((n for n in range(1, 65) if part * n == whole), None)
        if count is None:
            raise CompileError(f"a tensor of {whole} cut into pieces of {part}")
        return pieces(context, x, dim, [part] * count)
    whole_size = _constant(x, dim)
    return pieces(context, x, dim, [Extent.of(each) for each in _sizes(whole_size, split_size)])


@writes("chunk", takes_complex=True)
def _chunk(context: Context, node: Node, x: Written, chunks: int, dim: int = 0) -> list[Written]:
    dim %= x.rank
    size = x.dims[dim].constant
    if size is None:
        part = Extent(x.dims[dim].base / chunks, x.dims[dim].factor / chunks)
        return pieces(context, x, dim, [part] * chunks)
    return pieces(context, x, dim, [Extent.of(each) for each in _sizes(size, -(-size // chunks))])


@writes("tensor_split.sections", takes_complex=True)
def _tensor_split(context: Context, node: Node, x: Written, sections: int, dim: int = 0) -> list[Written]:
    dim %= x.rank
    each, more = divmod(_constant(x, dim), sections)
    return pieces(context, x, dim, [Extent.of(each + (index < more)) for index in range(sections)])


@writes("unbind.int", takes_complex=True)
def _unbind(context: Context, node: Node, x: Written, dim: int = 0) -> list[Written]:
    dim %= x.rank
    dims = [*x.dims[:dim], *x.dims[dim + 1 :]]
    return [
        context.emit("Gather", [x, context.integer(index)], x.dtype, dims, axis=dim)
        for index in range(_constant(x, dim))
    ]


def _constant(x: Written, dim: int) -> int:
    size = x.dims[dim].constant
    if size is None:
        raise CompileError("a number of pieces that depends on the block's length")
    return size


def _sizes(whole: int, each: int) -> list[int]:
    return [min(each, whole - start) for start in range(0, whole, each)]


@writes("cat", "concat", "concatenate", takes_complex=True)
def _cat(context: Context, node: Node, tensors: Sequence[Written], dim: int = 0) -> Written:
    shape = context.shape(node)
    parts = [each for each in tensors if not (each.rank == 1 and each.dims[0].constant == 0)]
    if not shape.dtype.is_complex:
        parts = [context.cast(each, shape.dtype) for each in parts]
    return parts[0] if len(parts) == 1 else context.result(node, "Concat", parts, axis=dim % len(shape.dims))


@writes("stack", takes_complex=True)
def _stack(context: Context, node: Node, tensors: Sequence[Written], dim: int = 0) -> Written:
    shape = context.shape(node)
    dim %= len(shape.dims)
    parts = [each if shape.dtype.is_complex else context.cast(each, shape.dtype) for each in tensors]
    return context.result(node, "Concat", [context.with_one(each, dim) for each in parts], axis=dim)


@writes("flip", takes_complex=True)
def _flip(context: Context, node: Node, x: Written, dims: Sequence[int]) -> Written:
    for dim in dims:
        x = context.sliced(x, dim % x.rank, -1, FIRST, -1, x.dims)
    return x


@writes("repeat")
def _repeat(context: Context, node: Node, x: Written, repeats: Sequence[Number]) -> Written:
    x = context.reshaped(x, [*[ONE] * (len(repeats) - x.rank), *x.dims]) if len(repeats) > x.rank else x
    return context.result(node, "Tile", [x, context.integers(repeats)])


@writes("index_select", takes_complex=True)
def _index_select(context: Context, node: Node, x: Written, dim: int, index: Written) -> Written:
    return context.result(node, "Gather", [x, index], axis=dim % x.rank)


@writes("embedding")
def _embedding(context: Context, node: Node, weight: Written, indices: Written, **_: Any) -> Written:
    return context.result(node, "Gather", [weight, indices], axis=0)


@writes("gather")
def _gather(context: Context, node: Node, x: Written, dim: int, index: Written, **_: Any) -> Written:
    return context.result(node, "GatherElements", [x, index], axis=dim % x.rank)


@writes("index.Tensor", "_unsafe_index.Tensor")
def _index(context: Context, node: Node, x: Written, indices: Sequence[Written | None]) -> Written:
    given = [(dim, each) for dim, each in enumerate(indices) if each is not None]
    if any(each.dtype == torch.bool for _, each in given):
        raise CompileError("picking by yes and no: how many there are depends on the values")
    if len(given) == 1:
        dim, index = given[0]
        return context.result(node, "Gather", [x, index], axis=dim)
    if [dim for dim, _ in given] != list(range(len(given))):
        raise CompileError("picking along several dimensions that are not the first ones")
    parts = [each for _, each in given]
    total = context.cast(parts[0], torch.int64)
    for each in parts[1:]:  # their common shape, by adding them up
        total = context.emit("Add", [total, context.cast(each, torch.int64)], torch.int64)
    shape = context.emit("Shape", [total], torch.int64)
    last = context.integers([-1])
    columns = [
        context.emit(
            "Unsqueeze",
            [context.emit("Expand", [context.cast(each, torch.int64), shape], torch.int64), last],
            torch.int64,
        )
        for each in parts
    ]
    return context.result(node, "GatherND", [x, context.emit("Concat", columns, torch.int64, axis=-1)])


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


@writes("slice_scatter")
def _slice_scatter(
    context: Context,
    node: Node,
    x: Written,
    src: Written,
    dim: int = 0,
    start: Number | None = None,
    end: Number | None = None,
    step: int = 1,
) -> Written:
    dim %= x.rank
    whole = x.dims[dim]
    begin = Extent.of(start or 0)
    begin = whole + begin if (begin.constant or 0) < 0 else begin
    if step != 1:
        places = context.emit(
            "Range",
            [context.integer(begin), context.integer(begin + src.dims[dim] * step), context.integer(step)],
            torch.int64,
        )
        shape = [1] * dim + [-1] + [1] * (x.rank - dim - 1)
        index = context.emit("Reshape", [places, context.integers(shape)], torch.int64)
        index = context.emit("Expand", [index, context.integers(src.dims)], torch.int64)
        return context.result(node, "ScatterElements", [x, index, src], axis=dim)
    finish = begin + src.dims[dim]
    before = context.sliced(x, dim, 0, begin)
    after = context.sliced(x, dim, finish, LAST) if finish != whole else None
    parts = [None if begin == ZERO else before, context.cast(src, x.dtype), after]
    given = [each for each in parts if each is not None]
    return given[0] if len(given) == 1 else context.result(node, "Concat", given, axis=dim)


@writes("select_scatter")
def _select_scatter(context: Context, node: Node, x: Written, src: Written, dim: int, index: Number) -> Written:
    dim %= x.rank
    return _slice_scatter(context, node, x, context.with_one(src, dim), dim, index)


@writes("constant_pad_nd")
def _pad(context: Context, node: Node, x: Written, pad: Sequence[Number], value: float = 0) -> Written:
    return _padded(context, node, x, pad, "constant", value)


@writes("reflection_pad1d")
def _reflect(context: Context, node: Node, x: Written, padding: Sequence[Number]) -> Written:
    return _padded(context, node, x, padding, "reflect")


@writes("replication_pad1d")
def _replicate(context: Context, node: Node, x: Written, padding: Sequence[Number]) -> Written:
    return _padded(context, node, x, padding, "edge")


@writes("pad")
def _any_pad(
    context: Context, node: Node, x: Written, pad: Sequence[Number], mode: str = "constant", value: float | None = None
) -> Written:
    modes = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    return _padded(context, node, x, pad, modes[mode], value or 0)


def _padded(
    context: Context, node: Node, x: Written, pad: Sequence[Number], mode: str, value: float | None = None
) -> Written:
    """PyTorch counts from the last dimension on, ONNX has all beginnings and then all ends."""
    before: list[Number] = [0] * x.rank
    after: list[Number] = [0] * x.rank
    for place in range(len(pad) // 2):
        before[x.rank - 1 - place], after[x.rank - 1 - place] = pad[2 * place], pad[2 * place + 1]
    fill = None if value is None else context.constant(torch.tensor(value, dtype=x.dtype))
    return context.result(node, "Pad", [x, context.integers([*before, *after]), fill], mode=mode)
