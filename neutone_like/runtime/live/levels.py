"""How loud, in words that a musician reads."""

import math

SILENCE_DB = -120.0


def decibels(peak: float) -> float:
    """A peak amplitude in dB of full scale; at least -120."""
    return max(SILENCE_DB, 20.0 * math.log10(peak)) if peak > 0.0 else SILENCE_DB
