"""Up-sampling by whole factors: every sample held, or lines between samples."""

from functools import cache
from typing import Any

import torch

from neutone_like.graph import Value
from neutone_like.streaming.conversion.alignment import cut, joined_to_past, later
from neutone_like.streaming.conversion.calling import Call, call_now
from neutone_like.streaming.conversion.refusing import refuse
from neutone_like.streaming.conversion.rowwise import refuse_whole, rowwise
from neutone_like.streaming.conversion.stream import Known, Stream, Streams, union
from neutone_like.streaming.conversion.windows import Window, slide
from neutone_like.streaming.conversion.writer import Writer


def held(writer: Writer, call: Call) -> Stream | Streams:
    """upsample_nearest and repeat_interleave: every sample so many times, or one of so many."""
    x = _signal(call)
    if call.node.op.startswith("aten::repeat_interleave"):
        if not isinstance(call.given.get("repeats"), int) or call.given["dim"] is None:
            refuse(call.node, "repeats samples by other counts", "Give it one count and a dimension")
        if call.given["dim"] % x.like.dim() != x.axis:
            return rowwise(writer, call)
    every = x.rate / writer.measured[call.node.name][0].rates[call.axis]
    if every.denominator == 1 and every > 1 and call.axis == x.axis:
        return _every(writer, x, int(every))
    factor = _factor(writer, call, x)
    value = writer.call("aten::repeat_interleave.self_int", x, factor, x.axis)
    history = None if x.history is None else x.history.repeat_interleave(factor, x.axis)
    reach = cache(lambda n: x.reach(n // factor))
    return Stream(value, x.axis, x.rate * factor, x.delay * factor, history, x.like, reach, x.lead)


def _every(writer: Writer, x: Stream, step: int) -> Stream:
    """The first of every ``step`` samples, as nearest takes them."""

    def run(do: Any, heard: Any) -> Any:
        return do("aten::slice.Tensor", heard, x.axis, 0, 2**63 - 1, step)

    return slide(writer, x, Window(1, step), x.axis, run)


def lines_between(writer: Writer, call: Call) -> Stream:
    """upsample_linear1d with align_corners=False: the first sample goes on to the left."""
    if call.given["align_corners"]:
        refuse_whole(call)
    x = _signal(call)
    factor = _factor(writer, call, x)
    first = (factor + 1) // 2  # outputs of the first pair that lie before the signal
    places = (torch.arange(factor, dtype=torch.float64) - first + 0.5) / factor + 0.5
    weights = Known(places.to(x.like.dtype), f"{call.node.layer}.weights" if call.node.layer else "weights")
    value = _between(
        writer.call, _previous(writer, x), x.value, weights, [*x.like.shape[:-1], writer.samples(x.rate * factor)]
    )
    history = None
    if x.history is not None:
        before = torch.cat((cut(x.history, x.axis, 0, 1), x.history), x.axis)
        before = cut(before, x.axis, 0, x.history.shape[x.axis])
        history = _between(call_now, before, x.history, weights, [*x.like.shape[:-1], -1])
    reach = cache(lambda n: union(x.reach(n // factor - 1), x.reach(n // factor)))
    y = Stream(value, x.axis, x.rate * factor, x.delay * factor, history, x.like, reach)
    return later(y, first)


def _previous(writer: Writer, x: Stream) -> Value:
    """Each sample's left neighbour; the first one's is itself."""
    before = writer.call("aten::slice.Tensor", joined_to_past(writer, x, 1), x.axis, 0, writer.samples(x.rate))
    is_first = writer.call("aten::eq.Scalar", writer.position(x.rate), x.delay)
    return writer.call("aten::where.self", is_first, x, before)


def _between(do: Any, before: Any, after: Any, weights: Known, shape: list[Any]) -> Any:
    before, after = do("aten::unsqueeze.default", before, -1), do("aten::unsqueeze.default", after, -1)
    return do("aten::reshape.default", do("aten::lerp.Tensor", before, after, weights), shape)


def _signal(call: Call) -> Stream:
    given = call.given
    return given["input"] if "input" in given else given["self"]


def _factor(writer: Writer, call: Call, x: Stream) -> int:
    ratio = writer.measured[call.node.name][0].rates[call.axis] / x.rate
    if ratio.denominator != 1 or call.axis != x.axis:
        refuse(call.node, f"changes the rate by {ratio}", "Only whole factors go; use strided convolutions for others")
    return int(ratio)
