"""Recurrent layers: their hidden state goes on, and waits until the signal begins."""

from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from neutone_like.graph import Value
from neutone_like.streaming.conversion.alignment import gated
from neutone_like.streaming.conversion.calling import Call, call_now
from neutone_like.streaming.conversion.refusing import refuse
from neutone_like.streaming.conversion.rowwise import rowwise
from neutone_like.streaming.conversion.stream import Known, Stream, Streams
from neutone_like.streaming.conversion.windows import require_known
from neutone_like.streaming.conversion.writer import Writer

_SHUT = 1e4  # sigmoid(1e4) is 1 and sigmoid(-1e4) is 0, exactly


class _Layer(NamedTuple):
    """One layer: its weights as PyTorch orders them, and its states, ``[1, batch, hidden]`` each."""

    weights: list[Tensor]
    states: list[Tensor]


def recurrent(writer: Writer, call: Call) -> Stream | Streams:
    """lstm, gru, rnn_tanh and rnn_relu."""
    given = call.given
    kind = call.node.op.removeprefix("aten::").partition(".")[0]
    x: Stream = given["input"]
    if x.axis == (0 if given["batch_first"] else 1):
        return rowwise(writer, call)  # each time is a sequence of its own, such as the samples of a frame
    if given["bidirectional"]:
        refuse(call.node, "is bidirectional, and so begins at the signal's end", "Train one of one direction")
    if x.axis != (1 if given["batch_first"] else 0):
        refuse(
            call.node, "takes another axis than time for its sequence", "Give it [batch, time, channels], batch_first"
        )
    hx = given["hx"] if kind == "lstm" else [given["hx"]]
    for each in (*given["params"], *hx):
        require_known(call.node, each)
    names = [each.name for each in given["params"]]
    layers = _layers(given, hx)
    x = gated(writer, x, 0.0)
    whole = x.delay <= 0
    parts = [_joined(layers)] if whole else layers
    per_part = len(names) // len(parts)
    for index, part in enumerate(parts):
        own = names[index * per_part : (index + 1) * per_part]
        x = _part(writer, call, kind, x, part, own, 1 if not whole else given["num_layers"])
    return Streams(None, [x, *[None] * len(hx)])


def _layers(given: dict[str, Any], hx: list[Known]) -> list[_Layer]:
    count = len(given["params"]) // given["num_layers"]
    weights = [each.tensor for each in given["params"]]
    return [
        _Layer(weights[k * count : (k + 1) * count], [each.tensor[k : k + 1] for each in hx])
        for k in range(given["num_layers"])
    ]


def _joined(layers: list[_Layer]) -> _Layer:
    states = [torch.cat(each) for each in zip(*(layer.states for layer in layers), strict=True)]
    return _Layer([each for layer in layers for each in layer.weights], states)


def _part(writer: Writer, call: Call, kind: str, x: Stream, part: _Layer, names: list[str], num_layers: int) -> Stream:
    given = call.given
    fixed = [given["has_biases"], num_layers, 0.0, False, False, given["batch_first"]]
    states, history = part.states, None
    if x.history is not None:
        history, *states = call_now(call.node.op, x.history, _hx(kind, states), part.weights, *fixed)
    kept = [writer.state(each, "hidden" if k == 0 else "cell") for k, each in enumerate(states)]
    heard, weights = x.value, [Known(each, name) for each, name in zip(part.weights, names, strict=True)]
    if x.delay > 0:
        weights[0] = Known(_with_gate(call, kind, part), f"{names[0]}_gated")
        heard = writer.call("aten::cat.default", [heard, _gate(writer, x)], 2)
    results = writer.call(call.node.op, heard, _hx(kind, [value for value, _ in kept]), weights, *fixed)
    for index, (_, keep) in enumerate(kept):
        keep(writer.call("getitem", results, index + 1))
    shape = [*x.like.shape[:2], 1]
    shape[2] = part.states[0].shape[-1]
    reach = cache(lambda k: (float("-inf"), (x.reach(k) or (0.0, 0.0))[1]))
    value = writer.call("getitem", results, 0)
    lead = 0.0 if x.delay > 0 and kind in ("lstm", "gru") else None
    return replace(x, value=value, history=history, like=x.like.new_zeros(shape), reach=reach, lead=lead)


def _hx(kind: str, states: list[Any]) -> Any:
    return states if kind == "lstm" else states[0]


def _gate(writer: Writer, x: Stream) -> Value:
    """One channel: 1 before the signal, then 0."""
    shape: list[Any] = list(x.like.shape)
    shape[x.axis], shape[2] = writer.samples(x.rate), 1
    gate = writer.call("aten::expand.default", writer.is_before(x), shape)
    return writer.call("aten::to.dtype", gate, x.like.dtype)


def _with_gate(call: Call, kind: str, part: _Layer) -> Tensor:
    """Weights of the input with one channel more: while it is 1 the layer keeps its state."""
    if any(bool(each.any()) for each in part.states):
        refuse(call.node, "begins with another state than zeros after layers that delay", "Begin with zeros")
    weight = part.weights[0]
    column = weight.new_zeros(weight.shape[0], 1)
    size = part.states[-1].shape[-1]
    if kind == "lstm":
        column[:size], column[size : 2 * size] = -_SHUT, _SHUT
    elif kind == "gru":
        column[size : 2 * size] = _SHUT
    elif call.given["has_biases"]:
        column[:, 0] = -(part.weights[2] + part.weights[3])
    return torch.cat((weight, column), 1)
