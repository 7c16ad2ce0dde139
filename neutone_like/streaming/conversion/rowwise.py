"""Operations that treat every time on its own, and the refusal of those that would join all of them."""

from collections.abc import Sequence
from functools import cache
from typing import Any, NoReturn

import torch
from torch import Tensor

from neutone_like.graph import Value, map_values
from neutone_like.streaming.conversion.alignment import aligned, cut, delayed
from neutone_like.streaming.conversion.calling import Call, call_now
from neutone_like.streaming.conversion.refusing import refuse, refuse_random
from neutone_like.streaming.conversion.stream import Known, Square, Stream, Streams, union
from neutone_like.streaming.conversion.writer import Writer


def rowwise(writer: Writer, call: Call) -> Stream | Streams:
    """The operation as it is, on streams that are equally late."""
    found = streams_in([call.args, call.kwargs])
    if len({each.rate for each in found}) > 1:
        refuse(call.node, "joins signals of different rates", "Bring them to one rate first")
    ready = aligned(writer, found)
    held = all(each.held for each in ready)
    if not held and any(each.held for each in ready):
        ready = [delayed(writer, each, -each.delay) for each in ready]
    args, kwargs = put(call.args, found, ready), put(call.kwargs, found, ready)
    value = writer.call(call.node.op, *args, **kwargs)
    delay, rate = ready[0].delay, ready[0].rate
    history = _of_tensors(call, found, [each.past for each in ready]) if delay < 0 and not held else None
    ones = _of_tensors(call, found, [_one(each) for each in ready])
    reach = cache(lambda k: union(*(each.reach(k) for each in ready)))

    def stream(own: Value, axis: int, before: Any, one: Tensor) -> Stream:
        return Stream(own, axis, rate, delay, before, cut(one, axis, 0, 0), reach, held=held)

    if isinstance(ones, Tensor):
        return stream(value, call.axis, history, ones)
    return Streams(
        value,
        [
            None if axis is None else stream(value, axis, None if history is None else history[index], ones[index])
            for index, axis in enumerate(call.axes)
        ],
    )


def streams_in(arguments: Any) -> list[Stream]:
    """Every stream in arguments, each once."""
    found: list[Stream] = []

    def look(argument: Any) -> None:
        if isinstance(argument, Stream) and not any(argument is each for each in found):
            found.append(argument)

    map_values(arguments, look)
    return found


def conditions_in(arguments: Any) -> list[Known]:
    """What comes with every block among the arguments, and has no time."""
    found: list[Known] = []

    def look(argument: Any) -> None:
        if isinstance(argument, Known) and argument.value is not None:
            found.append(argument)

    map_values(arguments, look)
    return found


def put(arguments: Any, old: Sequence[Stream], new: Sequence[Any]) -> Any:
    """Arguments, with other things in the place of streams."""

    def swapped(argument: Any) -> Any:
        if not isinstance(argument, Stream):
            return argument
        return next(b for a, b in zip(old, new, strict=True) if a is argument)

    return map_values(arguments, swapped)


def _of_tensors(call: Call, streams: Sequence[Stream], tensors: Sequence[Tensor]) -> Any:
    return call_now(call.node.op, *put(call.args, streams, tensors), **put(call.kwargs, streams, tensors))


def _one(x: Stream) -> Tensor:
    """A sample of silence, to see what an operation makes of its shape."""
    shape = list(x.like.shape)
    shape[x.axis] = 1
    return x.like.new_zeros(shape)


def over_dims(writer: Writer, call: Call) -> Stream | Streams:
    """Operations over some axes, which time must not be one of."""
    x = streams_in([call.args, call.kwargs])[0]
    given = call.given
    dims = given.get("dim", given.get("dims", given.get("dimension")))
    axes = range(x.like.dim()) if dims is None or dims == [] else [dims] if isinstance(dims, int) else dims
    if x.axis in [each % max(1, x.like.dim()) for each in axes]:
        refuse_whole(call)
    return rowwise(writer, call)


def chosen(writer: Writer, call: Call) -> Stream | Streams:
    """Indexing with tensors, which must not say which times."""
    x, indices = call.given["self"], call.given["indices"]
    if any(each.like.dtype == torch.bool for each in streams_in(indices)):
        refuse(
            call.node,
            "gives as many samples as a mask says, which is made of the signal",
            "Multiply with the mask, or choose with torch.where",
        )
    if isinstance(x, Stream) and len(indices) > x.axis and isinstance(indices[x.axis], Stream):
        refuse(call.node, "takes samples at times that are calculated", "Use slices, or streaming.FractionalDelay")
    return rowwise(writer, call)


def random_in_training(writer: Writer, call: Call) -> Stream | Streams:
    """dropout and its kin, which do nothing, or what is fixed, in evaluation."""
    if call.given.get("train") or call.given.get("training"):
        refuse_random(call.node)
    return rowwise(writer, call)


def refuse_whole(call: Call) -> NoReturn:
    """Raise for an operation that needs all of the signal before it gives anything."""
    name = call.node.op.removeprefix("aten::").partition(".")[0]
    reason, instead = _OVER_ALL_TIME.get(name, _OTHERS)
    refuse(call.node, reason, instead)


