"""Products with weights: convolutions, linear layers and matrices, all as sums over segments of rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from neutone_like.compiler.extent import ONE, ZERO, Extent
from neutone_like.compiler.kernels import Activation, KernelId
from neutone_like.compiler.lowering.context import Context, Joined, Lowered, Reshaped, lowers
from neutone_like.compiler.lowering.elementwise import apply, number, pointwise
from neutone_like.compiler.kernels import Operation as O  # noqa: N814
from neutone_like.compiler.plan import Affine, Weights
from neutone_like.compiler.tensor import Stride, View
from neutone_like.errors import CompileError
from neutone_like.graph import Node

_MOST_COPIES = 64


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
    if isinstance(value, Joined) and value.dim == dim and all(each.dims[dim].constant is not None for each in value.parts):
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
    if view.rank != len(value.dims) + 1 or view.dims[:dim] != value.dims[:dim] or view.dims[dim + 2 :] != value.dims[dim + 1 :]:
        return None
    outer, inner = view.dims[dim].constant, view.dims[dim + 1].constant
    if outer is None or inner is None:
        return None
    places = np.arange(outer * inner).reshape(outer, inner)
    if inner <= outer:
        return [Segment(view.selected(dim + 1, Extent.of(each)), places[:, each]) for each in range(inner)]
    return [Segment(view.selected(dim, Extent.of(each)), places[each]) for each in range(outer)]


def product(context: Context, node: Node, value: Lowered, dim: int, weight: Weights, out_dim: int) -> View:
    """``weight`` ``[outputs, rows]`` times ``value`` along ``dim``; the outputs are dimension ``out_dim`` of the result."""
    dims = context.shape(node).dims
    segments = segments_of(context, value, dim)
    if any(each.view.tensor.double for each in segments) or context.shape(node).dtype == torch.float64:
        raise CompileError("products in float64; calculate them in float32")
    # [others..., K] and [others..., M], with the same others in the same order.
    views = [each.view.permuted([*(i for i in range(each.view.rank) if i != dim), dim]) for each in segments]
    others = [i for i in range(len(dims)) if i != out_dim]
    time = _time_dim(views, len(others))
    loops = [i for i in range(len(others)) if i != time and dims[others[i]] != ONE]
    order = [*(others[i] for i in range(len(others)) if i != time), out_dim, *([others[time]] if time is not None else [])]
    whole = context.new(dims, order)
    out = whole.permuted([*others, out_dim])
    groups = loops.pop() if loops else None
    for places in _places([dims[others[i]] for i in loops]):
        picked = [_picked(each, loops, places) for each in (out, *views)]
        kept = [i for i in range(len(others)) if i not in loops]
        three = [_three(each, None if groups is None else kept.index(groups), None if time is None else kept.index(time)) for each in picked]
        count = three[0].dims[0].constant
        if count is None:
            raise CompileError("a product along two dimensions that depend on the block")
        weights = [np.broadcast_to(weight[:, each.columns], (count, weight.shape[0], len(each.columns))) for each in segments]
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


def _places(sizes: Sequence[Extent]) -> Iterator[tuple[int, ...]]:
    counts = [each.constant for each in sizes]
    if any(each is None for each in counts) or np.prod([each or 1 for each in counts]) > _MOST_COPIES:
        raise CompileError(f"a product with {' x '.join(map(str, sizes))} batches; at most {_MOST_COPIES} of constant size")
    return iter(np.ndindex(*[each or 1 for each in counts]))


def _picked(view: View, loops: Sequence[int], places: Sequence[int]) -> View:
    for dim, place in sorted(zip(loops, places, strict=True), reverse=True):
        view = view.selected(dim, Extent.of(int(place)))
    return view


def _three(view: View, groups: int | None, time: int | None) -> View:
    """``[groups, rows, time]`` of a view whose last dimension is rows."""
    order = [each for each in (groups, view.rank - 1, time) if each is not None]
    kept = replace(view, dims=tuple(view.dims[i] for i in order), strides=tuple(view.strides[i] for i in order))
    kept = kept if groups is not None else kept.with_one(0)
    return kept if time is not None else kept.with_one(2, Stride(0, 1))


def _numbers(value: torch.Tensor) -> Weights:
    if bool(value.isnan().any()):
        raise CompileError("a weight is NaN; train or load it again")
    return value.detach().to(torch.float64).numpy()


@lowers("linear")
def _linear(context: Context, node: Node, input: Lowered, weight: Lowered, bias: Lowered | None = None) -> Lowered:
    if not isinstance(weight, torch.Tensor):
        raise CompileError("a linear layer whose weights are calculated; use torch.matmul")
    rank = len(input.dims) if not isinstance(input, torch.Tensor) else input.dim()
    result = product(context, node, input, rank - 1, _numbers(weight), rank - 1)
    return result if bias is None else _plus(context, node, result, bias)


def _plus(context: Context, node: Node, value: View, addend: Any) -> View:
    return pointwise(context, node, lambda a, b: apply(O.ADD, a, b), [value, addend])


@lowers("mm", "matmul", "bmm")
def _matmul(context: Context, node: Node, self: Lowered, **given: Any) -> Lowered:
    other: Lowered = given.get("other", given.get("mat2"))
    left, right = _as_matrix(self), _as_matrix(other)
    if right is not None and not isinstance(self, torch.Tensor):
        rank = _rank(self)
        return product(context, node, self, rank - 1, _numbers(right).T, rank - 1)
    if left is not None and _rank(other) > 1:
        rank = _rank(other)
        return product(context, node, other, rank - 2, _numbers(left), rank - 2)
    return _dynamic(context, node, context.view(self), context.view(other))


def _rank(value: Any) -> int:
    return value.dim() if isinstance(value, torch.Tensor) else len(value.dims)


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
    out = context.new((*batch, a.dims[-2], b.dims[-1]))
    a, b = a.expanded((*batch, *a.dims[-2:])), b.expanded((*batch, *b.dims[-2:]))
    loops = list(range(len(batch) - 1))
    for places in _places(batch[:-1]):
        three = [_picked(each, loops, places) for each in (out, a, b)]
        three = [each if each.rank == 3 else each.with_one(0) for each in three]
        context.add(KernelId.MATMUL, [three[0]], three[1:])
    for dim in range(out.rank - 1, -1, -1):
        if out.rank > len(dims) and out.dims[dim] == ONE:
            out = out.without(dim)
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


@lowers("conv1d", "convolution", "conv1d.padding")
def _conv1d(
    context: Context, node: Node, input: Lowered, weight: Lowered, bias: Lowered | None, stride: Any, padding: Any,
    dilation: Any, groups: int = 1, transposed: bool = False, output_padding: Any = (0,),
) -> Lowered:
    if not isinstance(weight, torch.Tensor):
        raise CompileError("a convolution whose weights are calculated")
    if weight.dim() != 3:
        raise CompileError(f"a convolution over {weight.dim() - 2} dimensions; those over time compile")
    (stride,), (dilation,) = _one(stride), _one(dilation)
    if transposed:
        return _conv_transpose1d(context, node, input, weight, bias, stride, padding, output_padding, groups, dilation)
    x = context.view(input)
    unbatched = x.rank == 2
    x = x.with_one(0) if unbatched else x
    x = _padded(context, x, padding, dilation * (weight.size(2) - 1))
    dims = context.shape(node).dims
    dims = (ONE, *dims) if unbatched else dims
    out = context.new(dims)
    if groups == weight.size(0) > 1 and weight.size(1) == 1:
        for batch in range(_constant(dims[0])):
            _convolve_channels(context, out, x, batch, weight, (stride, dilation))
        return _with_bias(context, node, out, bias, unbatched)
    taps = _taps(context, x, stride, dilation, weight.size(2), dims[2])
    for batch in range(_constant(dims[0])):
        place = Extent.of(batch)
        _convolve(context, out.selected(0, place), [each.selected(0, place) for each in taps], _numbers(weight), groups)
    return _with_bias(context, node, out, bias, unbatched)


def _with_bias(context: Context, node: Node, out: View, bias: Lowered | None, unbatched: bool) -> View:
    out = out.without(0) if unbatched else out
    if bias is None:
        return out
    column = context.view(bias).with_one(1)
    return _plus(context, node, out, column if unbatched else column.with_one(0))


def _convolve_channels(
    context: Context, out: View, x: View, batch: int, weight: torch.Tensor, steps: tuple[int, int]
) -> None:
    """Each channel by itself."""
    place = Extent.of(batch)
    _numbers(weight)
    matrix = context.constant(weight.detach()[:, 0].contiguous())
    bias = context.constant(torch.zeros(weight.size(0)))
    inputs = [matrix, bias, x.selected(0, place)]
    context.add(KernelId.DEPTHWISE, [out.selected(0, place)], inputs, [*steps, Activation.NONE])


def _one(value: Any) -> tuple[int]:
    return (value[0],) if isinstance(value, (list, tuple)) else (value,)


def _constant(size: Extent) -> int:
    count = size.constant
    if count is None or count > _MOST_COPIES:
        raise CompileError(f"a convolution of {size} batches; at most {_MOST_COPIES} of constant size")
    return count


def _padded(context: Context, x: View, padding: Any, reach: int) -> View:
    if padding == "valid":
        before = after = 0
    elif padding == "same":
        before, after = reach // 2, reach - reach // 2
    else:
        (before,) = _one(padding)
        after = before
    if not before and not after:
        return x
    zero = context.constant(torch.zeros(()))
    parts = [zero.expanded((*x.dims[:2], Extent.of(length))) for length in (before, after) if length]
    parts.insert(1 if before else 0, x)
    return context.view(Joined(tuple(parts), 2, (*x.dims[:2], x.dims[2] + before + after)))


def _taps(context: Context, x: View, stride: int, dilation: int, kernel: int, length: Extent) -> list[View]:
    """For each tap of the kernel its input, ``[batch, channels, length]``, contiguous along time."""
    if stride == 1:
        return [x.sliced(2, Extent.of(tap * dilation), length) for tap in range(kernel)]
    # Every stride-th sample side by side: a tap is then one of these phases from some place on.
    phases: dict[int, int] = {}
    for tap in range(kernel):
        place, phase = divmod(tap * dilation, stride)
        phases[phase] = max(place, phases.get(phase, 0))
    apart = {phase: _phase(context, x, phase, stride, length + place) for phase, place in phases.items()}
    return [
        apart[tap * dilation % stride].sliced(2, Extent.of(tap * dilation // stride), length) for tap in range(kernel)
    ]


def _phase(context: Context, x: View, phase: int, stride: int, length: Extent) -> View:
    part = x.sliced(2, Extent.of(phase), length, stride)
    apart = context.new(part.dims)
    context.add(KernelId.COPY, [apart], [part])
    return apart


def _convolve(context: Context, out: View, taps: Sequence[View], weight: Weights, groups: int) -> None:
    """``out`` ``[outputs, time]`` from taps ``[inputs, time]``, with weights ``[outputs, inputs / groups, kernel]``."""
    outputs, inputs, kernel = weight.shape
    each = outputs // groups
    grouped = [tap.split(0, inputs) for tap in taps]
    target = out.split(0, each)
    weight = weight.reshape(groups, each, inputs, kernel)
    if kernel > inputs and (columns := _step(taps)) is not None:
        # Few channels and many taps: one segment for each channel.
        views = [
            grouped[0].selected(1, Extent.of(i)).with_one(1, columns).sliced(1, ZERO, Extent.of(kernel)) for i in range(inputs)
        ]
        weights = [weight[:, :, i, :] for i in range(inputs)]
    else:
        views, weights = grouped, [weight[:, :, :, tap] for tap in range(kernel)]
    context.steps.append(Affine(KernelId.AFFINE, [target], views, weights=weights, bias=np.zeros((groups, each))))


def _step(taps: Sequence[View]) -> Stride | None:
    """The distance of neighbouring taps where it is the same for all."""
    if len(taps) < 2 or any(each.tensor is not taps[0].tensor for each in taps):
        return None
    steps = {b.column - a.column for a, b in zip(taps, taps[1:], strict=False)}
    only = steps.pop() if len(steps) == 1 else None
    return None if only is None or only.constant is None else Stride(0, only.constant)


@lowers("conv_transpose1d")
def _transposed(
    context: Context, node: Node, input: Lowered, weight: Lowered, bias: Lowered | None, stride: Any, padding: Any,
    output_padding: Any, groups: int, dilation: Any,
) -> Lowered:
    if not isinstance(weight, torch.Tensor):
        raise CompileError("a convolution whose weights are calculated")
    return _conv_transpose1d(
        context, node, input, weight, bias, _one(stride)[0], padding, output_padding, groups, _one(dilation)[0]
    )


def _conv_transpose1d(
    context: Context, node: Node, input: Lowered, weight: torch.Tensor, bias: Lowered | None, stride: int, padding: Any,
    output_padding: Any, groups: int, dilation: int,
) -> Lowered:
    """Each frame of the input gives a piece of the output, and the pieces are added where they overlap."""
    x = context.view(input)
    unbatched = x.rank == 2
    x = x.with_one(0) if unbatched else x
    dims = context.shape(node).dims
    dims = (ONE, *dims) if unbatched else dims
    inputs, outputs, kernel = weight.shape[0] // groups, weight.shape[1], weight.shape[2]
    values = _numbers(weight).reshape(groups, inputs, outputs, kernel)
    reach = dilation * (kernel - 1) + 1
    wide = np.zeros((groups, inputs, outputs, reach))
    wide[..., ::dilation] = values
    matrix = wide.transpose(0, 2, 3, 1).reshape(groups, outputs * reach, inputs)
    frames = x.dims[2]
    cut = _one(padding)[0]
    whole_length = (frames - 1) * stride + reach
    longer = max(0, _excess(dims[2] + cut, whole_length))
    whole = context.new((*dims[:2], whole_length + longer))
    for batch in range(_constant(dims[0])):
        pieces = context.new((Extent.of(groups), Extent.of(outputs * reach), frames))
        segment = x.selected(0, Extent.of(batch)).split(0, inputs)
        context.steps.append(Affine(KernelId.AFFINE, [pieces], [segment], weights=[matrix], bias=np.zeros((groups, outputs * reach))))
        three = pieces.split(1, reach)
        for group in range(groups):
            part = three.selected(0, Extent.of(group)).permuted((0, 2, 1))
            target = whole.selected(0, Extent.of(batch)).sliced(0, Extent.of(group * outputs), Extent.of(outputs))
            context.add(KernelId.OVERLAP_ADD, [target], [part], [stride])
    result = whole.sliced(2, Extent.of(cut), dims[2])
    return _with_bias(context, node, result, bias, unbatched)


def _excess(wanted: Extent, there: Extent) -> int:
    more = (wanted - there).constant
    if more is None:
        raise CompileError("a transposed convolution whose length does not follow from its input's")
    return more
