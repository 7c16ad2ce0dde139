"""Operations that only move numbers: their labels and places are moved by the same operation."""

from typing import Any

import torch
from torch import Tensor

from neutone_like.graph import operation
from neutone_like.graph.graph import map_values
from neutone_like.optimise.pruning.labels import FREE, Activation, Weight
from neutone_like.optimise.pruning.walk import Call, Held, lock, lock_held, mixed

# Of whole numbers: which element goes where. Such arguments keep their values.
_INDEXED = {"index_select": 1, "index": 1, "gather": 1, "take_along_dim": 1, "repeat_interleave": 1}


def moved(call: Call) -> Held:
    """The same operation on labels. Several weights, or weights beside computed tensors, count as computed."""
    held = call.held
    indices = _own_values(call)
    if indices is None:
        return lock(call, f"{call.node.place} moves them by what is heard")
    weights = [each for each in held if isinstance(each, Weight)]
    if len(weights) == 1 and len(held) == 1 + indices:
        weight = weights[0]
        return _each(_play(call, lambda each: each.elements if isinstance(each, Weight) else each), weight)
    for each in weights:
        if _labels_of(call, each) is None:
            lock_held(call.walk, each, f"{call.node.place} puts tables beside each other")

    def labels(each: Any) -> Any:
        if isinstance(each, Activation):
            return each.labels
        if isinstance(each, Weight):
            own = _labels_of(call, each)
            return torch.zeros(each.elements.shape, dtype=torch.float64) if own is None else own
        return each

    return _each(_play(call, labels), None)


def padded(call: Call) -> Held:
    """Constants come before and after; with another mode numbers are moved."""
    x, pads, mode = call.args[0], call.args[1], call.get(2, "mode", "constant")
    if isinstance(x, Weight):
        return lock(call, f"{call.node.place} pads a weight")
    if mode != "constant" and isinstance(mode, str):
        return Activation(torch.nn.functional.pad(x.labels, pads, mode))
    return Activation(torch.constant_pad_nd(x.labels, pads, float(FREE)))


def copied(call: Call) -> Held:
    """``copy``, which writing into a state becomes: what was there before is gone."""
    source = call.args[1]
    if not isinstance(source, Activation):
        return lock(call, f"{call.node.place} writes a weight into something")
    return Activation(source.labels.expand(call.result.shape).contiguous())


def strided(call: Call) -> Held:
    """A view by steps in memory, which labels must lie in as the numbers do."""
    x, value = call.args[0], call.walk.values[str(call.names[0])]
    if not isinstance(x, Activation) or value.storage_offset() or value.numel() == 0:
        return lock(call, f"{call.node.place} looks into memory")
    laid_out = torch.empty_strided(value.size(), value.stride(), dtype=torch.float64)
    laid_out.copy_(x.labels)
    return Activation(laid_out.as_strided(*call.args[1:], **call.kwargs))


def spread_out(call: Call) -> Held:
    """Several neighbours along time give one, or one gives several: all of time has one label anyway."""
    x = call.args[0]
    if not isinstance(x, Activation):
        return lock(call, f"{call.node.place} resamples a weight")
    outputs = call.result if isinstance(call.result, (list, tuple)) else [call.result]
    kept = x.labels.dim() - (outputs[0].dim() - 2)
    dims = range(kept, x.labels.dim())
    first = mixed(call, x.labels, list(dims))
    return _each([first.expand(each.shape) for each in outputs], None, alone=isinstance(call.result, Tensor))


def _own_values(call: Call) -> int | None:
    """How many arguments are tensors of whole numbers; ``None`` where these are computed from what is heard."""
    name = call.node.op.removeprefix("aten::").partition(".")[0]
    if name not in _INDEXED:
        return 0
    given = [each for each in call.args[1:] if isinstance(each, Activation | Weight | list)]
    flat = [each for one in given for each in (one if isinstance(one, list) else [one])]
    held = [each for each in flat if isinstance(each, Activation)]
    if any((each.labels >= 0).any() for each in held):
        return None
    return sum(isinstance(each, Activation | Weight) for each in flat)


def _play(call: Call, change: Any) -> Any:
    """The operation with labels in the place of numbers; indices keep their values."""
    name = call.node.op.removeprefix("aten::").partition(".")[0]
    first = change(call.args[0]) if not isinstance(call.args[0], list) else [change(each) for each in call.args[0]]
    rest: list[Any] = []
    for position, each in enumerate(call.args[1:], start=1):
        if name in _INDEXED and isinstance(each, Activation | Weight | list):
            names = call.names[position]
            rest.append(_values(call, names))
        else:
            rest.append(map_values(each, change) if isinstance(each, (list, tuple)) else change(each))
    kwargs = {key: each for key, each in call.kwargs.items() if key not in ("dtype", "device", "layout", "pin_memory")}
    return operation(call.node.op)(first, *rest, **kwargs)


def _values(call: Call, names: Any) -> Any:
    if isinstance(names, (list, tuple)):
        return [None if each is None else call.walk.values[str(each)] for each in names]
    return call.walk.values[str(names)]


def _labels_of(call: Call, weight: Weight) -> Tensor | None:
    real = [axis for axis, size in enumerate(weight.shape) if size > 1]
    if len(real) > 1:
        return None
    if not real:
        return torch.full(weight.elements.shape, float(FREE), dtype=torch.float64)
    return torch.from_numpy(call.walk.labels.of_axis(weight, real[0])[weight.places()[real[0]]]).double()


def _each(result: Any, weight: Weight | None, *, alone: bool = False) -> Held:
    if isinstance(result, (list, tuple)):
        several = [_each(each, weight) for each in result]
        return several[0] if alone else several
    if weight is None:
        return Activation(result)
    return Weight(weight.name, weight.shape, result, weight.trained)
