"""Convolutions and matrix products: a weight's columns live with what they hear, its rows are new channels."""

import numpy as np
import torch
from torch import Tensor

from neutone_like.optimise.pruning.elementwise import beside, several
from neutone_like.optimise.pruning.labels import FREE, Activation, Ids, Weight, first_along
from neutone_like.optimise.pruning.walk import Call, Held, Product, flattened, lock, mixed


def convolution(call: Call) -> Held:
    """``conv1d``, ``conv2d``..., and the transposed ones: with groups, and depthwise."""
    x, weight, bias = call.args[0], call.args[1], call.get(2, "bias")
    name = call.node.op.removeprefix("aten::").partition(".")[0]
    if name == "convolution":
        transposed, groups = bool(call.args[6]), int(call.args[8])
    else:
        transposed = name.startswith("conv_transpose")
        groups = int(call.get(7 if not transposed else 6, "groups", 1) if transposed else call.get(6, "groups", 1))
    if not isinstance(x, Activation) or not _is_trained(weight):
        return lock(call, f"{call.node.place} has a kernel that is computed, or not trained")
    dim = x.labels.dim() - weight.elements.dim() + 1
    rows, columns = (1, 0) if transposed else (0, 1)
    made, heard = _ids_along(call, weight, rows, made=True), _ids_along(call, weight, columns, made=False)
    if (made is None and weight.elements.shape[rows] > 1) or (heard is None and weight.elements.shape[columns] > 1):
        return lock(call, f"{call.node.place} has a kernel of rearranged weights")
    _note(call, weight, columns, dim - x.labels.dim(), 0)
    labels = _conv_labels(call, x.labels.movedim(dim, 0).flatten(1), groups, transposed, made, heard)
    result = _spread(labels, call.result, dim)
    return Activation(_with_bias(call, result, bias, dim))


