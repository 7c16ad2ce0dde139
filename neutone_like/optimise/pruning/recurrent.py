"""Recurrent layers: a unit is its gates' rows, the columns that hear it, and its place in the states."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from neutone_like.optimise.pruning.labels import Activation, Ids, Weight, first_along
from neutone_like.optimise.pruning.walk import Call, Held, Product, lock, locked_result

_GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


def recurrent(call: Call) -> Held:
    """``lstm``, ``gru`` and ``rnn``: all layers and directions have one number of units, so that they go together."""
    kind = call.node.op.removeprefix("aten::").partition(".")[0]
    x, states, weights = call.args[0], call.args[1], call.args[2]
    if not isinstance(weights, list) or not all(isinstance(each, Weight) and each.trained for each in weights):
        return lock(call, f"{call.node.place} has packed sequences, or weights that are computed")
    has_bias, layers, bidirectional = bool(call.args[3]), int(call.args[4]), bool(call.args[7])
    directions = 2 if bidirectional else 1
    each_has = len(weights) // (layers * directions)
    cells = [
        _Cell(call, weights[at : at + each_has], _GATES[kind], has_bias) for at in range(0, len(weights), each_has)
    ]
    for other in cells[1:]:
        call.walk.labels.unite(other.units, cells[0].units)
        call.walk.labels.unite(other.heard, cells[0].heard)
    call.walk.units.update(int(each) for each in cells[0].units if each > 0)
    _inputs(call, x, cells, directions)
    held = [states] if isinstance(states, Activation | Weight) else [each for each in states if each is not None]
    for at, state in enumerate(held):  # the output, then what is inside of an LSTM
        if isinstance(state, Activation):
            ids = torch.from_numpy(cells[0].heard if at == 0 else cells[0].units).double()
            call.walk.labels.unite(state.labels, ids.expand(state.labels.shape))
        else:
            return lock(call, f"{call.node.place} begins with a state that is a weight")
    return _results(call, cells, directions)


class _Cell:
    """The weights of one layer in one direction, united."""

    def __init__(self, call: Call, weights: list[Weight], gates: int, has_bias: bool) -> None:
        unite, of_axis = call.walk.labels.unite, call.walk.labels.of_axis
        into, back = weights[0], weights[1]
        projection = weights[-1] if len(weights) == (5 if has_bias else 3) else None
        hidden = into.shape[0] // gates
        self.into = into
        rows = of_axis(into, 0)
        self.units: Ids = rows[:hidden]
        for weight in (into, back, *(weights[2:4] if has_bias else ())):
            unite(of_axis(weight, 0).reshape(gates, hidden), np.broadcast_to(self.units, (gates, hidden)))
        self.heard: Ids = self.units
        if projection is not None:
            unite(_axis(call, projection, 1), self.units)
            self.heard = _axis(call, projection, 0)
            call.walk.made.add((projection.name, 0))
        unite(_axis(call, back, 1), self.heard)
        call.walk.made.update({(into.name, 0), (back.name, 0)})


def _axis(call: Call, weight: Weight, axis: int) -> Ids:
    return call.walk.labels.of_axis(weight, axis)


def _inputs(call: Call, x: Activation, cells: list[_Cell], directions: int) -> None:
    for at, cell in enumerate(cells):
        columns = _axis(call, cell.into, 1) if cell.into.shape[1] > 1 else None
        if at >= directions:  # a layer above hears the units of all directions
            below = np.concatenate(
                [each.heard for each in cells[at - at % directions - directions : at - at % directions]]
            )
            call.walk.labels.unite(_axis(call, cell.into, 1), below)
            continue
        channels = x.labels.movedim(-1, 0).reshape(x.labels.shape[-1], -1)
        first = first_along(channels, (1,))
        call.walk.labels.unite(channels, first.expand_as(channels))
        heard = first[:, 0].numpy()
        if columns is None:
            call.walk.labels.lock(heard)
            continue
        call.walk.labels.unite(heard, columns)
        call.walk.labels.lock(columns[heard < 0])
        call.walk.products.append(Product(cell.into.name, 1, np.arange(len(columns)), str(call.names[0]), -1))


def _results(call: Call, cells: list[_Cell], directions: int) -> Held:
    results: list[Any] = list(call.result)
    last = np.concatenate([each.heard for each in cells[-directions:]])
    made = [_like(last, results[0]), _like(cells[0].heard, results[1])]
    if len(results) == 3:
        made.append(_like(cells[0].units, results[2]))
    return list(made) if all(isinstance(each, Tensor) for each in results) else locked_result(call.result)


def _like(ids: Ids, result: Tensor) -> Activation:
    return Activation(torch.from_numpy(np.asarray(ids)).double().expand(result.shape).contiguous())
