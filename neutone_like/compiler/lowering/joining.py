"""Operations that put tensors side by side: what is joined is calculated in its place where that can be."""

from collections.abc import Sequence
from typing import Any

import torch

from neutone_like.compiler.extent import ZERO, Extent
from neutone_like.compiler.kernels import KernelId
from neutone_like.compiler.lowering.context import Context, Joined, Lowered, lowers
from neutone_like.compiler.tensor import Kind, Stride, View
from neutone_like.errors import CompileError
from neutone_like.graph import Node


@lowers("cat", "concat", "concatenate")
def _cat(context: Context, node: Node, tensors: Sequence[Lowered], dim: int = 0) -> Lowered:
    dims = context.shape(node).dims
    dim %= len(dims)
    views: list[View] = []
    for each in tensors:
        views += _parts(context, each, dim)
    views = [each for each in views if each.dims[dim] != ZERO]
    if len(views) == 1:
        return views[0]
    ring = views[0].tensor
    if ring.kind is Kind.RING and _follows(views[0], dim):
        return _extended(context, views, dim)
    return Joined(tuple(views), dim, dims)


def _parts(context: Context, value: Lowered, dim: int) -> tuple[View, ...]:
    return value.parts if isinstance(value, Joined) and value.dim == dim else (context.view(value),)


def _follows(view: View, dim: int) -> bool:
    """Whether a view of a ring's past ends where the present block begins, with all rows, untaken so far."""
    tensor = view.tensor
    along = view.strides[dim] == Stride(0, 1)
    rows = [(each.constant or 0) for index, each in enumerate(view.dims) if index != dim]
    whole = 1
    for each in rows:
        whole *= each
    return along and whole == tensor.rows and view.column + view.dims[dim] == tensor.written


def _extended(context: Context, views: Sequence[View], dim: int) -> View:
    """What follows the past is written right behind it."""
    whole = views[0]
    for part in views[1:]:
        start = whole.dims[dim]
        length = start + part.dims[dim]
        whole = whole.sliced(dim, ZERO, length)
        context.add(KernelId.COPY, [whole.sliced(dim, start, part.dims[dim])], [part])
        whole.tensor.written = whole.tensor.written + part.dims[dim]
    return whole


@lowers("stack")
def _stack(context: Context, node: Node, tensors: Sequence[Lowered], dim: int = 0) -> Lowered:
    dims = context.shape(node).dims
    dim %= len(dims)
    return Joined(tuple(context.view(each).with_one(dim) for each in tensors), dim, dims)


@lowers("constant_pad_nd", "pad")
def _pad(
    context: Context, node: Node, self: Lowered, pad: Sequence[Any], value: Any = 0.0, mode: str = "constant"
) -> Lowered:
    if mode != "constant":
        raise CompileError(f"padding of mode {mode}")
    view = context.view(self)
    dims = list(view.dims)
    joined: Lowered = view
    for pair in range(len(pad) // 2):
        dim = view.rank - 1 - pair
        before, after = Extent.of(pad[2 * pair]), Extent.of(pad[2 * pair + 1])
        if before.base < 0 or after.base < 0:
            raise CompileError("padding that cuts")
        if before == ZERO and after == ZERO:
            continue
        fill = context.constant(
            torch.tensor(float(value or 0.0), dtype=torch.float64 if view.tensor.double else torch.float32)
        )
        current = context.view(joined)
        parts: list[View] = []
        for length in (before, None, after):
            if length is None:
                parts.append(current)
            elif length != ZERO:
                parts.append(fill.expanded([*dims[:dim], length, *dims[dim + 1 :]]))
        dims[dim] = dims[dim] + before + after
        joined = Joined(tuple(parts), dim, tuple(dims))
    return joined
