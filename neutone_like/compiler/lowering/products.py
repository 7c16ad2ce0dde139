"""Products with weights: linear layers and matrices, as sums over segments of rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from neutone_like.compiler.extent import ONE, Extent
from neutone_like.compiler.kernels import KernelId, Reduction
from neutone_like.compiler.kernels import Operation as O
from neutone_like.compiler.lowering.context import DOUBLES, Context, Joined, Lowered, Reshaped, lowers, rank_of
from neutone_like.compiler.lowering.elementwise import apply, number, pointwise
from neutone_like.compiler.plan import Affine, Weights
from neutone_like.compiler.tensor import Stride, View
from neutone_like.errors import CompileError
from neutone_like.graph import Node

MOST_COPIES = 64

MOST_IN_DOUBLE = 4096
"""Weights of a product in float64: each is multiplied by itself, and what comes of it is added up by another step."""


@dataclass(frozen=True)
class Segment:
    """Rows of a product's input.

    Attributes:
        view: In which one dimension is summed over.
        columns: Which columns of the weights belong to its places.
    """

    view: View
    columns: np.ndarray[Any, np.dtype[np.int64]]


def segments_of(context: Context, value: Lowered, dim: int) -> list[Segment]:
    """A value as segments along ``dim``, in as few as its form allows, without a copy where possible."""
    if (
        isinstance(value, Joined)
        and value.dim == dim
        and all(each.dims[dim].constant is not None for each in value.parts)
    ):
        sizes = [each.dims[dim].constant or 0 for each in value.parts]
        starts = np.cumsum([0, *sizes])
        return [
            Segment(part, np.arange(start, start + size))
            for part, start, size in zip(value.parts, starts, sizes, strict=False)
        ]
    if isinstance(value, Reshaped) and (found := _unmerged(value, dim)) is not None:
        return found
    view = context.view(value)
    return [Segment(view, np.arange(view.dims[dim].constant or 0))]


def _unmerged(value: Reshaped, dim: int) -> list[Segment] | None:
    """Segments of a dimension that is two of the view's: one for each place of the smaller."""
    view = value.view
    if (
        view.rank != len(value.dims) + 1
        or view.dims[:dim] != value.dims[:dim]
        or view.dims[dim + 2 :] != value.dims[dim + 1 :]
    ):
        return None
    outer, inner = view.dims[dim].constant, view.dims[dim + 1].constant
    if outer is None or inner is None:
        return None
    places = np.arange(outer * inner).reshape(outer, inner)
    if inner <= outer:
        return [Segment(view.selected(dim + 1, Extent.of(each)), places[:, each]) for each in range(inner)]
    return [Segment(view.selected(dim, Extent.of(each)), places[each]) for each in range(outer)]


def product(context: Context, node: Node, value: Lowered, dim: int, weight: Weights, out_dim: int) -> View:
    """``weight`` ``[outputs, rows]`` times ``value`` along ``dim``; outputs become dimension ``out_dim``."""
    dims = context.shape(node).dims
    segments = segments_of(context, value, dim)
    if any(each.view.tensor.double for each in segments) or context.shape(node).dtype == torch.float64:
        return _with_weight_in_double(context, value, dim, weight, out_dim)
    # [others..., K] and [others..., M], with the same others in the same order.
    views = [each.view.permuted([*(i for i in range(each.view.rank) if i != dim), dim]) for each in segments]
    others = [i for i in range(len(dims)) if i != out_dim]
    time = _time_dim(views, len(others))
    loops = [i for i in range(len(others)) if i != time and dims[others[i]] != ONE]
    order = [
        *(others[i] for i in range(len(others)) if i != time),
        out_dim,
        *([others[time]] if time is not None else []),
    ]
    whole = context.new(dims, order)
    out = whole.permuted([*others, out_dim])
    groups = loops.pop() if loops else None
    for places in places_of([dims[others[i]] for i in loops]):
        picked = [picked_at(each, loops, places) for each in (out, *views)]
        kept = [i for i in range(len(others)) if i not in loops]
        three = [
            _three(each, None if groups is None else kept.index(groups), None if time is None else kept.index(time))
            for each in picked
        ]
        count = three[0].dims[0].constant
        if count is None:
            raise CompileError("a product along two dimensions that depend on the block")
        weights = [
            np.broadcast_to(weight[:, each.columns], (count, weight.shape[0], len(each.columns))) for each in segments
        ]
        step = Affine(KernelId.AFFINE, [three[0]], three[1:], weights=weights, bias=np.zeros((count, weight.shape[0])))
        context.steps.append(step)
    return whole


def _time_dim(views: Sequence[View], count: int) -> int | None:
    """The dimension that vectors run along: contiguous in all segments, else the longest."""

    def score(i: int) -> tuple[bool, bool, float]:
        contiguous = all(each.strides[i] == Stride(0, 1) or each.strides[i] == Stride(0, 0) for each in views)
        return (contiguous, bool(views[0].dims[i].factor), float(views[0].dims[i].base))

    candidates = [i for i in range(count) if views[0].dims[i] != ONE]
    return max(candidates, key=score) if candidates else None


def places_of(sizes: Sequence[Extent]) -> Iterator[tuple[int, ...]]:
    counts = [each.constant for each in sizes]
    if any(each is None for each in counts) or np.prod([each or 1 for each in counts]) > MOST_COPIES:
        raise CompileError(
            f"a product with {' x '.join(map(str, sizes))} batches; at most {MOST_COPIES} of constant size"
        )
    return iter(np.ndindex(*[each or 1 for each in counts]))


def picked_at(view: View, loops: Sequence[int], places: Sequence[int]) -> View:
    for dim, place in sorted(zip(loops, places, strict=True), reverse=True):
        view = view.selected(dim, Extent.of(int(place)))
    return view


