"""Operations that move samples without a change: views, slices, padding, and concatenation along time."""

from dataclasses import replace
from functools import cache
from math import prod
from typing import Any

import torch
from torch import Tensor

from neutone_like.graph import Node, Value, WholeNumber
from neutone_like.streaming.conversion.alignment import begun, cut, delayed, held_before, later, padded
from neutone_like.streaming.conversion.calling import Call
from neutone_like.streaming.conversion.measuring import Measured
from neutone_like.streaming.conversion.refusing import refuse
from neutone_like.streaming.conversion.rowwise import conditions_in, rowwise
from neutone_like.streaming.conversion.stream import Known, Stream, Streams, union
from neutone_like.streaming.conversion.windows import Window, refuse_padding, slide
from neutone_like.streaming.conversion.writer import Writer

PLACES_IN_A_TABLE = (
    "has other numbers for each time since the start, out of a table that ends (learned positions)",
    "Calculate them from torch.arange, or use positions that are relative (rotary ones, streaming.Attention)",
)
"""Why a table with a place for each time can't stream, and what to use."""


def viewing(writer: Writer, call: Call) -> Stream:
    """view, reshape, flatten, unflatten: time stays as it is, is cut into frames, or put together from them."""
    x: Stream = call.given["self"]
    result = writer.measured[call.node.name][0]
    before, after = prod(x.like.shape[: x.axis]), prod(result.shape[: call.axis])
    inner, wanted = prod(x.like.shape[x.axis + 1 :]), prod(result.shape[call.axis + 1 :])
    if before != after or max(inner, wanted) % min(inner, wanted):
        refuse(
            call.node,
            "takes samples of different times for channels",
            "Move time to the last axis before it is reshaped",
        )
    if wanted > inner:
        return _framed(writer, x, result, call.axis, wanted // inner)
    return _unframed(writer, x, result, call.axis, inner // wanted)


def _framed(writer: Writer, x: Stream, result: Measured, axis: int, size: int) -> Stream:
    x = delayed(writer, x, -x.delay % size)
    reach = cache(lambda k: union(x.reach(k * size), x.reach(k * size + size - 1)))
    return _reshaped(writer, x, result, axis, x.rate / size, x.delay // size, reach)


def _unframed(writer: Writer, x: Stream, result: Measured, axis: int, size: int) -> Stream:
    reach = cache(lambda k: x.reach(k // size))
    y = _reshaped(writer, x, result, axis, x.rate * size, x.delay * size, reach)
    return replace(y, lead=x.lead)


def _reshaped(writer: Writer, x: Stream, result: Measured, axis: int, rate: Any, delay: int, reach: Any) -> Stream:
    shape: list[Any] = list(result.shape)
    like = x.like.new_zeros([*shape[:axis], 0, *shape[axis + 1 :]])
    history = None if x.history is None else x.history.reshape([*shape[:axis], -delay, *shape[axis + 1 :]])
    shape[axis] = writer.samples(rate)
    value = writer.call("aten::reshape.default", x, shape)
    return Stream(value, axis, rate, delay, history, like, reach)


def slicing(writer: Writer, call: Call) -> Stream | Streams:
    """``x[..., start:end:step]`` and narrow."""
    x: Stream = call.given["self"]
    if call.given["dim"] % x.like.dim() != x.axis:
        return rowwise(writer, call)
    x, step = later(x, _from_start(writer, call)), call.given["step"]
    if step == 1:
        return x

    def run(do: Any, heard: Any) -> Any:
        return do("aten::slice.Tensor", heard, x.axis, 0, 2**63 - 1, step)

    return slide(writer, x, Window(1, step), call.axis, run)


def narrowing(writer: Writer, call: Call) -> Stream | Streams:
    """Tensor.narrow."""
    x: Stream = call.given["self"]
    if call.given["dim"] % x.like.dim() != x.axis:
        return rowwise(writer, call)
    return later(x, _from_start(writer, call))


def _from_start(writer: Writer, call: Call) -> int:
    """The first sample that is taken, counted from the signal's start."""
    start: int | WholeNumber = call.given["start"] or 0
    source = writer.measured[call.node.args[0].name][0]
    axis = call.given["self"].axis
    first, slope = writer.at_example(start), writer.slope(start)
    if first < 0:
        first, slope = first + source.shape[axis], slope + source.rates[axis]
    if slope:
        refuse(call.node, "takes samples counted from the signal's end", "Count them from its start")
    return max(first, 0)


def padding(writer: Writer, call: Call) -> Stream | Streams:
    """F.pad: zeros before the signal are its start; those behind it come after its end."""
    x: Stream = call.given["self"]
    around, mode, value = list(call.given["pad"]), call.given.get("mode", "constant"), call.given.get("value") or 0.0
    place = 2 * (x.like.dim() - 1 - x.axis)
    if place < len(around):
        left = around[place]
        if not isinstance(left, int):
            refuse(call.node, "pads the signal's start by more for a longer one", "Pad its end by that much")
        if mode not in ("constant", "replicate") and left > 0:  # what comes behind the end is never heard
            refuse_padding(call.node, mode)
        before = held_before(writer, x, left) if mode == "replicate" and left > 0 else None
        x = before or (padded(writer, x, left, value) if left > 0 else later(x, -left))
        around[place : place + 2] = [0, 0]
    if not any(around):
        return x
    if not all(isinstance(each, int) for each in around):
        refuse(call.node, "pads another axis by more for a longer signal", "Pad it by a fixed number")
    rest = [mode, call.given.get("value")]

    def run(do: Any, heard: Any) -> Any:
        return do("aten::pad.default", heard, around, *rest)

    return slide(writer, x, Window(1), call.axis, run)


def concatenation(writer: Writer, call: Call) -> Stream | Streams:
    """torch.cat: channels side by side, or known samples before or after the signal."""
    parts: list[Any] = call.given["tensors"]
    first = next(each for each in parts if isinstance(each, Stream))
    if call.given["dim"] % first.like.dim() != first.axis:
        return rowwise(writer, call)
    if sum(isinstance(each, Stream) for each in parts) > 1:
        refuse(call.node, "puts one signal behind another", "Join them side by side, as channels")
    place = parts.index(first)
    if not place:
        return first  # what comes after the end is never heard
    before = torch.cat([each.tensor for each in parts[:place]], first.axis)
    return _after(writer, call.node, first, before)


def _after(writer: Writer, node: Node, x: Stream, before: Tensor) -> Stream:
    count = before.shape[x.axis]
    if x.delay <= 0:
        return begun(x, count, torch.cat((before, x.past), x.axis))
    if before.numel() and not bool((before == before.flatten()[0]).all()):
        refuse(node, "begins with samples of several values, where layers before it delay", "Use F.pad with one value")
    return padded(writer, x, count, float(before.flatten()[0]) if before.numel() else 0.0)


def stretched(writer: Writer, call: Call) -> Stream:
    """expand, repeat and what makes tensors as long as the signal."""
    x: Any = call.given.get("self")
    if isinstance(x, Stream) and "new_" not in call.node.op:
        return _stretched_stream(writer, call.node, x, call.axis)
    return source(writer, call)


def _stretched_stream(writer: Writer, node: Node, x: Stream, axis: int) -> Stream:
    result = writer.measured[node.name][0]
    if x.from_right != axis - len(result.shape) or result.rates[axis] != x.rate:
        refuse(node, "repeats the signal", "Join copies as channels")
    counts = [1] * (len(result.shape) - x.like.dim()) + list(x.like.shape)
    counts = [
        1 if index == axis else after // max(before, 1)
        for index, (before, after) in enumerate(zip(counts, result.shape, strict=True))
    ]

    def run(do: Any, heard: Any) -> Any:
        return do("aten::repeat.default", heard, counts)

    return slide(writer, x, Window(1), axis, run)


def source(writer: Writer, call: Call) -> Stream:
    """zeros, ones, full, new_zeros..., expand of a constant: the same at all times."""
    measured = writer.measured[call.node.name][0]
    one = cut(measured.example, call.axis, 0, 1)
    given = conditions_in([call.args, call.kwargs])
    if not torch.equal(one.expand_as(measured.example), measured.example):
        if any(isinstance(each, Known) for each in call.args):
            refuse(call.node, *PLACES_IN_A_TABLE)
        refuse(
            call.node,
            "makes other values for each time, which are not counted from the signal's start",
            "Use torch.arange",
        )
    shape: list[Any] = [-1] * one.dim()
    shape[call.axis] = writer.samples(measured.rates[call.axis])
    if given and (len(given) > 1 or given[0].tensor.numel() != one.numel()):
        refuse(call.node, "makes a signal of a condition", "Bring it to the signal's time with expand or repeat")
    held = writer.call("aten::reshape.default", given[0], list(one.shape)) if given else None
    constant = Known(one.clone(), f"{call.node.name}_value", held)
    value: Value = writer.call("aten::expand.default", constant, shape)
    return Stream(value, call.axis, measured.rates[call.axis], 0, None, cut(one, call.axis, 0, 0), lambda _: None)


def counting(writer: Writer, call: Call) -> Stream:
    """arange: the time itself."""
    measured = writer.measured[call.node.name][0]
    rate, example = measured.rates[call.axis], measured.example
    step = example[1] - example[0] if example.numel() > 1 else torch.ones_like(example[0])
    expected = torch.arange(example.numel()) * step + example[0]
    if not torch.allclose(expected.double(), example.double()):
        refuse(call.node, "counts otherwise for a longer signal", "Use torch.arange(samples)")
    value = writer.position(rate)
    value = writer.call("aten::mul.Scalar", value, step.item()) if step.item() != 1 else value
    value = writer.call("aten::add.Scalar", value, example[0].item()) if example[0].item() != 0 else value
    value = writer.call("aten::to.dtype", value, example.dtype)
    return Stream(value, call.axis, rate, 0, None, cut(example, call.axis, 0, 0), lambda _: None)
