"""Windows that move over a signal: convolution, pooling, framing, spectra, and every n-th sample."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NoReturn

from torch import Tensor

from neutone_like.graph import Node
from neutone_like.streaming.conversion.alignment import cut, held_before, joined_to_past, padded, without_held
from neutone_like.streaming.conversion.calling import Call, call_now
from neutone_like.streaming.conversion.refusing import refuse
from neutone_like.streaming.conversion.stream import Known, Stream, union
from neutone_like.streaming.conversion.writer import Writer

Run = Callable[[Callable[..., Any], Any], Any]
"""Given how to call an operation, and what is heard: a value or a tensor, it calls the operation without padding."""


@dataclass(frozen=True)
class Window:
    """What an operation hears of time for each of its results.

    Attributes:
        span: Samples from the first to the last.
        stride: By how many samples the next one begins later.
        padding: Samples before the signal.
        fill: What these are.
    """

    span: int
    stride: int = 1
    padding: int = 0
    fill: float = 0.0


def slide(writer: Writer, x: Stream, window: Window, axis: int, run: Run) -> Stream:
    """The stream of what ``run`` gives for each window; time is its result's ``axis``."""
    x = padded(writer, x, window.padding, window.fill) if window.padding else x
    span, stride = window.span, window.stride
    # Result j of the stream needs input up to (j + 1) * stride - 1 at most, so much is there.
    delay = -((stride - span - x.delay) // stride)
    if x.held and delay < 0 and stride > 1:  # what is next to what is held hears other samples too
        return slide(writer, without_held(writer, x), replace(window, padding=0), axis, run)
    past = delay * stride - x.delay
    heard = joined_to_past(writer, x, max(past, 0))
    if past != span - stride or past < 0:  # what is heard is longer than it is to be, or begins too early
        start = max(0, -past)
        end = writer.samples(x.rate, span - stride + start)
        heard = writer.call("aten::slice.Tensor", heard, x.axis, start, end)
    value = run(writer.call, heard)
    silence = list(x.like.shape)
    silence[x.axis] = span
    like = cut(run(call_now, x.like.new_zeros(silence)), axis, 0, 0)
    history = None
    if delay < 0 and not x.held:
        history = run(call_now, cut(x.past, x.axis, 0, (-delay - 1) * stride + span))
    reach = cache(lambda k: union(x.reach(k * stride - past), x.reach(k * stride - past + span - 1)))
    return Stream(value, axis, x.rate / stride, delay, history, like, reach, held=x.held and delay < 0)


def differences(writer: Writer, call: Call) -> Stream:
    """torch.diff over time; over another axis its window is one sample long."""
    x, order, axis = call.given["self"], call.given["n"], call.given["dim"]
    if call.given["prepend"] is not None or call.given["append"] is not None:
        refuse(call.node, "puts samples before the signal or behind it", "Pad with zeros (F.pad) before torch.diff")
    over_time = axis % x.like.dim() == x.axis

    def run(do: Callable[..., Any], heard: Any) -> Any:
        return do("aten::diff.default", heard, order, axis)

    return slide(writer, x, Window(order + 1 if over_time else 1), call.axis, run)


def convolution(writer: Writer, call: Call) -> Stream:
    """conv1d, conv2d and conv3d, whichever of their axes time is."""
    x, weight = call.given["input"], call.given["weight"]
    require_known(call.node, weight)
    dims = x.like.dim() - 2
    place = time_place(call.node, x)
    strides, dilations = spread(call.given["stride"], dims), spread(call.given["dilation"], dims)
    span = dilations[place] * (weight.tensor.shape[2 + place] - 1) + 1
    zeros = _zeros_around(call.given["padding"], weight.tensor, dilations)
    require_covered(call.node, weight.tensor.shape[2 + place], strides[place])
    before = zeros[place][0]
    if any(left != right for index, (left, right) in enumerate(zeros) if index != place):
        refuse(call.node, "pads an axis other than time by more on one side", "Give its padding as numbers")
    rest = [0 if index == place else left for index, (left, _) in enumerate(zeros)]

    def run(do: Callable[..., Any], heard: Any) -> Any:
        op = f"aten::conv{dims}d.default"
        return do(op, heard, weight, call.given["bias"], strides, rest, dilations, call.given["groups"])

    return slide(writer, x, Window(span, strides[place], before), call.axis, run)


def _zeros_around(padding: Any, weight: Tensor, dilations: Sequence[int]) -> list[tuple[int, int]]:
    dims = len(dilations)
    if padding == "valid":
        return [(0, 0)] * dims
    if padding == "same":
        totals = [dilation * (size - 1) for dilation, size in zip(dilations, weight.shape[2:], strict=True)]
        return [(total // 2, total - total // 2) for total in totals]
    return [(each, each) for each in spread(padding, dims)]


def pooling(writer: Writer, call: Call) -> Stream:
    """avg_pool1d, max_pool1d and their kin in two dimensions."""
    x = call.given["self"]
    name = call.node.op.removeprefix("aten::").partition(".")[0]
    dims = int(name[-2])
    place = x.axis - (x.like.dim() - dims)
    kernel = spread(call.given["kernel_size"], dims)
    strides, padding = spread(call.given["stride"] or kernel, dims), spread(call.given["padding"], dims)
    dilations = spread(call.given.get("dilation", [1]), dims)
    if place < 0:
        refuse(call.node, "pools over another axis while time is among the channels", "Put time last")
    require_covered(call.node, kernel[place], strides[place])
    mean = name.startswith("avg")
    if call.given["ceil_mode"]:
        refuse(call.node, "has ceil_mode=True, and so ends with a window that is not whole", "Use ceil_mode=False")
    if mean and padding[place] and not call.given["count_include_pad"]:
        refuse(call.node, "weighs its ends otherwise (count_include_pad=False)", "Use count_include_pad=True")
    rest = [0 if index == place else each for index, each in enumerate(padding)]
    more = [False, call.given["count_include_pad"]] if mean else [dilations, False]

    def run(do: Callable[..., Any], heard: Any) -> Any:
        return do(call.node.op, heard, kernel, strides, rest, *more)

    fill = 0.0 if mean else float("-inf")
    span = dilations[place] * (kernel[place] - 1) + 1
    return slide(writer, x, Window(span, strides[place], padding[place], fill), call.axis, run)


def framing(writer: Writer, call: Call) -> Stream:
    """Tensor.unfold: frames along one axis, their samples along a new last one."""
    x, size, step = call.given["self"], call.given["size"], call.given["step"]
    dimension = call.given["dimension"] % x.like.dim()
    if dimension != x.axis:
        refuse(call.node, "makes frames of another axis than time", "Use slices there")
    require_covered(call.node, size, step)
    return slide(
        writer, x, Window(size, step), call.axis, lambda do, heard: do(call.node.op, heard, dimension, size, step)
    )


def columns(writer: Writer, call: Call) -> Stream:
    """torch.nn.functional.unfold of frames along one line: a column for each."""
    x, given = call.given["self"], call.given
    kernel, stride, dilation, padding = (given[name] for name in ("kernel_size", "stride", "dilation", "padding"))
    way = x.axis - (x.like.dim() - 2)
    if way < 0 or x.like.shape[x.like.dim() - 1 - way] != 1 or kernel[1 - way] != 1 or padding[1 - way]:
        refuse(call.node, "takes patches of an image", "Only frames along one line are converted: kernel_size=(1, n)")
    require_covered(call.node, kernel[way], stride[way])
    span = dilation[way] * (kernel[way] - 1) + 1

    def run(do: Callable[..., Any], heard: Any) -> Any:
        return do(call.node.op, heard, kernel, dilation, [0, 0], stride)

    return slide(writer, x, Window(span, stride[way], padding[way]), call.axis, run)


def spectra(writer: Writer, call: Call) -> Stream:
    """torch.stft without centre, or with zeros around the signal."""
    x, size = call.given["self"], call.given["n_fft"]
    hop = call.given["hop_length"] or size // 4
    if call.given.get("align_to_window"):
        refuse(call.node, "has align_to_window=True", "Leave it out")
    centre = bool(call.given.get("center"))
    mode = call.given["pad_mode"] if centre else "constant"
    if mode not in ("constant", "replicate"):
        refuse_padding(call.node, mode)
    require_covered(call.node, size, hop)
    if mode == "replicate":
        x = held_before(writer, x, size // 2)

    def run(do: Callable[..., Any], heard: Any) -> Any:
        rest = (call.given["normalized"], call.given["onesided"], call.given["return_complex"])
        return do("aten::stft.default", heard, size, hop, call.given["win_length"], call.given["window"], *rest)

    return slide(writer, x, Window(size, hop, size // 2 if centre and mode == "constant" else 0), call.axis, run)


def refuse_padding(node: Node, mode: str) -> NoReturn:
    """Raise for padding with what a stream does not have yet."""
    refuse(
        node,
        f"pads with {mode!r} samples from within the signal or from its other end",
        "Pad with zeros (mode='constant', padding_mode='zeros', stft with center=False) or with the first sample "
        "(mode='replicate'), on the left alone where no delay is wanted, and train with that",
    )


def time_place(node: Node, x: Stream) -> int:
    """Which of a convolution's axes time is."""
    if x.axis < 2:
        refuse(node, "convolves over another axis while time is among batch or channels", "Put time last")
    return x.axis - 2


def require_known(node: Node, weight: Any) -> None:
    """Raise where a weight depends on the signal."""
    if not isinstance(weight, Known):
        refuse(node, "has a weight that depends on the signal", "Only fixed weights are converted")


def require_covered(node: Node, kernel: int, stride: int) -> None:
    """Raise where windows jump further than they are long."""
    if kernel < stride:
        refuse(
            node,
            f"has kernel_size={kernel} below stride={stride}, and so leaves samples out",
            "Use a longer kernel, or a smaller stride",
        )


def spread(values: Any, dims: int) -> list[int]:
    """One number for each dimension."""
    listed = [values] if isinstance(values, int) else list(values)
    return listed * dims if len(listed) == 1 else listed
