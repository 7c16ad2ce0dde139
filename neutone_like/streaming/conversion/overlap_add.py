"""What gives more than one sample for each: transposed convolution, fold, and inverse spectra."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import torch

from neutone_like.graph import Node, Value, WholeNumber
from neutone_like.streaming.conversion.alignment import aligned, cut, gated, later
from neutone_like.streaming.conversion.calling import Call, call_now
from neutone_like.streaming.conversion.refusing import refuse
from neutone_like.streaming.conversion.stream import Interval, Known, Stream, union
from neutone_like.streaming.conversion.windows import convolution, require_covered, require_known, spread, time_place
from neutone_like.streaming.conversion.writer import Writer

_SMALLEST_COVER = 1e-11  # as torch.istft has it

Add = Callable[[Callable[..., Any], Any, Any], Any]
"""Given how to call an operation, what is heard and its length, it gives all that these add up to."""


def add_up(writer: Writer, x: Stream, taps: tuple[int, int], stride: int, axis: int, run: Add) -> Stream:
    """Pieces of sound, one for each sample and ``stride`` apart, added; ``taps``: how many samples, how far apart."""
    x = gated(writer, x, 0.0)
    count, dilation = taps
    tail_samples = dilation * (count - 1) + 1 - stride
    one = list(x.like.shape)
    one[x.axis] = 1
    like = cut(run(call_now, x.like.new_zeros(one), 1), axis, 0, 0)
    known = x.past.shape[x.axis]
    shape = list(like.shape)
    shape[axis] = tail_samples
    before, tail = None, torch.zeros(shape, dtype=like.dtype)
    if known:
        before = run(call_now, x.past, known)
        tail = cut(before, axis, known * stride, before.shape[axis])
        before = cut(before, axis, 0, known * stride)
    rate = x.rate * stride
    added = run(writer.call, x.value, writer.samples(x.rate))
    value = _with_tail(writer, added, tail, axis, rate)
    reach = cache(lambda n: _pieces(x, n, count, dilation, stride))
    return Stream(value, axis, rate, x.delay * stride, before, like, reach)


def _with_tail(writer: Writer, added: Any, tail: torch.Tensor, axis: int, rate: Any) -> Value:
    """``added`` and what the last block left over; what is left over of this one is kept."""
    samples, tail_samples = writer.samples(rate), tail.shape[axis]
    if tail_samples == 0:
        return added
    left, keep = writer.state(tail, "tail")
    behind = [0, 0] * (tail.dim() - 1 - axis)
    whole = writer.call(
        "aten::add.Tensor", added, writer.call("aten::constant_pad_nd.default", left, [*behind, 0, samples])
    )
    keep(writer.call("aten::slice.Tensor", whole, axis, samples, writer.samples(rate, tail_samples)))
    return writer.call("aten::slice.Tensor", whole, axis, 0, samples)


def _pieces(x: Stream, n: int, count: int, dilation: int, stride: int) -> Interval:
    lags = [tap * dilation for tap in range(count)]
    heard = [(n - lag) // stride for lag in lags if (n - lag) % stride == 0]
    return union(x.reach(min(heard)), x.reach(max(heard))) if heard else None


def transposed_convolution(writer: Writer, call: Call) -> Stream:
    """conv_transpose1d and its kin, whichever of their axes time is."""
    x, weight, bias = call.given["input"], call.given["weight"], call.given["bias"]
    require_known(call.node, weight)
    dims, place = x.like.dim() - 2, time_place(call.node, x)
    strides, dilations = spread(call.given["stride"], dims), spread(call.given["dilation"], dims)
    padding, more = spread(call.given["padding"], dims), spread(call.given["output_padding"], dims)
    count = weight.tensor.shape[2 + place]
    require_covered(call.node, count, strides[place])
    rest, extra = ([0 if index == place else each for index, each in enumerate(v)] for v in (padding, more))

    def run(do: Callable[..., Any], heard: Any, _: Any) -> Any:
        op = f"aten::conv_transpose{dims}d." + ("default" if dims == 1 else "input")
        return do(op, heard, weight, None, strides, rest, extra, call.given["groups"], dilations)

    y = add_up(writer, x, (count, dilations[place]), strides[place], call.axis, run)
    if bias is not None:
        require_known(call.node, bias)
        column = replace(bias, tensor=bias.tensor.view(-1, *[1] * dims), name=f"{bias.name}_column")
        history = None if y.history is None else y.history + column.tensor
        y = replace(y, value=writer.call("aten::add.Tensor", y, column), history=history)
    return later(y, padding[place])


def folding(writer: Writer, call: Call) -> Stream:
    """torch.nn.functional.fold of frames along one line."""
    x = call.given["self"]
    kernel, stride = call.given["kernel_size"], call.given["stride"]
    line = call.given["output_size"]
    flat = next((k for k in (0, 1) if kernel[k] == 1 and line[k] == 1 and call.given["padding"][k] == 0), None)
    if flat is None or x.axis != x.like.dim() - 1:
        refuse(call.node, "adds up patches of an image", "Only frames along one line are converted: output_size=(1, n)")
    way = 1 - flat
    require_covered(call.node, kernel[way], stride[way])
    padding = list(call.given["padding"])
    start, padding[way] = padding[way], 0
    span = call.given["dilation"][way] * (kernel[way] - 1) + 1

    def run(do: Callable[..., Any], heard: Any, count: int | WholeNumber) -> Any:
        size: list[Any] = [1, 1]
        size[way] = _added_samples(writer, x, count, stride[way], span)
        return do(call.node.op, heard, size, kernel, call.given["dilation"], padding, stride)

    y = add_up(writer, x, (kernel[way], call.given["dilation"][way]), stride[way], call.axis, run)
    return later(y, start)


def _added_samples(writer: Writer, x: Stream, count: int | WholeNumber, stride: int, span: int) -> int | WholeNumber:
    if isinstance(count, int):
        return (count - 1) * stride + span
    return writer.samples(x.rate * stride, span - stride)


def inverse_spectra(writer: Writer, call: Call) -> Stream:
    """torch.istft: frames added up, over the sum of their squared windows, the first frames' too."""
    x, size = call.given["self"], call.given["n_fft"]
    hop = call.given["hop_length"] or size // 4
    onesided = call.given["onesided"] is not False
    if x.axis != x.like.dim() - 1 or call.given["return_complex"] or not onesided:
        refuse(
            call.node,
            "gives complex sound, or has frames on another axis than the last",
            "Give it real sound's spectra",
        )
    require_covered(call.node, size, hop)
    window = _whole_window(call.node, call.given, size)
    norm = "ortho" if call.given["normalized"] else "backward"
    frames = _windowed(writer, x, window, norm)

    def added(do: Callable[..., Any], heard: Any, count: int | WholeNumber) -> Any:
        length = _added_samples(writer, x, count, hop, size)
        return do("aten::col2im.default", heard, [1, length], [1, size], [1, 1], [0, 0], [1, hop])

    batched = x.like.dim() == 3
    sound = add_up(writer, frames, (size, 1), hop, frames.like.dim(), added)
    cover = add_up(writer, _windows(writer, x, window), (size, 1), hop, 3, added)
    sound, cover = aligned(writer, [sound, cover])
    rows = [-1] if batched else []
    value = _divided(writer.call, sound, cover, [*rows, writer.samples(sound.rate)])
    history = None
    if sound.history is not None:
        history = _divided(call_now, sound.history, cover.history, [*rows, sound.history.shape[-1]])
    like = torch.zeros(*x.like.shape[:-2], 0)
    y = Stream(value, like.dim() - 1, sound.rate, sound.delay, history, like, sound.reach)
    return later(y, size // 2 if call.given["center"] else 0)


def _whole_window(node: Node, given: dict[str, Any], size: int) -> torch.Tensor:
    length = given["win_length"] or size
    if given["window"] is None:
        window = torch.ones(length)
    else:
        require_known(node, given["window"])
        window = given["window"].tensor
    before = (size - length) // 2
    return torch.nn.functional.pad(window, [before, size - length - before])


def _windowed(writer: Writer, x: Stream, window: torch.Tensor, norm: str) -> Stream:
    """Frames of sound, of ``x``'s spectra: ``[batch, size, frames]``."""
    column = Known(window.view(-1, 1), "window_column")

    def run(do: Callable[..., Any], spectra: Any) -> Any:
        return do("aten::mul.Tensor", do("aten::fft_irfft.default", spectra, window.numel(), -2, norm), column)

    history = None if x.history is None else run(call_now, x.history)
    one = torch.zeros(*x.like.shape[:-1], 1, dtype=x.like.dtype)
    like = cut(run(call_now, one), x.axis, 0, 0)
    return replace(x, value=run(writer.call, x.value), history=history, like=like, lead=None)


def _windows(writer: Writer, x: Stream, window: torch.Tensor) -> Stream:
    """The squared window, for every frame that there is."""
    squared = Known(window.square().view(1, -1, 1), "squared_window")
    value = writer.call("aten::expand.default", squared, [1, -1, writer.samples(x.rate)])
    history = None if x.history is None else squared.tensor.expand(1, -1, x.history.shape[x.axis])
    return Stream(value, 2, x.rate, x.delay, history, torch.zeros(1, window.numel(), 0), lambda _: None)


def _divided(do: Callable[..., Any], sound: Any, cover: Any, shape: list[Any]) -> Any:
    covered = do("aten::clamp_min.default", cover, _SMALLEST_COVER)
    return do("aten::reshape.default", do("aten::div.Tensor", sound, covered), shape)


def either_convolution(writer: Writer, call: Call) -> Stream:
    """What PyTorch makes of every convolution before it plays it, as torch.vmap shows it."""
    return transposed_convolution(writer, call) if call.given["transposed"] else convolution(writer, call)
