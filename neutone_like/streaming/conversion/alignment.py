"""Delay, padding and the past of streams: what makes branches meet, and windows see what they would in the whole."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from neutone_like.graph import Value
from neutone_like.streaming.conversion.stream import Stream, shifted
from neutone_like.streaming.conversion.writer import Writer


def gated(writer: Writer, x: Stream, fill: float) -> Stream:
    """``x``, whose samples from before the signal are ``fill``."""
    if x.delay <= 0 or x.lead == fill:
        return x
    value = writer.call("aten::masked_fill.Scalar", x.value, writer.is_before(x), fill)
    return replace(x, value=value, lead=fill)


def padded(writer: Writer, x: Stream, samples: int, fill: float) -> Stream:
    """``x`` with so many more samples before it, all of them ``fill``: what was delay becomes these."""
    x = gated(writer, without_held(writer, x), fill)
    shape = list(x.like.shape)
    shape[x.axis] = max(0, samples - max(0, x.delay))
    more = torch.full(shape, fill, dtype=x.like.dtype)
    return begun(x, samples, torch.cat((more, x.past), x.axis))


def begun(x: Stream, samples: int, history: Tensor) -> Stream:
    """``x``, that begins so many samples earlier."""
    delay = x.delay - samples
    lead = x.lead if delay > 0 else None
    return replace(x, delay=delay, history=history if delay < 0 else None, lead=lead)


def later(x: Stream, samples: int) -> Stream:
    """``x`` without its first samples: they are delay."""
    if samples == 0:
        return x
    delay = x.delay + samples
    history = cut(x.past, x.axis, samples, -x.delay) if delay < 0 and not x.held else None
    return replace(x, delay=delay, history=history, lead=None, held=x.held and delay < 0)


def aligned(writer: Writer, streams: Sequence[Stream]) -> list[Stream]:
    """All of them as late as the latest."""
    latest = max(each.delay for each in streams)
    return [delayed(writer, each, latest - each.delay) for each in streams]


def delayed(writer: Writer, x: Stream, by: int) -> Stream:
    """``x``, later by so many of its samples."""
    if by == 0:
        return x
    joined = joined_to_past(writer, x, by)
    value = writer.call("aten::slice.Tensor", joined, x.axis, 0, writer.samples(x.rate))
    delay = x.delay + by
    history = cut(x.past, x.axis, 0, -delay) if delay < 0 and not x.held else None
    lead = 0.0 if not x.held and (x.delay <= 0 or x.lead == 0.0) else None
    held = x.held and delay < 0
    return replace(x, value=value, delay=delay, history=history, reach=shifted(x.reach, by), lead=lead, held=held)


def held_before(writer: Writer, x: Stream, samples: int) -> Stream:
    """``x`` with its first sample so many times more before it: replicate padding.

    Where ``x`` is late its first sample is not there when the padding begins, so that delay stays delay.
    """
    if samples == 0:
        return x
    if x.delay < 0 and not x.held:
        shape = list(x.past.shape)
        shape[x.axis] = samples
        return begun(x, samples, torch.cat((cut(x.past, x.axis, 0, 1).expand(shape), x.past), x.axis))
    if x.delay <= 0:
        return replace(x, delay=x.delay - samples, lead=None, held=True)
    first, later_on = _first_sample(writer, x), delayed(writer, x, samples)
    value = writer.call("aten::where.self", writer.is_before(later_on), first, later_on.value)
    return replace(later_on, value=value, delay=x.delay, lead=None)


def without_held(writer: Writer, x: Stream) -> Stream:
    """``x``, late enough that all it begins with is in its blocks."""
    return delayed(writer, x, -x.delay) if x.held else x


def _first_sample(writer: Writer, x: Stream) -> Value:
    """The first sample of the whole at all times from its own on, before them 0."""
    shape = list(x.like.shape)
    shape[x.axis] = 1
    before, keep = writer.state(torch.zeros(shape, dtype=x.like.dtype), "first")
    others = writer.call("aten::ne.Scalar", writer.along_time(writer.position(x.rate), x), x.delay)
    alone = writer.call("aten::masked_fill.Scalar", x.value, others, 0)
    summed = writer.call("aten::cumsum.default", alone, x.axis, dtype=x.like.dtype)
    first = writer.call("aten::add.Tensor", summed, before)
    keep(writer.call("aten::slice.Tensor", first, x.axis, -1, 2**63 - 1))
    return first


def joined_to_past(writer: Writer, x: Stream, past: int) -> Value:
    """The ``past`` samples before the block, and the block; those from before the whole are 0."""
    if past == 0:
        return x.value
    shape = list(x.like.shape)
    shape[x.axis] = past
    initial = torch.zeros(shape, dtype=x.like.dtype)
    known = x.past.shape[x.axis]
    count = min(past, known)
    cut(initial, x.axis, past - count, past).copy_(cut(x.past, x.axis, known - count, known))
    before, keep = writer.state(initial, "past")
    if x.held:
        start = writer.call("aten::slice.Tensor", writer.along_time(writer.position(x.rate), x), 0, 0, 1)
        is_start = writer.call("aten::eq.Scalar", start, 0)
        before = writer.call(
            "aten::where.self", is_start, writer.call("aten::slice.Tensor", x.value, x.axis, 0, 1), before
        )
    joined = writer.call("aten::cat.default", [before, x.value], x.axis)
    keep(newest(writer, joined, x, past))
    return joined


def newest(writer: Writer, joined: Value, x: Stream, past: int) -> Value:
    """What of ``joined`` is kept for the next block."""
    start, end = writer.samples(x.rate), writer.samples(x.rate, past)
    return writer.call("aten::slice.Tensor", joined, x.axis, start, end)


def cut(tensor: Tensor, axis: int, start: int, end: int) -> Tensor:
    """``tensor[..., start:end, ...]``."""
    return tensor.narrow(axis, start, end - start)
