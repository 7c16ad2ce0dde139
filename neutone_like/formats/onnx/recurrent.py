"""Recurrent layers, which ONNX has whole, and linear recurrences as loops."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from neutone_like.compiler.extent import ONE, Extent
from neutone_like.errors import CompileError
from neutone_like.formats.onnx.context import Body, Context, OnnxNode, Written, writes
from neutone_like.graph import LINEAR_SCAN, Node

_ORDERS = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2), "RNN": (0,)}
"""PyTorch's gates in ONNX's order: input, output, forget, cell; update, reset, new."""


@writes("lstm.input")
def _lstm(context: Context, node: Node, x: Written, hx: Sequence[Written], **given: Any) -> list[Written]:
    return _recurrent(context, node, "LSTM", x, list(hx), {}, **given)


@writes("gru.input")
def _gru(context: Context, node: Node, x: Written, hx: Written, **given: Any) -> list[Written]:
    return _recurrent(context, node, "GRU", x, [hx], {"linear_before_reset": 1}, **given)


@writes("rnn_tanh.input")
def _rnn_tanh(context: Context, node: Node, x: Written, hx: Written, **given: Any) -> list[Written]:
    return _recurrent(context, node, "RNN", x, [hx], {"activations": "Tanh"}, **given)


@writes("rnn_relu.input")
def _rnn_relu(context: Context, node: Node, x: Written, hx: Written, **given: Any) -> list[Written]:
    return _recurrent(context, node, "RNN", x, [hx], {"activations": "Relu"}, **given)


def _recurrent(
    context: Context,
    node: Node,
    op: str,
    x: Written,
    states: Sequence[Written],
    attributes: dict[str, Any],
    params: Sequence[Written],
    has_biases: bool,
    num_layers: int,
    batch_first: bool,
    bidirectional: bool,
    **_: Any,
) -> list[Written]:
    alone = states[0].rank == 2
    if alone:
        x, states = context.with_one(x, 1), [context.with_one(each, 1) for each in states]
    elif batch_first:
        x = context.permuted(x, [1, 0, 2])
    directions = 2 if bidirectional else 1
    count = len(params) // (num_layers * directions)
    if count != (4 if has_biases else 2):
        raise CompileError("a recurrent layer with projections (proj_size)")
    if any(each.known is None for each in params):
        raise CompileError("a recurrent layer whose weights are calculated anew for every block")
    hidden = states[0].dims[-1].constant or 0
    ends: list[list[Written]] = [[] for _ in states]
    for layer in range(num_layers):
        own = params[layer * directions * count : (layer + 1) * directions * count]
        begins = [
            context.sliced(each, 0, layer * directions, (layer + 1) * directions) if num_layers > 1 else each
            for each in states
        ]
        weights = _weights(context, op, [each.known for each in own if each.known is not None], count, hidden, x.dtype)
        given = dict(attributes) | {"hidden_size": hidden}
        if "activations" in given:
            given["activations"] = [given["activations"]] * directions
        if bidirectional:
            given["direction"] = "bidirectional"
        whole, *last = context.emit_many(op, [x, *weights, None, *begins], [x.dtype] * (1 + len(begins)), **given)
        for end, each in zip(ends, last, strict=True):
            end.append(each)
        x = _in_one(context, whole, x, hidden, directions)
    finals = [each[0] if len(each) == 1 else context.emit("Concat", each, x.dtype, axis=0) for each in ends]
    finals = [Written(each.name, x.dtype, begin.dims) for each, begin in zip(finals, states, strict=True)]
    if alone:
        x, finals = context.without_one(x, 1), [context.without_one(each, 1) for each in finals]
    elif batch_first:
        x = context.permuted(x, [1, 0, 2])
    return [x, *finals]


def _in_one(context: Context, whole: Written, x: Written, hidden: int, directions: int) -> Written:
    """``[samples, directions, batch, hidden]`` with the directions side by side."""
    dims = (x.dims[0], x.dims[1], Extent.of(hidden * directions))
    if directions == 1:
        squeezed = context.emit("Squeeze", [whole, context.integers([1])], x.dtype)
        return Written(squeezed.name, x.dtype, dims)
    turned = context.emit("Transpose", [whole], x.dtype, perm=[0, 2, 1, 3])
    return context.reshaped(turned, dims)


def _weights(
    context: Context, op: str, params: Sequence[Tensor], count: int, hidden: int, dtype: torch.dtype
) -> list[Written]:
    """ONNX's weights of the inputs, of the states, and biases; one of each a direction."""
    directions = [params[start : start + count] for start in range(0, len(params), count)]
    inputs = torch.stack([_ordered(op, each[0], hidden) for each in directions])
    states = torch.stack([_ordered(op, each[1], hidden) for each in directions])
    zeros = torch.zeros(inputs.shape[1], dtype=dtype)
    biases = [
        torch.cat([_ordered(op, each, hidden) for each in (own[2:] if count == 4 else [zeros, zeros])])
        for own in directions
    ]
    return [context.constant(each, "weights") for each in (inputs, states, torch.stack(biases))]


def _ordered(op: str, weight: Tensor, hidden: int) -> Tensor:
    gates = weight.split(hidden)
    return torch.cat([gates[each] for each in _ORDERS[op]])


@writes(LINEAR_SCAN)
def _linear_scan(context: Context, node: Node, matrices: Written, inputs: Written, state: Written) -> Written:
    """The state before the block, and behind it what a loop over the samples makes of it."""
    shape = context.shape(node)
    dtype = shape.dtype
    rank = len(shape.dims)
    others = list(shape.dims[: rank - 2])
    order = shape.dims[-1]
    begin = context.emit("Expand", [context.cast(state, dtype), context.integers([*others, order])], dtype)
    begin = Written(begin.name, dtype, (*others, order))
    entering = _samples_first(context, context.cast(inputs, dtype), rank - 2)
    steps = context.cast(matrices, dtype)
    time = steps.rank - 3
    same = steps.dims[time] == ONE
    now, u, after = context.name("state"), context.name("entering"), context.name("after")
    if same:
        matrix, scanned = context.without_one(steps, time).name, [entering]
        body_inputs = [(now, dtype), (u, dtype)]
    else:
        matrix = context.name("step")
        scanned = [_samples_first(context, steps, time), entering]
        body_inputs = [(now, dtype), (matrix, dtype), (u, dtype)]
    column, product, row, kept = (context.name(each) for each in ("column", "product", "row", "kept"))
    last = context.integers([-1]).name
    body = Body(
        tuple(body_inputs),
        ((after, dtype), (kept, dtype)),
        (
            OnnxNode("Unsqueeze", (now, last), (column,)),
            OnnxNode("MatMul", (matrix, column), (product,)),
            OnnxNode("Squeeze", (product, last), (row,)),
            OnnxNode("Add", (row, u), (after,)),
            OnnxNode("Identity", (after,), (kept,)),
        ),
    )
    _, found = context.emit_many("Scan", [begin, *scanned], [dtype, dtype], body=body, num_scan_inputs=len(scanned))
    first = context.emit("Unsqueeze", [begin, context.integers([0])], dtype)
    whole = context.emit("Concat", [first, found], dtype, axis=0)
    places = [*range(1, rank - 1), 0, rank - 1]
    return context.result(node, "Transpose", [whole], perm=places)


def _samples_first(context: Context, value: Written, dim: int) -> Written:
    dim = min(dim, value.rank - 1)
    order = [dim, *(each for each in range(value.rank) if each != dim)]
    return context.permuted(value, order)
