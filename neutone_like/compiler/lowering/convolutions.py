"""Convolutions along time, forwards and transposed, as sums over segments of rows: one for each tap or channel."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from neutone_like.compiler.extent import ONE, ZERO, Extent
from neutone_like.compiler.kernels import Activation, KernelId
from neutone_like.compiler.lowering.context import Context, Joined, Lowered, lowers
from neutone_like.compiler.lowering.products import MOST_COPIES, numbers_of, plus
from neutone_like.compiler.plan import Affine, Weights
from neutone_like.compiler.tensor import Stride, View
from neutone_like.errors import CompileError
from neutone_like.graph import Node


@lowers("conv1d", "convolution", "conv1d.padding")
def _conv1d(
    context: Context,
    node: Node,
    input: Lowered,
    weight: Lowered,
    bias: Lowered | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int = 1,
    transposed: bool = False,
    output_padding: Any = (0,),
) -> Lowered:
    if not isinstance(weight, torch.Tensor):
        raise CompileError("a convolution whose weights are calculated")
    if weight.dim() != 3:
        raise CompileError(f"a convolution over {weight.dim() - 2} dimensions; those over time compile")
    stride, dilation = _one(stride), _one(dilation)
    if transposed:
        return _conv_transpose1d(context, node, input, weight, bias, stride, padding, output_padding, groups, dilation)
    x, dims, unbatched = _batched(context, node, input)
    x = _padded(context, x, padding, dilation * (weight.size(2) - 1))
    out = context.new(dims)
    if groups == weight.size(0) > 1 and weight.size(1) == 1:
        for batch in range(_constant(dims[0])):
            _convolve_channels(context, out, x, batch, weight, (stride, dilation))
        return _with_bias(context, node, out, bias, unbatched)
    if stride > 1 and dilation == 1 and groups == 1:
        _convolve_frames(context, out, x, numbers_of(weight), stride)
        return _with_bias(context, node, out, bias, unbatched)
    taps = _taps(context, x, stride, dilation, weight.size(2), dims[2])
    for batch in range(_constant(dims[0])):
        place = Extent.of(batch)
        _convolve(
            context, out.selected(0, place), [each.selected(0, place) for each in taps], numbers_of(weight), groups
        )
    return _with_bias(context, node, out, bias, unbatched)


def _convolve_frames(context: Context, out: View, x: View, weight: Weights, stride: int) -> None:
    """With a stride: each sample of a frame in a row of its own, so that frames are neighbours along time.

    A kernel of several strides is as many segments of these rows, each a frame further on.
    """
    outputs, inputs, kernel = weight.shape
    length, whole, rest = out.dims[2], kernel // stride, kernel % stride
    for batch in range(_constant(x.dims[0])):
        one = x.selected(0, Extent.of(batch))
        segments: list[View] = []
        weights: list[Weights] = []
        for first, count, places in ((0, rest, whole + 1), (rest, stride - rest, whole)):
            if not count or not places:
                continue
            frames = length + (places - 1)
            part = one.sliced(1, Extent.of(first), frames, stride)
            part = part.with_one(0, one.strides[1]).sliced(0, ZERO, Extent.of(count))
            rows = context.new((Extent.of(count * inputs), frames))
            context.add(KernelId.COPY, [rows.split(0, inputs)], [part])
            for place in range(places):
                at = place * stride + first
                segments.append(rows.sliced(1, Extent.of(place), length).with_one(0))
                weights.append(weight[:, :, at : at + count].transpose(0, 2, 1).reshape(1, outputs, count * inputs))
        target = out.selected(0, Extent.of(batch)).with_one(0)
        bias = np.zeros((1, outputs))
        context.steps.append(Affine(KernelId.AFFINE, [target], segments, weights=weights, bias=bias))


def _with_bias(context: Context, node: Node, out: View, bias: Lowered | None, unbatched: bool) -> View:
    out = out.without(0) if unbatched else out
    if bias is None:
        return out
    column = context.view(bias).with_one(1)
    return plus(context, node, out, column if unbatched else column.with_one(0))


def _convolve_channels(
    context: Context, out: View, x: View, batch: int, weight: torch.Tensor, steps: tuple[int, int]
) -> None:
    """Each channel by itself."""
    place = Extent.of(batch)
    numbers_of(weight)
    matrix = context.constant(weight.detach()[:, 0].contiguous())
    bias = context.constant(torch.zeros(weight.size(0)))
    inputs = [matrix, bias, x.selected(0, place)]
    context.add(KernelId.DEPTHWISE, [out.selected(0, place)], inputs, [*steps, Activation.NONE])


def _one(value: Any) -> int:
    return value[0] if isinstance(value, (list, tuple)) else value


def _batched(context: Context, node: Node, input: Lowered) -> tuple[View, tuple[Extent, ...], bool]:
    """The input as ``[batch, channels, length]``, the result's dimensions alike, and whether there was no batch."""
    x, dims = context.view(input), context.shape(node).dims
    return (x.with_one(0), (ONE, *dims), True) if x.rank == 2 else (x, dims, False)


