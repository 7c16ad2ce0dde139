"""When a model that is no filter answers: bursts of noise go in, and it is seen when its level rises.

Codecs, vocoders and whatever else works in frames have no impulse response, but most of them are loud when their input
is. That tells a delay, to about the length of a frame. A slow attack is no delay: it begins at once.
"""

from collections.abc import Callable

import numpy as np
from torch import Tensor

from neutone_like.validate import signals
from neutone_like.validate.measure import FloatArray

ONSETS_SECONDS = (0.25, 0.6, 0.97)
BURST_SECONDS = 0.12
SECONDS = 1.3
LONGEST_SECONDS = 0.2
HOP_SAMPLES = 32
RISEN = 0.1  # of the loudest that this burst gives
MOST_BEFORE = 0.05  # of that, while nothing has come in yet


def level_lag(play: Callable[[Tensor], FloatArray], rate: int, frame: int) -> int | None:
    """How many samples after bursts of noise the level rises; None where it does not, or at no steady distance.

    Args:
        play: The model: one channel ``[1, samples]`` in, one channel out, of the same length.
        rate: In Hz.
        frame: The length of a frame, in samples: by so much a rise may come before its burst.
    """
    x = signals.bursts(rate, ONSETS_SECONDS, BURST_SECONDS, SECONDS)
    level = _level(play(x))
    found = [_rise(level, round(onset * rate), rate, frame) for onset in ONSETS_SECONDS]
    rises = [rise for rise in found if rise is not None]
    if len(rises) < len(found):
        return None
    return int(np.median(rises))


def _level(y: FloatArray) -> FloatArray:
    """RMS of every hop."""
    hops = y[: y.size // HOP_SAMPLES * HOP_SAMPLES]
    return np.sqrt(np.mean(np.square(hops.reshape(-1, HOP_SAMPLES)), axis=1))


def _rise(level: FloatArray, onset: int, rate: int, frame: int) -> int | None:
    """Samples from an onset to where the level has risen; None where it was there before, or never comes."""
    first = (onset - frame) // HOP_SAMPLES
    ahead = (frame + round((BURST_SECONDS + LONGEST_SECONDS) * rate)) // HOP_SAMPLES
    quiet = round(0.02 * rate) // HOP_SAMPLES
    during, before = level[first : first + ahead], level[max(0, first - quiet) : first]
    loudest = float(during.max())
    if loudest < 1e-6 or before.size == 0 or float(before.max()) > MOST_BEFORE * loudest:
        return None
    risen = int(np.argmax(during > RISEN * loudest))
    return risen * HOP_SAMPLES - frame
