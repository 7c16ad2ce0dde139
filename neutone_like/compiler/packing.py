"""Weights in the order in which kernels read them; ``native/src/kernels/kernel_ids.hpp`` says which."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from neutone_like.compiler.kernels import KernelId
from neutone_like.compiler.packed_constants import Piece
from neutone_like.compiler.plan import Weights
from neutone_like.compiler.weight_grids import find_grid

LEAST_SHORT_UNITS = 80
"""Of a recurrent layer whose weights stay in 8 or 16 bits. On an AVX-512 core (Zen 4) an LSTM of 80 units took 0.55 x
float32's time in int8 and 0.72 x in fp16, of 256 0.36 and 0.55; up to 64 float32's sums stay in registers."""

LEAST_SHORT_SHARED = 32
"""Rows that share a scale: of fewer, float32 scales are a large part of the bytes, and applying them of the time."""

PANEL = 4
_FLOATS = 0
_FORMS = {16: 1, 8: 2}
_LEAST_HALF_POWER = 10  # of 2: what makes every half a normal one
_LANES = 16
_LOG2_E = 1.0 / math.log(2.0)
_GATE_FACTORS = {
    KernelId.LSTM: (-_LOG2_E, -_LOG2_E, -2.0 * _LOG2_E, -_LOG2_E),
    KernelId.GRU: (-_LOG2_E, -_LOG2_E, -2.0 * _LOG2_E),
    KernelId.RNN: (1.0,),
}


def packed_panels(weights: Sequence[Weights]) -> Weights:
    """``[groups, outputs, rows]`` of each segment as panels of four outputs, all segments' rows in one."""
    whole = np.concatenate(weights, axis=2)
    groups, outputs, rows = whole.shape
    panels = -(-outputs // PANEL)
    padded = np.zeros((groups, panels * PANEL, rows))
    padded[:, :outputs] = whole
    return padded.reshape(groups, panels, PANEL, rows).transpose(0, 1, 3, 2).ravel()


def packed_bias(bias: Weights) -> Weights:
    """``[groups, outputs]`` with outputs up to whole panels."""
    groups, outputs = bias.shape
    padded = np.zeros((groups, -(-outputs // PANEL) * PANEL))
    padded[:, :outputs] = bias
    return padded.ravel()


def pieces_of_panels(weights: Sequence[Weights]) -> list[Piece]:
    """Where each segment's weights lie in :func:`packed_panels`."""
    groups, outputs, _ = weights[0].shape
    sizes = [each.shape[2] for each in weights]
    panels, whole = groups * -(-outputs // PANEL), PANEL * sum(sizes)
    starts = np.cumsum([0, *sizes[:-1]])
    return [Piece(PANEL * int(at), panels, rows, PANEL, whole) for at, rows in zip(starts, sizes, strict=True)]


def pieces_of_recurrent(kernel: KernelId, hidden: int, inputs: int) -> list[Piece]:
    """Where the two matrices of a recurrent layer lie in its packed weights, and what else does."""
    factors = _GATE_FACTORS[kernel]
    lanes = len(factors) * (-(-hidden // _LANES) * _LANES)
    spare, second = hidden * lanes, (hidden + 1) * lanes
    return [
        Piece(0, 1, hidden, lanes, factors=factors),
        Piece(spare, 1, 1, lanes),
        Piece(second, 1, inputs, lanes, factors=factors),
    ]


@dataclass(frozen=True)
class Recurrent:
    """The weights of a recurrent layer.

    Attributes:
        values: All of them, as the kernel reads them.
        forms: The kernel's integers that say how they are stored; none where all are float32.
    """

    values: NDArray[np.float32]
    forms: list[int]


def packed_lstm(weights: Sequence[torch.Tensor]) -> Recurrent:
    """PyTorch's four (or two) tensors of a layer as one array."""
    inputs, hidden, biases = _numbers(weights)
    scale = _GATE_FACTORS[KernelId.LSTM]
    bias = sum(biases, np.zeros(len(hidden)))
    return _layout(hidden, inputs, scale, [_gates(bias[:, None], scale)])


def packed_gru(weights: Sequence[torch.Tensor]) -> Recurrent:
    """Alike, for the gates r, z, n."""
    inputs, hidden, biases = _numbers(weights)
    scale = _GATE_FACTORS[KernelId.GRU]
    size = len(hidden) // 3
    both = biases or [np.zeros(3 * size), np.zeros(3 * size)]
    first = both[0].copy()
    first[: 2 * size] += both[1][: 2 * size]
    own = both[1][2 * size :]
    return _layout(hidden, inputs, scale, [_gates(first[:, None], scale), _gates(own[:, None], scale[2:])])


def packed_rnn(weights: Sequence[torch.Tensor]) -> Recurrent:
    """Alike, for one gate."""
    inputs, hidden, biases = _numbers(weights)
    bias = sum(biases, np.zeros(len(hidden)))
    return _layout(hidden, inputs, (1.0,), [_gates(bias[:, None], (1.0,))])


def _numbers(weights: Sequence[torch.Tensor]) -> tuple[Weights, Weights, list[Weights]]:
    arrays = [each.to(torch.float64).numpy() for each in weights]
    return arrays[0], arrays[1], arrays[2:]


def _padded(matrix: Weights, scale: Sequence[float]) -> int:
    """The units of ``[gates * hidden, columns]`` up to whole vectors."""
    return -(-(len(matrix) // len(scale)) // _LANES) * _LANES


def _gates(matrix: Weights, scale: Sequence[float] | NDArray[np.float64]) -> Weights:
    """``[gates * hidden, columns]`` as ``[columns, gates * padded]``."""
    gates = len(scale)
    hidden = len(matrix) // gates
    padded = np.zeros((gates, -(-hidden // _LANES) * _LANES, matrix.shape[1]))
    padded[:, :hidden] = matrix.reshape(gates, hidden, -1) * np.asarray(scale)[:, None, None]
    return padded.reshape(-1, matrix.shape[1]).T


def _layout(hidden: Weights, inputs: Weights, scale: Sequence[float], biases: Sequence[Weights]) -> Recurrent:
    last = np.concatenate([each.ravel() for each in biases]).astype(np.float32)
    in_short = _short(hidden, scale) if hidden.shape[1] >= LEAST_SHORT_UNITS else None
    if in_short is None:
        spare = np.zeros((1, len(scale) * _padded(hidden, scale)))
        matrices = (_gates(hidden, scale), spare, _gates(inputs, scale))
        whole = np.concatenate([*(each.ravel() for each in matrices)]).astype(np.float32)
        return Recurrent(np.concatenate([whole, last]), [])
    of_inputs = _short(inputs, scale) or (_gates(inputs, scale).astype(np.float32).ravel(), [_FLOATS, 1])
    return Recurrent(np.concatenate([in_short[0], of_inputs[0], last]), in_short[1] + of_inputs[1])


def _short(matrix: Weights, scale: Sequence[float]) -> tuple[NDArray[np.float32], list[int]] | None:
    """Weights in 8 or 16 bits with scales, where that is what they are, and the form of it."""
    found = find_grid(matrix.T[None])
    if found is None or found.bits not in _FORMS or 0 < found.group < min(LEAST_SHORT_SHARED, matrix.shape[1]):
        return None
    whole = found.numbers[0].astype(np.float64)
    if found.bits == 8:
        scales = found.scales[0].astype(np.float64)
    else:
        # No number is below the smallest normal half, which some processors and browsers would have to be asked about.
        power = 15 - int(np.frexp(np.abs(whole).max())[1])
        if power < _LEAST_HALF_POWER:
            return None
        whole, scales = np.ldexp(whole, power), np.full((1, len(matrix)), 2.0**-power)
    rows = matrix.shape[1] + matrix.shape[1] % 2
    numbers = np.zeros((rows, len(scale) * _padded(matrix, scale)))
    numbers[: matrix.shape[1]] = _gates(whole.T, np.ones(len(scale)))
    panels = numbers.reshape(rows, -1, _LANES).transpose(1, 0, 2)
    if found.bits == 8:
        stored = panels.reshape(-1, rows // 2, 2, _LANES).swapaxes(2, 3).astype(np.int8)
    else:
        stored = panels.astype(np.float16)
    parts = (np.ascontiguousarray(stored).ravel().view(np.float32), _gates(scales.T, scale).astype(np.float32).ravel())
    group = rows if found.group in (0, matrix.shape[1]) else found.group
    return np.concatenate(parts), [_FORMS[found.bits], group]