def _three(view: View, groups: int | None, time: int | None) -> View:
    """``[groups, rows, time]`` of a view whose last dimension is rows."""
    order = [each for each in (groups, view.rank - 1, time) if each is not None]
    kept = replace(view, dims=tuple(view.dims[i] for i in order), strides=tuple(view.strides[i] for i in order))
    kept = kept if groups is not None else kept.with_one(0)
    return kept if time is not None else kept.with_one(2, Stride(0, 1))


def numbers_of(value: torch.Tensor) -> Weights:
    if bool(value.isnan().any()):
        raise CompileError("a weight is NaN; train or load it again")
    return value.detach().to(torch.float64).numpy()


@lowers("linear")
def _linear(context: Context, node: Node, input: Lowered, weight: Lowered, bias: Lowered | None = None) -> Lowered:
    if not isinstance(weight, torch.Tensor):
        raise CompileError("a linear layer whose weights are calculated; use torch.matmul")
    rank = rank_of(input)
    result = product(context, node, input, rank - 1, numbers_of(weight), rank - 1)
    return result if bias is None else plus(context, node, result, bias)


def plus(context: Context, node: Node, value: View, addend: Any) -> View:
    """The sum of two tensors, of the node's shape."""
    return pointwise(context, node, lambda a, b: apply(O.ADD, a, b), [value, addend])


@lowers("mm", "matmul", "bmm")
def _matmul(context: Context, node: Node, self: Lowered, **given: Any) -> Lowered:
    other: Any = given.get("other", given.get("mat2"))
    left, right = _as_matrix(self), _as_matrix(other)
    if right is not None and not isinstance(self, torch.Tensor):
        rank = rank_of(self)
        return product(context, node, self, rank - 1, numbers_of(right).T, rank - 1)
    if left is not None and rank_of(other) > 1:
        rank = rank_of(other)
        return product(context, node, other, rank - 2, numbers_of(left), rank - 2)
    return _dynamic(context, node, context.view(self), context.view(other))


def _as_matrix(value: Lowered) -> torch.Tensor | None:
    if not isinstance(value, torch.Tensor):
        return None
    while value.dim() > 2 and value.size(0) == 1:
        value = value[0]
    return value if value.dim() == 2 else None


def _dynamic(context: Context, node: Node, a: View, b: View) -> View:
    """Both sides are calculated: batches are looped over by the kernel, or here."""
    a = a.with_one(0) if a.rank == 1 else a
    b = b.with_one(1) if b.rank == 1 else b
    dims = context.shape(node).dims
    batch = dims[: max(a.rank, b.rank) - 2]
    if context.shape(node).dtype in DOUBLES:
        return _of_rank(_in_double(context, a, b, batch), len(dims))
    out = context.new((*batch, a.dims[-2], b.dims[-1]))
    a, b = a.expanded((*batch, *a.dims[-2:])), b.expanded((*batch, *b.dims[-2:]))
    loops = list(range(len(batch) - 1))
    for places in places_of(batch[:-1]):
        three = [picked_at(each, loops, places) for each in (out, a, b)]
        three = [each if each.rank == 3 else each.with_one(0) for each in three]
        context.add(KernelId.MATMUL, [three[0]], three[1:])
    return _of_rank(out, len(dims))


def _of_rank(view: View, rank: int) -> View:
    """Without as many dimensions of one as vectors brought along."""
    for dim in range(view.rank - 1, -1, -1):
        if view.rank > rank and view.dims[dim] == ONE:
            view = view.without(dim)
    return view


def _with_weight_in_double(context: Context, value: Lowered, dim: int, weight: Weights, out_dim: int) -> View:
    """The product of :func:`product` in float64, where it is small: recursive filters are written as such."""
    if weight.size > MOST_IN_DOUBLE:
        raise CompileError(
            f"a product in float64 with {weight.shape[0]} x {weight.shape[1]} weights; at most {MOST_IN_DOUBLE} of "
            "them compile. Calculate it in float32, with .float() before it; TorchScript plays it as it is"
        )
    view = context.view(value)
    a = view.permuted([*(i for i in range(view.rank) if i != dim), dim])
    a = a.with_one(0) if a.rank == 1 else a
    b = context.constant(torch.from_numpy(weight.T.copy()))
    out = _of_rank(_in_double(context, a, b, a.dims[:-2]), view.rank)
    order = list(range(out.rank - 1))
    order.insert(out_dim, out.rank - 1)
    return out.permuted(order)


def _in_double(context: Context, a: View, b: View, batch: Sequence[Extent]) -> View:
    """Small products in float64: all of them, then their sums."""
    dims = (*batch, a.dims[-2], b.dims[-1], a.dims[-1])
    left = a.with_one(a.rank - 1)
    right = b.permuted([*range(b.rank - 2), b.rank - 1, b.rank - 2]).with_one(b.rank - 2)
    products = pointwise(context, None, lambda x, y: apply(O.MULTIPLY, x, y), [left, right], dims, torch.float64)
    out = context.new(dims[:-1], double=True)
    context.add(KernelId.REDUCE, [out], [products], [Reduction.SUM])
    return out


@lowers("addmm", "baddbmm")
def _addmm(context: Context, node: Node, self: Lowered, beta: float = 1.0, alpha: float = 1.0, **given: Any) -> Lowered:
    a, b = given.get("mat1", given.get("batch1")), given.get("mat2", given.get("batch2"))
    result = context.view(_matmul(context, node, a, other=b))

    def build(x: Any, y: Any) -> Any:
        x = x if alpha == 1 else apply(O.MULTIPLY, x, number(alpha))
        y = y if beta == 1 else apply(O.MULTIPLY, y, number(beta))
        return apply(O.ADD, x, y)

    return pointwise(context, node, build, [result, self])
