"""Latency arithmetic: how long a host waits for the output of its input, as whole numbers over one denominator.

With ``up / down`` = model rate / host rate in lowest terms, host blocks of ``H`` and model blocks of ``M`` samples:

After ``n`` host samples the model has been given ``ceil(n * up / down)`` samples and has run on the whole blocks
among them. What waits for the rest of its block, at the moments when the host calls (``n`` a multiple of ``H``), is
at most the largest multiple of ``gcd(H * up, M * down) / down`` that is no larger than ``M - 1``. At equal rates that
is ``M - gcd(H, M)`` (S. Letz, "Callback Adaptation Techniques", 2001), and ``M - 1`` for a host whose blocks vary
(``H = 1``).
"""

import math


def buffering_numerator(host_block: int, model_block: int, up: int, down: int) -> int:
    """Buffering in model samples, times ``down``."""
    step = math.gcd(host_block * up, model_block * down)
    return ((model_block - 1) * down // step) * step


def total_latency_samples(
    up: int, down: int, half_width_in: int, half_width_out: int, model_delay: int, buffering: int
) -> int:
    """The whole latency in host samples: resample in + buffering + model + resample out, rounded up once.

    Args:
        up, down: Model rate / host rate in lowest terms; equal rates have no resamplers and no half widths.
        half_width_in: Of the filter towards the model, in host samples.
        half_width_out: Of the filter back, in model samples.
        model_delay: In model samples.
        buffering: From :func:`buffering_numerator`.
    """
    if up == down:
        return buffering // down + model_delay
    numerator = down * (half_width_out + model_delay) + buffering + up * (half_width_in - 1) - 1
    return -(-numerator // up)


def first_output_end(
    up: int, down: int, half_width_in: int, half_width_out: int, model_delay: int, latency_samples: int
) -> int:
    """Where the output resampler starts (times ``down``, in model samples) so that ``latency_samples`` is exact.

    Model sample ``m`` belongs to host time ``(m * down + 1) / up - half_width_in``; the fraction that rounding the
    latency up left over becomes part of the resampler's starting phase.
    """
    return down * (half_width_out + model_delay) + up * (half_width_in - latency_samples) - 1
