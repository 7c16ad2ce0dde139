"""Tensors with something written into them or put around them."""

from collections.abc import Sequence

import torch

from neutone_like.compiler.extent import ZERO, Extent
from neutone_like.formats.onnx.context import LAST, Context, Written, writes
from neutone_like.formats.onnx.movement import Number
from neutone_like.graph import Node


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