def _constant(size: Extent) -> int:
    count = size.constant
    if count is None or count > MOST_COPIES:
        raise CompileError(f"a convolution of {size} batches; at most {MOST_COPIES} of constant size")
    return count


def _padded(context: Context, x: View, padding: Any, reach: int) -> View:
    if padding == "valid":
        before = after = 0
    elif padding == "same":
        before, after = reach // 2, reach - reach // 2
    else:
        before = after = _one(padding)
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
            grouped[0].selected(1, Extent.of(i)).with_one(1, columns).sliced(1, ZERO, Extent.of(kernel))
            for i in range(inputs)
        ]
        weights = [weight[:, :, i, :] for i in range(inputs)]
    else:
        views, weights = grouped, [weight[:, :, :, tap] for tap in range(kernel)]
    context.steps.append(Affine(KernelId.AFFINE, [target], views, weights=weights, bias=np.zeros((groups, each))))


def _step(taps: Sequence[View]) -> Stride | None:
    """The distance of neighbouring taps where it is the same for all."""
    if len(taps) < 2 or any(each.tensor is not taps[0].tensor for each in taps):
        return None
    steps = {b.column - a.column for a, b in pairwise(taps)}
    only = steps.pop() if len(steps) == 1 else None
    return None if only is None or only.constant is None else Stride(0, only.constant)


@lowers("conv_transpose1d")
def _transposed(
    context: Context,
    node: Node,
    input: Lowered,
    weight: Lowered,
    bias: Lowered | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Lowered:
    if not isinstance(weight, torch.Tensor):
        raise CompileError("a convolution whose weights are calculated")
    return _conv_transpose1d(
        context, node, input, weight, bias, _one(stride), padding, output_padding, groups, _one(dilation)
    )


def _conv_transpose1d(
    context: Context,
    node: Node,
    input: Lowered,
    weight: torch.Tensor,
    bias: Lowered | None,
    stride: int,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: int,
) -> Lowered:
    """Each frame of the input gives a piece of the output, and the pieces are added where they overlap."""
    x, dims, unbatched = _batched(context, node, input)
    inputs, outputs, kernel = weight.shape[0] // groups, weight.shape[1], weight.shape[2]
    values = numbers_of(weight).reshape(groups, inputs, outputs, kernel)
    reach = dilation * (kernel - 1) + 1
    wide = np.zeros((groups, inputs, outputs, reach))
    wide[..., ::dilation] = values
    matrix = wide.transpose(0, 2, 3, 1).reshape(groups, outputs * reach, inputs)
    frames = x.dims[2]
    cut = _one(padding)
    whole_length = (frames - 1) * stride + reach
    longer = max(0, _excess(dims[2] + cut, whole_length))
    whole = context.new((*dims[:2], whole_length + longer))
    for batch in range(_constant(dims[0])):
        pieces = context.new((Extent.of(groups), Extent.of(outputs * reach), frames))
        segment = x.selected(0, Extent.of(batch)).split(0, inputs)
        context.steps.append(
            Affine(KernelId.AFFINE, [pieces], [segment], weights=[matrix], bias=np.zeros((groups, outputs * reach)))
        )
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