def _conv_labels(call: Call, x: Tensor, groups: int, transposed: bool, made: Ids | None, heard: Ids | None) -> Ids:
    """The labels of the output channels. ``x`` is ``[channels, what else there is]``."""
    unite = call.walk.labels.unite
    first = first_along(x, (1,))
    unite(x.numpy(), first.expand_as(x).numpy())
    channels = first[:, 0].numpy().astype(np.int64)
    per_group = len(channels) // groups
    if groups == 1:
        if heard is not None:
            _unite_inputs(call, channels, heard)
        else:
            call.walk.labels.lock(channels)  # one channel alone
        return made if made is not None else np.zeros(1, np.int64)
    if per_group == 1 and (made is not None or heard is not None):
        # Depthwise: the weight's rows are of the input's channels, so an output goes with the input that it hears.
        rows = heard if transposed else made
        if rows is None:
            return np.repeat(channels, _outputs(call) // groups)
        if transposed:
            unite(rows, channels)
            if made is not None:
                call.walk.labels.lock(made)  # how many outputs each of them has
            return np.repeat(rows, _outputs(call) // groups)
        unite(rows, np.repeat(channels, len(rows) // groups))
        return rows
    # Else what stands at one place in its group goes together in all groups, so that they stay of one size.
    inside = channels.reshape(groups, per_group)
    unite(inside, np.broadcast_to(inside[:1], inside.shape))
    if transposed:
        if heard is not None:
            _unite_inputs(call, channels, heard)
        return np.tile(made, groups) if made is not None else np.zeros(groups, np.int64)
    if heard is not None:
        _unite_inputs(call, inside[0], heard)
    if made is None:
        return np.zeros(_outputs(call), np.int64)
    outputs = made.reshape(groups, -1)
    unite(outputs, np.broadcast_to(outputs[:1], outputs.shape))
    return made


def _outputs(call: Call) -> int:
    x = call.args[0].labels
    return int(call.result.shape[x.dim() - call.args[1].elements.dim() + 1])


def _unite_inputs(call: Call, channels: Ids, heard: Ids) -> None:
    call.walk.labels.unite(channels, heard)
    call.walk.labels.lock(heard[channels < 0])  # a constant's column


def linear(call: Call) -> Held:
    """``x @ weight.T + bias``."""
    return _generally(call, call.args[0], _transposed(call.args[1]), call.get(2, "bias"))


def matrix_product(call: Call) -> Held:
    """``mm``, ``bmm``, ``matmul``, ``mv``, ``dot``."""
    return _generally(call, call.args[0], call.args[1], None)


def added_product(call: Call) -> Held:
    """``addmm(offset, a, b)`` and ``baddbmm``."""
    return _generally(call, call.args[1], call.args[2], call.args[0], at=1)


def _generally(call: Call, a: Activation | Weight, b: Activation | Weight, offset: Held, at: int = 0) -> Held:
    if (
        isinstance(a, Activation)
        and isinstance(b, Weight)
        and b.trained
        and b.elements.dim() == 2
        and a.labels.dim() >= 1
    ):
        return _right(call, a, b, offset, at)
    if (
        isinstance(b, Activation)
        and isinstance(a, Weight)
        and a.trained
        and a.elements.dim() == 2
        and b.labels.dim() >= 2
    ):
        return _left(call, a, b, offset, at)
    if any(isinstance(each, Weight) and each.trained for each in (a, b)):
        return lock(call, f"{call.node.place} multiplies with weights in an order that is not known")
    first, second = (_constant(each) if isinstance(each, Weight) else each.labels for each in (a, b))
    return Activation(_offset(call, _computed(call, first, second), offset))


def _right(call: Call, x: Activation, weight: Weight, offset: Held, at: int) -> Held:
    """``x @ weight``: over x's last dimension and the weight's first."""
    made = _ids_along(call, weight, 1, made=True)
    _note(call, weight, 0, -1, at)
    _columns(call, weight, 0, x.labels.movedim(-1, 0).reshape(x.labels.shape[-1], -1))
    labels = np.zeros(1, np.int64) if made is None else made
    return Activation(_offset(call, _spread(labels, call.result, call.result.dim() - 1), offset))


def _left(call: Call, weight: Weight, x: Activation, offset: Held, at: int) -> Held:
    """``weight @ x``: over the weight's last dimension and x's last but one."""
    made = _ids_along(call, weight, 0, made=True)
    _note(call, weight, 1, -2, at + 1)
    _columns(call, weight, 1, x.labels.movedim(-2, 0).reshape(x.labels.shape[-2], -1))
    labels = np.zeros(1, np.int64) if made is None else made
    return Activation(_offset(call, _spread(labels, call.result, call.result.dim() - 2), offset))


def _columns(call: Call, weight: Weight, dim: int, x: Tensor) -> None:
    """What is heard, ``[columns, what else]``, and the weight's columns: of several axes the one that it follows."""
    walk = call.walk
    first = first_along(x, (1,))
    walk.labels.unite(x.numpy(), first.expand_as(x).numpy())
    channels = first[:, 0]
    followed = False
    for axis, index in weight.along(dim):
        if not several(torch.from_numpy(index), channels, weight.shape[axis]).any():
            ids = walk.labels.of_axis(weight, axis)[index]
            walk.labels.unite(channels.numpy(), ids)
            walk.labels.lock(ids[channels.numpy() < 0])
            followed = True
    if not followed:
        walk.because(channels.numpy(), f"{call.node.place} hears them in an order that is not known")
        walk.labels.lock(channels)


def _computed(call: Call, a: Tensor, b: Tensor) -> Tensor:
    """Attention: what is computed times what is computed. All that one head does lives and dies together."""
    a = a.unsqueeze(0) if a.dim() == 1 else a
    b = b.unsqueeze(-1) if b.dim() == 1 else b
    if (a < 0).all() or (b < 0).all():
        x = mixed(call, b, [-2]) if (a < 0).all() else mixed(call, a, [-1])
        shape = (*torch.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
        return x.expand(shape).reshape(call.result.shape)
    first, second = mixed(call, a, [-2, -1]), mixed(call, b, [-2, -1])
    labels = beside(
        call, [Activation(first), Activation(second)], tuple(torch.broadcast_shapes(first.shape, second.shape))
    )
    call.walk.heads.update(int(each) for each in labels.unique() if each > 0)
    return labels.expand(*labels.shape[:-2], a.shape[-2], b.shape[-1]).reshape(call.result.shape).contiguous()


def attention(call: Call) -> Held:
    """``scaled_dot_product_attention``: heads are what stands before time and width."""
    q, k, v = (each.labels if isinstance(each, Activation) else _constant(each) for each in call.args[:3])
    shape = call.result.shape
    parts = [Activation(mixed(call, each, [-2, -1])) for each in (q, k, v)]
    labels = beside(call, [*parts], (*shape[:-2], 1, 1))
    mask = call.get(3, "attn_mask")
    if isinstance(mask, Activation | Weight):
        wide = (*shape[:-1], k.shape[-2])
        labels = mixed(call, beside(call, [Activation(labels.expand(wide)), mask], wide), [-2, -1])
    call.walk.heads.update(int(each) for each in labels.unique() if each > 0)
    return Activation(labels.expand(shape).contiguous())


def _ids_along(call: Call, weight: Weight, dim: int, *, made: bool) -> Ids | None:
    """Labels of the weight's rows (which are made) or columns; of several axes the first, as kernels come last."""
    for axis, index in weight.along(dim):
        if made:
            call.walk.made.add((weight.name, axis))
        return call.walk.labels.of_axis(weight, axis)[index]
    return None


def _spread(labels: Ids, result: Tensor, dim: int) -> Tensor:
    shape = [1] * result.dim()
    shape[dim] = len(labels)
    return torch.from_numpy(np.asarray(labels, np.int64)).double().reshape(shape).expand(result.shape).contiguous()


def _with_bias(call: Call, result: Tensor, bias: Held, dim: int) -> Tensor:
    if not isinstance(bias, Activation | Weight):
        return result
    beyond = result.dim() - dim - 1
    if isinstance(bias, Weight):
        wide = Weight(bias.name, bias.shape, bias.elements.reshape(-1, *[1] * beyond), bias.trained)
        return beside(call, [Activation(result), wide], tuple(result.shape))
    return beside(call, [Activation(result), Activation(bias.labels.reshape(-1, *[1] * beyond))], tuple(result.shape))


def _offset(call: Call, result: Tensor, offset: Held) -> Tensor:
    if not isinstance(offset, Activation | Weight):
        return result
    return beside(call, [Activation(result), offset], tuple(result.shape))


def _note(call: Call, weight: Weight, dim: int, source_dim: int, position: int) -> None:
    for axis, index in weight.along(dim):
        source = next(each for each in flattened(call.names[position]))
        call.walk.products.append(Product(weight.name, axis, index, str(source), source_dim))


def _constant(weight: Weight | Activation) -> Tensor:
    if isinstance(weight, Activation):
        return weight.labels
    return torch.full(weight.elements.shape, float(FREE), dtype=torch.float64)


def _transposed(held: Held) -> Activation | Weight:
    if isinstance(held, Weight):
        return Weight(
            held.name,
            held.shape,
            held.elements.movedim(-1, 0) if held.elements.dim() > 1 else held.elements,
            held.trained,
        )
    assert isinstance(held, Activation)
    return Activation(held.labels.mT if held.labels.dim() > 1 else held.labels)


def _is_trained(held: Held) -> bool:
    return isinstance(held, Weight) and held.trained
