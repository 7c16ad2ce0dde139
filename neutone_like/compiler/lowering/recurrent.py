"""Recurrent layers, whole: their steps depend on each other, so that one kernel does all of them."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from neutone_like.compiler.extent import Extent
from neutone_like.compiler.kernels import Activation, KernelId
from neutone_like.compiler.lowering.context import Context, Lowered, lowers, rank_of
from neutone_like.compiler.packing import Recurrent, packed_gru, packed_lstm, packed_rnn
from neutone_like.compiler.tensor import View
from neutone_like.errors import CompileError
from neutone_like.graph import Node


@lowers("lstm.input")
def _lstm(context: Context, node: Node, input: Lowered, hx: Sequence[Lowered], **given: Any) -> Any:
    return _recurrent(context, KernelId.LSTM, input, list(hx), packed_lstm, [], **given)


@lowers("gru.input")
def _gru(context: Context, node: Node, input: Lowered, hx: Lowered, **given: Any) -> Any:
    return _recurrent(context, KernelId.GRU, input, [hx], packed_gru, [], **given)


@lowers("rnn_tanh.input")
def _rnn_tanh(context: Context, node: Node, input: Lowered, hx: Lowered, **given: Any) -> Any:
    return _recurrent(context, KernelId.RNN, input, [hx], packed_rnn, [Activation.TANH], **given)


@lowers("rnn_relu.input")
def _rnn_relu(context: Context, node: Node, input: Lowered, hx: Lowered, **given: Any) -> Any:
    return _recurrent(context, KernelId.RNN, input, [hx], packed_rnn, [Activation.RELU], **given)


def _recurrent(
    context: Context,
    kernel: KernelId,
    value: Lowered,
    states: Sequence[Lowered],
    pack: Callable[[Sequence[torch.Tensor]], Recurrent],
    integers: list[int],
    params: Sequence[torch.Tensor],
    has_biases: bool,
    num_layers: int,
    batch_first: bool,
    bidirectional: bool,
    **_: Any,
) -> Any:
    x = context.view(value)
    x = _sequence(x, batch_first)
    begins = [context.view(each) for each in states]
    begins = [
        each if each.rank == 2 else each.selected(1, Extent.of(0)) for each in begins
    ]  # [layers * directions, hidden]
    directions = 2 if bidirectional else 1
    count = len(params) // (num_layers * directions)
    if count != (4 if has_biases else 2):
        raise CompileError("a recurrent layer with projections (proj_size)")
    hidden = begins[0].dims[1]
    ends = [context.new(each.dims) for each in begins]
    for layer in range(num_layers):
        whole = context.new((x.dims[0], hidden * directions), (0, 1))
        for direction in range(directions):
            index = layer * directions + direction
            weights = [each.detach() for each in params[index * count : (index + 1) * count]]
            own = [each.selected(0, Extent.of(index)) for each in ends]
            for end, begin in zip(own, begins, strict=True):
                context.add(KernelId.COPY, [end], [begin.selected(0, Extent.of(index))])
            out = whole.sliced(1, hidden * direction, hidden)
            source = x
            if direction:
                source, out = x.flipped(0), out.flipped(0)
            packed = pack(weights)
            step = context.add(kernel, [out, *own], [source], [*integers, *packed.forms])
            constant = context.constant(torch.from_numpy(packed.values), is_packed=bool(packed.forms))
            step.outputs, step.inputs = [out], [source, *own, constant]
        x = whole
    result = _like(x, value, batch_first)
    unbatched = rank_of(states[0]) == 2
    return (result, *(each if unbatched else each.with_one(1) for each in ends))


def _sequence(x: View, batch_first: bool) -> View:
    """``[time, features]``."""
    if x.rank == 2:
        return x
    batch = 0 if batch_first else 1
    if x.dims[batch].constant != 1:
        raise CompileError(f"a recurrent layer over a batch of {x.dims[batch]}; one sequence compiles")
    return x.without(batch)


def _like(x: View, value: Any, batch_first: bool) -> View:
    return x if rank_of(value) == 2 else x.with_one(0 if batch_first else 1)
