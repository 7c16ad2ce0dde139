"""Operations that put tensors side by side: what is joined is calculated in its place where that can be."""

from collections.abc import Sequence
from typing import Any

import torch

from neutone_like.compiler.extent import ONE, ZERO, Extent
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
    joined: Lowered = self
    view = context.view(self)
    for pair in range(len(pad) // 2):
        dim = view.rank - 1 - pair
        before, after = Extent.of(pad[2 * pair]), Extent.of(pad[2 * pair + 1])
        if before.base < 0 or after.base < 0:
            raise CompileError("padding that cuts")
        if before == ZERO and after == ZERO:
            continue
        current = context.view(joined)
        dtype = torch.float64 if view.tensor.double else torch.float32
        fill = context.constant(torch.tensor(float(value or 0.0), dtype=dtype))
        joined = _surrounded(current, dim, (before, after), mode, fill)
    return joined


@lowers("replication_pad1d", "reflection_pad1d")
def _pad_by_itself(context: Context, node: Node, self: Lowered, padding: Sequence[int]) -> Lowered:
    view, (before, after) = context.view(self), map(Extent.of, padding)
    return _surrounded(
        view, view.rank - 1, (before, after), "reflect" if "reflection" in node.op else "replicate", view
    )


def _surrounded(view: View, dim: int, lengths: tuple[Extent, Extent], mode: str, fill: View) -> Joined:
    """``view`` between ``lengths`` samples of what torch.nn.functional.pad puts there; ``fill``: of mode constant."""
    before, after = lengths
    size = view.dims[dim]

    def expanded(one: View, length: Extent) -> View:
        return one.expanded([*view.dims[:dim], length, *view.dims[dim + 1 :]])

    ends = {
        "constant": lambda: (expanded(fill, before), expanded(fill, after)),
        "replicate": lambda: (
            expanded(view.sliced(dim, ZERO, ONE), before),
            expanded(view.sliced(dim, size - 1, ONE), after),
        ),
        "reflect": lambda: (
            view.sliced(dim, ONE, before).flipped(dim),
            view.sliced(dim, size - after - 1, after).flipped(dim),
        ),
        "circular": lambda: (view.sliced(dim, size - before, before), view.sliced(dim, ZERO, after)),
    }
    if mode not in ends:
        raise CompileError(f"padding of mode {mode}")
    first, last = ends[mode]()
    parts = [each for each, length in ((first, before), (view, ONE), (last, after)) if length != ZERO]
    return Joined(tuple(parts), dim, (*view.dims[:dim], size + before + after, *view.dims[dim + 1 :]))
