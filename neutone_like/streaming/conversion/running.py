"""What has a result for each time of all that came so far: running sums, products, extremes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from math import inf
from typing import Any

import torch
from torch import Tensor

from neutone_like.streaming.conversion.alignment import cut, gated
from neutone_like.streaming.conversion.calling import Call, call_now
from neutone_like.streaming.conversion.rowwise import rowwise
from neutone_like.streaming.conversion.stream import Stream, Streams
from neutone_like.streaming.conversion.writer import Writer


@dataclass(frozen=True)
class _Running:
    """One of them.

    Attributes:
        nothing: What it is of nothing, and what is taken for the time before the signal.
        join: The operation that joins what came before the block to what the block's own is.
        is_exact: It picks one of the values, and needs no wider type.
    """

    nothing: float
    join: str
    is_exact: bool = False


_KINDS = {
    "cumsum": _Running(0.0, "aten::add.Tensor"),
    "cumprod": _Running(1.0, "aten::mul.Tensor"),
    "logcumsumexp": _Running(-inf, "aten::logaddexp.default"),
    "cummax": _Running(-inf, "aten::maximum.default", is_exact=True),
    "cummin": _Running(inf, "aten::minimum.default", is_exact=True),
}


def running(writer: Writer, call: Call) -> Stream | Streams:
    """cumsum, cumprod and logcumsumexp over time, carried on in float64; values of cummax and cummin."""
    x: Stream = call.given["self"]
    if call.given["dim"] % x.like.dim() != x.axis:
        return rowwise(writer, call)
    name = call.node.op.removeprefix("aten::").partition(".")[0]
    kind = _KINDS[name]
    typed = {"dtype": call.given["dtype"]} if "dtype" in call.given else {}
    like = _values(call_now(call.node.op, x.like, x.axis, **typed))
    wide = like.dtype if kind.is_exact else _wide(like)
    nothing = _nothing(kind, wide)
    x = gated(writer, x, _nothing(kind, x.like.dtype))

    def run(do: Callable[..., Any], heard: Any) -> Any:
        if kind.is_exact:
            return do("getitem", do(f"aten::{name}.default", heard, x.axis), 0)
        if name == "logcumsumexp":
            return do(f"aten::{name}.default", do("aten::to.dtype", heard, wide), x.axis)
        return do(f"aten::{name}.default", heard, x.axis, dtype=wide)

    shape = list(like.shape)
    shape[x.axis] = 1
    past, history = torch.full(shape, nothing, dtype=wide), None
    if x.history is not None:
        so_far = run(_now, x.history)
        past, history = cut(so_far, x.axis, so_far.shape[x.axis] - 1, so_far.shape[x.axis]), so_far.to(like.dtype)
    before, keep = writer.state(past, name)
    total = writer.call(kind.join, run(writer.call, x.value), before)
    keep(writer.call("aten::slice.Tensor", total, x.axis, -1, 2**63 - 1))
    value = total if wide == like.dtype else writer.call("aten::to.dtype", total, like.dtype)
    reach = cache(lambda k: (-inf, (x.reach(k) or (0, 0))[1]))
    lead = float(nothing) if x.delay > 0 else None
    y = replace(x, value=value, history=history, like=like, reach=reach, lead=lead)
    return Streams(None, [y, None]) if kind.is_exact else y


def _now(op: str, *args: Any, **kwargs: Any) -> Any:
    return args[0][args[1]] if op == "getitem" else call_now(op, *args, **kwargs)


def _values(result: Any) -> Tensor:
    return result if isinstance(result, Tensor) else result[0]


def _wide(like: Tensor) -> torch.dtype:
    if like.is_complex():
        return torch.complex128
    return torch.float64 if like.is_floating_point() else torch.int64


def _nothing(kind: _Running, dtype: torch.dtype) -> float | int:
    """As the type has it, which may have no infinity."""
    if dtype.is_floating_point or dtype.is_complex or abs(kind.nothing) < inf:
        return kind.nothing
    if dtype == torch.bool:
        return kind.nothing > 0
    limits = torch.iinfo(dtype)
    return limits.max if kind.nothing > 0 else limits.min
