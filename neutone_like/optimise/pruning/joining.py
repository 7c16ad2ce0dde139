"""Operations that make one of several channels without weights: norms, sums, transforms. These stay together."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from neutone_like.optimise.pruning.elementwise import beside
from neutone_like.optimise.pruning.labels import Activation, Weight, first_along
from neutone_like.optimise.pruning.walk import Call, Held, lock, mixed


def over_dims(call: Call) -> Held:
    """``sum``, ``mean``, ``softmax``, ``cumsum``, ``fft_rfft``...: along dimensions, which stay or become one."""
    x = call.args[0]
    if not isinstance(x, Activation):
        return lock(call, f"{call.node.place} sums over a weight")
    dims = _dims(call, x.labels.dim())
    first = mixed(call, x.labels, dims)
    results = call.result if isinstance(call.result, (list, tuple)) else [call.result]
    held: list[Any] = [_as(x.labels, first, dims, each) for each in results]
    return held[0] if isinstance(call.result, Tensor) else held


def _as(labels: Tensor, first: Tensor, dims: list[int], result: Tensor) -> Activation:
    """One label for all along the dimensions, in the shape of the result."""
    if result.shape == labels.shape:
        return Activation(torch.where(labels >= 0, first.expand_as(labels), labels))
    if result.dim() != labels.dim():
        for dim in sorted((each % labels.dim() for each in dims), reverse=True):
            first = first.squeeze(dim)
    return Activation(first.expand(result.shape).contiguous())


def _dims(call: Call, dimensions: int) -> list[int]:
    name = call.node.op.removeprefix("aten::").partition(".")[0]
    schema = [argument.name for argument in _schema(call)]
    given = next((call.get(schema.index(each), each) for each in ("dim", "dims") if each in schema), None)
    if given is None:
        given = [-1] if name.startswith("fft") else list(range(dimensions))
    return [int(each) % dimensions for each in (given if isinstance(given, (list, tuple)) else [given])]


def _schema(call: Call) -> Any:
    from neutone_like.graph import operation

    return operation(call.node.op)._schema.arguments


def whole_signal(call: Call) -> Held:
    """``stft`` and ``istft``: what there is of each signal of the batch is one."""
    x = call.args[0]
    if not isinstance(x, Activation):
        return lock(call, f"{call.node.place} transforms a weight")
    kept = x.labels.dim() - (1 if "istft" not in call.node.op else 2)
    first = mixed(call, x.labels, list(range(kept, x.labels.dim())))
    shape = [*first.shape[:kept], *[1] * (call.result.dim() - kept)]
    return Activation(first.reshape(shape).expand(call.result.shape).contiguous())


def as_complex(call: Call) -> Held:
    """Pairs of numbers are one."""
    return Activation(mixed(call, call.args[0].labels, [-1]).squeeze(-1).contiguous())


def as_real(call: Call) -> Held:
    """One number is a pair."""
    return Activation(call.args[0].labels.unsqueeze(-1).expand(call.result.shape).contiguous())


def layer_norm(call: Call) -> Held:
    """Over the last dimensions: all of their channels count in its mean."""
    x, over = call.args[0], len(call.args[1])
    labels = x.labels
    first = mixed(call, labels, list(range(labels.dim() - over, labels.dim())))
    return Activation(_scaled(call, first.expand_as(labels).contiguous(), call.args[2:4], None))


def group_norm(call: Call) -> Held:
    """All channels of a group count in its mean, so that a group is kept or cut as a whole."""
    x, groups = call.args[0], int(call.args[1])
    grouped = x.labels.reshape(x.labels.shape[0], groups, -1)
    first = mixed(call, grouped, [2]).expand_as(grouped).reshape(x.labels.shape).contiguous()
    _note(call, x.labels)
    return Activation(_scaled(call, first, [call.get(2, "weight"), call.get(3, "bias")], 1))


def channel_norm(call: Call) -> Held:
    """``batch_norm`` and ``instance_norm``: every channel by itself."""
    x = call.args[0]
    labels = (
        mixed(call, x.labels, list(range(2, x.labels.dim()))).expand_as(x.labels) if x.labels.dim() > 2 else x.labels
    )
    _note(call, x.labels)
    return Activation(_scaled(call, labels.contiguous(), call.args[1:5], 1))


def prelu(call: Call) -> Held:
    """A slope for each channel, or one for all."""
    x, slope = call.args[0], call.args[1]
    return Activation(_scaled(call, x.labels, [slope], 1 if x.labels.dim() > 1 else 0))


def gated_halves(call: Call) -> Held:
    """``glu``: the first half times a gate made of the second."""
    dim = int(call.get(1, "dim", -1))
    first, second = call.args[0].labels.chunk(2, dim)
    return Activation(beside(call, [Activation(first), Activation(second)], tuple(first.shape)))


def embedding(call: Call) -> Held:
    """Rows of a table, chosen by number."""
    table = call.args[0]
    if not isinstance(table, Weight) or len(table.shape) != 2 or table.shape[1] == 1:
        return lock(call, f"{call.node.place} looks up what is no table")
    ids = torch.from_numpy(call.walk.labels.of_axis(table, 1)).double()
    call.walk.made.add((table.name, 1))
    return Activation(ids.expand(call.result.shape).contiguous())


def _scaled(call: Call, labels: Tensor, weights: Any, dim: int | None) -> Tensor:
    """With gains, offsets and statistics, which go along dimension ``dim``; ``None``: along the last."""
    for each in weights:
        if isinstance(each, Weight):
            beyond = labels.dim() - dim - 1 if dim is not None and each.elements.numel() > 1 else 0
            wide = Weight(
                each.name, each.shape, each.elements.reshape(*each.elements.shape, *[1] * beyond), each.trained
            )
            labels = beside(call, [Activation(labels), wide], tuple(labels.shape))
    return labels


def _note(call: Call, labels: Tensor) -> None:
    if call.node.layer:
        channels = labels.movedim(1, 0).reshape(labels.shape[1], -1)
        call.walk.norms[call.node.layer] = np.asarray(first_along(channels, (1,))[:, 0], np.int64)
