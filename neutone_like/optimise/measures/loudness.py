"""Integrated loudness by ITU-R BS.1770-4: K-weighting, blocks of 400 ms, two gates."""

from typing import Any

import numpy as np

from neutone_like.optimise.measures import Signal

BLOCK_SECONDS = 0.4
STEP_SECONDS = 0.1
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
_OFFSET_DB = -0.691
_TAIL_SECONDS = 0.5  # by then the filters' response is below 1e-40
_PIECE_SECONDS = 5.0

# The analogue filters behind the standard's coefficients for 48 kHz: centre in Hz, Q, gain in dB.
_SHELF = (1681.974450955533, 0.7071752369554196, 3.999843853973347)
_HIGH_PASS = (38.13547087602444, 0.5003270373238773)


def loudness_lufs(x: Signal, sample_rate: int) -> float | None:
    """Loudness in LUFS, every channel with the weight 1; ``None`` below 400 ms, and where all is softer than -70."""
    block, step = round(BLOCK_SECONDS * sample_rate), round(STEP_SECONDS * sample_rate)
    if x.shape[1] < block:
        return None
    total = np.cumsum(np.concatenate(([0.0], np.sum(k_weighted(x, sample_rate) ** 2, axis=0))))
    starts = np.arange(0, x.shape[1] - block + 1, step)
    powers = np.maximum((total[starts + block] - total[starts]) / block, 1e-30)
    powers = powers[_lufs(powers) > ABSOLUTE_GATE_LUFS]
    if powers.size == 0:
        return None
    gate = float(_lufs(powers.mean())) + RELATIVE_GATE_LU
    return float(_lufs(powers[_lufs(powers) > gate].mean()))


def k_weighted(x: Signal, sample_rate: int) -> Signal:
    """The sound through both filters, piece by piece with the time before it in which they ring."""
    tail, piece = round(_TAIL_SECONDS * sample_rate), round(_PIECE_SECONDS * sample_rate)
    response = _response(sample_rate, piece + 2 * tail)
    y = np.empty_like(x)
    for start in range(0, x.shape[1], piece):
        before = min(start, tail)
        spectrum = np.fft.rfft(x[:, start - before : start + piece], piece + 2 * tail)
        y[:, start : start + piece] = np.fft.irfft(spectrum * response, piece + 2 * tail)[
            :, before : before + min(piece, x.shape[1] - start)
        ]
    return y


def _response(sample_rate: int, size: int) -> Any:
    """Of both filters, at the frequencies of a transform."""
    z = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    response = np.ones_like(z)
    for above, below in (_shelf(sample_rate), _high_pass(sample_rate)):
        response = response * np.polyval(above[::-1], z) / np.polyval(below[::-1], z)
    return response


Coefficients = tuple[list[float], list[float]]  # of z^0, z^-1, z^-2: numerator, denominator


def _shelf(sample_rate: int) -> Coefficients:
    frequency, q, gain_db = _SHELF
    k = np.tan(np.pi * frequency / sample_rate)
    high = 10.0 ** (gain_db / 20.0)
    band = high**0.4996667741545416
    above = [high + band * k / q + k * k, 2.0 * (k * k - high), high - band * k / q + k * k]
    return above, [1.0 + k / q + k * k, 2.0 * (k * k - 1.0), 1.0 - k / q + k * k]


def _high_pass(sample_rate: int) -> Coefficients:
    frequency, q = _HIGH_PASS
    k = np.tan(np.pi * frequency / sample_rate)
    scale = 1.0 + k / q + k * k
    return [scale, -2.0 * scale, scale], [scale, 2.0 * (k * k - 1.0), 1.0 - k / q + k * k]


def _lufs(power: Any) -> Any:
    return _OFFSET_DB + 10.0 * np.log10(power)