_OTHERS = (
    "joins all of time into one result",
    "Work on each time alone, on a window of fixed length (convolution, pooling), or on the past (cumsum, RNNs)",
)
_STATISTICS = (
    "takes its statistics over all of time",
    "Train with a norm over channels (LayerNorm, streaming.ChannelNorm), with BatchNorm, or with a cumulative one "
    "(streaming.CumulativeLayerNorm)",
)
_POOLED = (
    "pools over all of time",
    "Use pooling with a kernel of fixed length (streaming.Pool1d); where it belongs to a norm, one over channels "
    "(streaming.ChannelNorm), or a cumulative one (streaming.CumulativeLayerNorm)",
)
_OVER_ALL_TIME: dict[str, tuple[str, str]] = {
    "mean": _POOLED,
    "sum": _POOLED,
    "amax": _POOLED,
    "max": _POOLED,
    "min": _POOLED,
    "adaptive_avg_pool1d": _POOLED,
    "adaptive_max_pool1d": _POOLED,
    "std": _STATISTICS,
    "var": _STATISTICS,
    "var_mean": _STATISTICS,
    "std_mean": _STATISTICS,
    "group_norm": _STATISTICS,
    "instance_norm": _STATISTICS,
    "layer_norm": _STATISTICS,
    "rms_norm": _STATISTICS,
    "batch_norm": _STATISTICS,
    "softmax": ("weighs all of time", "Use streaming.Attention, or attention with is_causal=True"),
    "flip": ("begins at the signal's end", "Leave it out: a stream has no end"),
    "roll": ("brings the signal's end to its start", "Use F.pad and slices"),
    "slice": ("takes a part of the signal of fixed length", "Take all of it, and slice its start away alone"),
    "narrow": ("takes a part of the signal of fixed length", "Take all of it, and slice its start away alone"),
    "select": ("takes one sample of the signal", "Take all of it"),
    "upsample_linear1d": (
        "has align_corners=True, which depends on the signal's length",
        "Use align_corners=False, mode='nearest', or a transposed convolution",
    ),
}


def normalised_shape(writer: Writer, call: Call) -> Stream | Streams:
    """layer_norm and rms_norm, over the last axes."""
    x = streams_in([call.args])[0]
    if x.axis >= x.like.dim() - len(call.given["normalized_shape"]):
        refuse_whole(call)
    return rowwise(writer, call)


def over_channels(writer: Writer, call: Call) -> Stream | Streams:
    """batch_norm in evaluation and prelu: by the second axis."""
    x = streams_in([call.args])[0]
    if x.axis == 1 or call.given.get("training"):
        refuse_whole(call)
    return rowwise(writer, call)


def over_batch_items(writer: Writer, call: Call) -> Stream | Streams:
    """group_norm and its kin, which are legal where time is the batch."""
    if streams_in([call.args])[0].axis != 0:
        refuse_whole(call)
    return rowwise(writer, call)


def product(writer: Writer, call: Call) -> Any:
    """matmul and its kin: over channels, with time beside them."""
    a, b = call.args[-2:]
    if isinstance(a, Stream) and a.from_right == -1:
        refuse(call.node, "sums over all of time", _OTHERS[1])
    if isinstance(b, Stream) and b.from_right == (-2 if b.like.dim() > 1 else -1):
        refuse(call.node, "sums over all of time", _OTHERS[1])
    if isinstance(a, Square) or isinstance(b, Square):
        refuse_pairs(call)
    return rowwise(writer, call)


def refuse_pairs(call: Call) -> NoReturn:
    """Raise for something that has a value for every two times."""
    refuse(
        call.node,
        "compares all times with all others",
        "Use F.scaled_dot_product_attention with is_causal=True, or streaming.Attention",
    )


def linear(writer: Writer, call: Call) -> Stream | Streams:
    """Over the last axis."""
    if not isinstance(call.given["input"], Stream) or call.given["input"].from_right == -1:
        refuse(call.node, "mixes all of time", "Use a convolution, or transpose so that channels come last")
    return rowwise(writer, call)


def einsum(writer: Writer, call: Call) -> Stream | Streams:
    """Sums that keep time."""
    given, (left, _, right) = call.given, call.given["equation"].replace(" ", "").partition("->")
    if not right:
        refuse(call.node, "does not say which axes are left", "Write the equation out, with '->'")
    terms = zip(left.split(","), given["tensors"], strict=True)
    letters = {_letters(term, each.like.dim())[each.axis] for term, each in terms if isinstance(each, Stream)}
    if len(letters) != 1 or not letters <= set(_letters(right, len(writer.measured[call.node.name][0].shape))):
        refuse(call.node, "sums over all of time, or compares all times with all others", _OTHERS[1])
    return rowwise(writer, call)


def _letters(term: str, axes: int) -> list[str]:
    """What each axis is called; those that "..." stands for are counted from the right, as they broadcast."""
    before, _, after = term.partition("...")
    others = axes - len(before) - len(after)
    return [*before, *(f"...{place}" for place in range(others, 0, -1)), *after]
