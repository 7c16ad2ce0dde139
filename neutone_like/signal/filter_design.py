"""The windowed-sinc filter behind every rate conversion, designed here once for Python and native code alike.

A Kaiser window of half width ``H`` (J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window
function", 1974) trades stop-band depth ``A`` in dB against the width of the transition band::

    beta = 0.1102 (A - 8.7)                    transition = (A - 7.95) / (14.36 * 2 H)  of the sampling rate

The transition band is put so that its upper end lies just above half of the slower rate: what aliases there stays
above the pass band.
"""

import math
from typing import Tuple

import torch
from torch import Tensor

from neutone_like.errors import AudioError, ModelError

QUALITIES = ("high", "fast")


def filter_specification(quality: str) -> Tuple[int, float, float]:
    """Half width in samples of the slower rate, Kaiser beta, and cut-off (-6 dB) as a fraction of the slower rate."""
    if quality == "high":
        return 48, 11.8, 0.4815
    if quality == "fast":
        return 32, 10.0, 0.4620
    raise ModelError("quality must be 'high' or 'fast', got '" + quality + "'")


def half_width_samples(up: int, down: int, quality: str) -> int:
    """Half the filter's length in its own input samples: a whole number, so that every delay stays rational."""
    half_width, _, _ = filter_specification(quality)
    return max(half_width, (half_width * down) // up)


def polyphase_table(up: int, down: int, quality: str) -> Tensor:
    """The filter's taps for every phase of an ``up/down`` conversion.

    Returns:
        float64 ``[up, 2 * half_width_samples]``. Row ``r`` holds the taps for an output whose window ends ``r / up``
        of an input sample before its last input; column ``j`` weighs the ``j``-th oldest input. Every row sums to 1.
    """
    _, beta, cutoff = filter_specification(quality)
    half_width = half_width_samples(up, down, quality)
    cutoff = cutoff * min(1.0, up / down)  # cycles per input sample
    tap = torch.arange(2 * half_width, dtype=torch.float64)
    phase = torch.arange(up, dtype=torch.float64)
    time = tap.unsqueeze(0) - float(half_width) + phase.unsqueeze(1) / float(up)
    inside = (1.0 - torch.pow(time / float(half_width), 2.0)).clamp(min=0.0)
    window = torch.i0(beta * torch.sqrt(inside)) * (inside > 0.0)
    taps = torch.sinc(2.0 * cutoff * time) * window
    return taps / taps.sum(dim=1, keepdim=True)


def require_usable_ratio(in_rate: int, out_rate: int, quality: str) -> None:
    """Refuse rates whose conversion needs a table that is too large.

    Raises:
        AudioError: Names the rates, and the size of the table.
    """
    up, down = reduced_ratio(out_rate, in_rate)
    taps = 2 * half_width_samples(up, down, quality)
    if up * taps > 16_000_000:
        raise AudioError(
            f"Converting {in_rate} Hz to {out_rate} Hz needs a filter with {up} phases of {taps} taps, "
            "which is too large. Use rates with a larger common divisor."
        )


def reduced_ratio(out_rate: int, in_rate: int) -> Tuple[int, int]:
    """``out_rate / in_rate`` in lowest terms."""
    divisor = math.gcd(out_rate, in_rate)
    return out_rate // divisor, in_rate // divisor
