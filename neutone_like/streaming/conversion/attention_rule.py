"""Attention: keys and values of a window of the past are kept."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from torch import Tensor

from neutone_like.graph import Value
from neutone_like.streaming.conversion.alignment import aligned, gated, joined_to_past
from neutone_like.streaming.conversion.calling import Call, call_now
from neutone_like.streaming.conversion.refusing import refuse
from neutone_like.streaming.conversion.rowwise import refuse_pairs
from neutone_like.streaming.conversion.stream import Square, Stream, union
from neutone_like.streaming.conversion.writer import Writer


def attention(writer: Writer, call: Call) -> Stream:
    """scaled_dot_product_attention, causal: by ``is_causal`` or by a mask that is."""
    given = call.given
    three = [given[name] for name in ("query", "key", "value")]
    if not all(isinstance(each, Stream) and each.from_right == -2 for each in three):
        refuse(
            call.node, "attends to something that is no signal, or over another axis than time", "Attend to the past"
        )
    window = _window(writer, call)
    queries, keys, values = aligned(writer, three)
    keys, values = gated(writer, keys, 0.0), gated(writer, values, 0.0)
    mask = _mask(writer, queries, window)
    options = {"scale": given["scale"], "enable_gqa": given["enable_gqa"]}

    def run(do: Callable[..., Any], asked: Any, seen: Any, known: Any, visible: Any) -> Any:
        return do(call.node.op, asked, seen, known, visible, 0.0, False, **options)

    seen, known = (joined_to_past(writer, each, window - 1) for each in (keys, values))
    value = run(writer.call, queries, seen, known, mask)
    history = None
    if queries.history is not None:
        visible = _band(queries.history.shape[-2], window)
        history = run(call_now, queries.history, keys.history, values.history, visible)
    shape = [*queries.like.shape[:-1], values.like.shape[-1]]
    reach = cache(lambda k: union(*(each.reach(n) for each in (queries, keys, values) for n in (k - window + 1, k))))
    return replace(queries, value=value, history=history, like=queries.like.new_zeros(shape), reach=reach, lead=None)


def _window(writer: Writer, call: Call) -> int:
    """How many times one sees, itself included."""
    mask = call.given["attn_mask"]
    if mask is None and call.given["is_causal"]:
        return _users_window(writer, call)
    if not isinstance(mask, Square):
        refuse_pairs(call)
    visible = mask.tensor if mask.tensor.dtype == torch.bool else mask.tensor == 0.0
    only_hides = mask.tensor.dtype == torch.bool or bool((visible | (mask.tensor == -torch.inf)).all())
    while visible.dim() > 2:
        visible = visible[0]
    window = int(visible[-1].sum())
    if not only_hides or not torch.equal(visible, _band(len(visible), window)):
        refuse_pairs(call)
    return window if window < len(visible) else _users_window(writer, call)


def _users_window(writer: Writer, call: Call) -> int:
    if writer.window_samples is None:
        refuse(
            call.node,
            "attends to all of the past, which grows without end",
            "Give attention_window_samples: how many of its frames it sees, as many as in training",
        )
    writer.limits.append(writer.window_samples / call.given["query"].rate)
    return writer.window_samples


def _band(samples: int, window: int) -> Tensor:
    return torch.ones(samples, samples, dtype=torch.bool).tril().triu(1 - window)


def _mask(writer: Writer, x: Stream, window: int) -> Value:
    """``bool [samples, window - 1 + samples]``: what each query sees of the keys kept and those of the block."""
    asking = writer.position(x.rate)
    count = writer.samples(x.rate, window - 1)
    keys = writer.call("aten::arange.default", count, dtype=torch.int64, device=torch.device("cpu"))
    first = writer.call("aten::slice.Tensor", asking, 0, 0, 1)
    keys = writer.call("aten::sub.Scalar", writer.call("aten::add.Tensor", keys, first), window - 1)
    distance = writer.call("aten::sub.Tensor", writer.call("aten::unsqueeze.default", asking, 1), keys)
    visible = writer.call("aten::ge.Scalar", distance, 0)
    near = writer.call("aten::lt.Scalar", distance, window)
    begun = writer.call("aten::ge.Scalar", keys, x.delay)
    both = writer.call("aten::logical_and.default", visible, near)
    return writer.call("aten::logical_and.default", both, begun)
