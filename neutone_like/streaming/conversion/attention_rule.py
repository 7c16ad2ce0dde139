"""Attention: keys and values of a window of the past are kept."""

from collections.abc import Callable, Sequence
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
from neutone_like.streaming.conversion.stream import Pairs, Square, Stream, union
from neutone_like.streaming.conversion.writer import Writer

_HIDDEN = -1e4
"""What is added to hide a key: this, or less."""


def pairs_of(writer: Writer, call: Call) -> Pairs:
    """What gives a value for every two times, or changes one: products of queries and keys, scales, masks, softmax."""
    name = call.node.op.removeprefix("aten::").partition(".")[0]
    held = next((each for each in call.args if isinstance(each, Pairs)), None)
    others = [each for each in (*call.args, *call.kwargs.values()) if each is not held]
    if held is None and name in ("matmul", "bmm"):
        return _products(writer, call, call.args[:2])
    if held is None and name == "baddbmm" and isinstance(call.args[0], Square) and not call.kwargs:
        return _hidden(_products(writer, call, call.args[1:3]), _shown(call, call.args[0]))
    if held is None:
        refuse_pairs(call)
    number = others[0] if others and isinstance(others[0], int | float) else None
    square = next((each for each in others if isinstance(each, Square)), None)
    if name in ("mul", "div") and number is not None and call.args[0] is held:
        return replace(held, scale=held.scale * number if name == "mul" else held.scale / number)
    if name == "add" and square is not None and not held.are_weights:
        return _hidden(held, _shown(call, square))
    if name == "masked_fill" and square is not None and others[1] <= _HIDDEN:
        return _hidden(held, ~square.tensor.bool())
    if name == "softmax" and others[0] in (-1, held.queries.like.dim() - 1):
        return replace(held, are_weights=True)
    if name in ("dropout", "clone", "contiguous", "alias", "to", "type_as", "detach"):
        return held
    refuse_pairs(call)


def _products(writer: Writer, call: Call, factors: Sequence[Any]) -> Pairs:
    """Queries times keys that are turned already."""
    queries, turned = factors
    if not (isinstance(queries, Stream) and isinstance(turned, Stream)):
        refuse_pairs(call)
    if queries.from_right != -2 or turned.from_right != -1:
        refuse_pairs(call)
    value = writer.call("aten::transpose.int", turned, -2, -1)
    history = None if turned.history is None else turned.history.transpose(-2, -1)
    keys = replace(turned, value=value, axis=turned.axis - 1, history=history, like=turned.like.transpose(-2, -1))
    return Pairs(queries, keys)


def _hidden(pairs: Pairs, visible: Tensor) -> Pairs:
    return replace(pairs, visible=visible if pairs.visible is None else pairs.visible & visible)


def attention(writer: Writer, call: Call) -> Stream:
    """scaled_dot_product_attention, causal: by ``is_causal`` or by a mask that is."""
    given = call.given
    three = [given[name] for name in ("query", "key", "value")]
    if not all(isinstance(each, Stream) and each.from_right == -2 for each in three):
        refuse(call.node, "attends to what is no signal, or over another axis than time", "Attend to the past")
    mask = given["attn_mask"]
    if mask is None and given["is_causal"]:
        window = _users_window(writer, call, three[0])
    elif isinstance(mask, Square):
        window = _window(writer, call, three[0], _shown(call, mask))
    else:
        refuse_pairs(call)
    return _attended(writer, three, window, {"scale": given["scale"], "enable_gqa": given["enable_gqa"]})


def written_out(writer: Writer, call: Call) -> Stream:
    """``softmax(q @ k.T * scale + mask) @ v``."""
    pairs, values = call.args[0], call.args[1] if len(call.args) > 1 else None
    is_product = call.node.op.startswith(("aten::matmul", "aten::bmm"))
    if not (is_product and isinstance(pairs, Pairs) and isinstance(values, Stream) and values.from_right == -2):
        refuse_pairs(call)
    if not pairs.are_weights or pairs.visible is None:
        refuse_pairs(call)
    window = _window(writer, call, pairs.queries, pairs.visible)
    return _attended(writer, [pairs.queries, pairs.keys, values], window, {"scale": pairs.scale})


def _attended(writer: Writer, three: Sequence[Stream], window: int, options: dict[str, Any]) -> Stream:
    queries, keys, values = aligned(writer, three)
    keys, values = gated(writer, keys, 0.0), gated(writer, values, 0.0)
    mask = _mask(writer, queries, window)

    def run(do: Callable[..., Any], asked: Any, seen: Any, known: Any, visible: Any) -> Any:
        return do("aten::scaled_dot_product_attention.default", asked, seen, known, visible, 0.0, False, **options)

    seen, known = (joined_to_past(writer, each, window - 1) for each in (keys, values))
    value = run(writer.call, queries, seen, known, mask)
    history = None
    if queries.history is not None:
        visible = _band(queries.history.shape[-2], window)
        history = run(call_now, queries.history, keys.history, values.history, visible)
    shape = [*queries.like.shape[:-1], values.like.shape[-1]]
    reach = cache(lambda k: union(*(each.reach(n) for each in (queries, keys, values) for n in (k - window + 1, k))))
    return replace(queries, value=value, history=history, like=queries.like.new_zeros(shape), reach=reach, lead=None)


def _shown(call: Call, mask: Square) -> Tensor:
    """Which keys a mask lets each query see."""
    if mask.tensor.dtype == torch.bool:
        return mask.tensor
    shown = mask.tensor == 0.0
    if not bool((shown | (mask.tensor <= _HIDDEN)).all()):
        refuse_pairs(call)
    return shown


def _window(writer: Writer, call: Call, queries: Stream, visible: Tensor) -> int:
    """How many times one sees, itself included."""
    while visible.dim() > 2:
        visible = visible[0]
    window = int(visible[-1].sum())
    if not torch.equal(visible, _band(len(visible), window)):
        refuse_pairs(call)
    return window if window < len(visible) else _users_window(writer, call, queries)


def _users_window(writer: Writer, call: Call, queries: Stream) -> int:
    if writer.window_samples is None:
        refuse(
            call.node,
            "attends to all of the past, which grows without end",
            "Give attention_window_samples: how many of its frames it sees, as many as in training",
        )
    writer.limits.append(writer.window_samples / queries.rate)
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
