"""Elements at places that a tensor says."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from neutone_like.compiler.extent import ONE, Extent
from neutone_like.compiler.kernels import KernelId
from neutone_like.compiler.lowering.context import Context, Lowered, Reshaped, lowers
from neutone_like.compiler.reshaping import reshaped
from neutone_like.compiler.tensor import View
from neutone_like.errors import CompileError
from neutone_like.graph import Node, Value


@lowers("index_select")
def _index_select(context: Context, node: Node, self: Lowered, dim: int, index: Lowered) -> Lowered:
    view = context.view(self)
    dim %= view.rank
    if isinstance(index, torch.Tensor) and (steps := _regular(index)) is not None:
        start, step, count = steps
        return view.sliced(dim, Extent.of(start), Extent.of(count), step)
    return _gathered(context, view, dim, context.view(index))


def _regular(index: torch.Tensor) -> tuple[int, int, int] | None:
    """Start, step and count of indexes at equal distances."""
    places = index.flatten().tolist()
    step = places[1] - places[0] if len(places) > 1 else 1
    regular = [places[0] + step * each for each in range(len(places))] if places else None
    return (places[0], step, len(places)) if places == regular and places[0] >= 0 else None


@lowers("index.Tensor", "_unsafe_index.Tensor")
def _index(context: Context, node: Node, self: Lowered, indices: Sequence[Lowered | None]) -> Lowered:
    view = context.view(self)
    given = [dim for dim, each in enumerate(indices) if each is not None]
    if len(given) != 1:
        raise CompileError("indexing with several tensors; index one dimension after the other")
    dim = given[0]
    if _is_mask(context, node.args[1][dim], indices[dim]):
        raise CompileError(
            "elements that a mask chooses, and how many those are depends on values; choose with torch.where"
        )
    return _by_any(context, view, dim, context.view(indices[dim]))


def _is_mask(context: Context, name: object, index: Lowered | None) -> bool:
    if isinstance(index, torch.Tensor):
        return index.dtype == torch.bool
    return isinstance(name, Value) and context.shapes[name.name].dtype == torch.bool


@lowers("embedding")
def _embedding(context: Context, node: Node, weight: Lowered, indices: Lowered, **_: object) -> Lowered:
    return _by_any(context, context.view(weight), 0, context.view(indices))


def _by_any(context: Context, view: View, dim: int, index: View) -> Lowered:
    """With an index of any shape: its dimensions take the place of ``dim``."""
    dims = (*view.dims[:dim], *index.dims, *view.dims[dim + 1 :])
    flat = _flat(context, index)
    out = _gathered(context, view, dim, flat)
    return reshaped(out, dims) or Reshaped(out, dims)


def _flat(context: Context, index: View) -> View:
    kept = [dim for dim in range(index.rank) if index.dims[dim] != ONE]
    if len(kept) == 1:
        return replace(index, dims=(index.dims[kept[0]],), strides=(index.strides[kept[0]],))
    count = ONE
    for each in index.dims:
        size = each.constant
        count = count * size if size is not None else each * (count.constant or 0)
    found = reshaped(index, (count,))
    return found if found is not None else context.view(Reshaped(index, (count,)))


def _gathered(context: Context, view: View, dim: int, index: View) -> View:
    """Elements along ``dim`` at the places that ``index`` (of one dimension) says."""
    if view.tensor.double:
        raise CompileError("elements of float64 or whole numbers at places that are calculated")
    dims = [*view.dims[:dim], index.dims[0], *view.dims[dim + 1 :]]
    out = context.new(dims)
    pairs = [(out, view)]
    before, after = list(range(dim)), list(range(dim + 1, view.rank))
    for group in (after, before):
        for other in sorted(group, reverse=True):
            if view.dims[other] == ONE:
                pairs = [(a.without(other), b.without(other)) for a, b in pairs]
                group.remove(other)
    loops = [*before[1:], *after[1:]]
    if loops:
        raise CompileError("elements at calculated places of a tensor of more than three dimensions")
    for target, source in pairs:
        target, source = (each if before else each.with_one(0) for each in (target, source))
        target, source = (each if after else each.with_one(each.rank) for each in (target, source))
        context.add(KernelId.GATHER, [target], [source, index])
    return out
