"""Operations that only move data."""

from collections.abc import Sequence
from typing import Any

import torch

from neutone_like.compiler.extent import ONE, ZERO, Extent
from neutone_like.errors import CompileError
from neutone_like.formats.onnx.context import FIRST, LAST, Context, Written, is_complex, writes
from neutone_like.graph import Node, WholeNumber

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
