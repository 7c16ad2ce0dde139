"""What the resampler does to a spectrum, computed from the taps that the artifact's wrapper uses."""

from dataclasses import dataclass

import numpy as np

from neutone_like.errors import AudioError
from neutone_like.signal.filter_design import polyphase_table, reduced_ratio
from neutone_like.validate.measure import FloatArray

MOST_TAPS = 4_000_000
FLAT_DB = 0.1
HALF_DB = 3.0
STOP_DB = -100.0


@dataclass(frozen=True)
class Conversion:
    """One direction. ``frequencies`` in Hz, ``gain_db`` of the filter that both removes what would alias and images."""

    in_rate: int
    out_rate: int
    frequencies: FloatArray
    gain_db: FloatArray

    @property
    def slower_rate(self) -> int:
        return min(self.in_rate, self.out_rate)

    @property
    def flat_to_hz(self) -> float:
        """Up to here, the gain is within :data:`FLAT_DB` of 0 dB."""
        return self._first(np.abs(self.gain_db) > FLAT_DB)

    @property
    def half_power_hz(self) -> float:
        """Where the gain falls below -3 dB."""
        return self._first(self.gain_db < -HALF_DB)

    @property
    def stops_from_hz(self) -> float:
        """From here on, the gain stays below :data:`STOP_DB`; infinite where it never does."""
        above = np.flatnonzero(self.gain_db >= STOP_DB)
        last = int(above[-1]) + 1 if above.size else 0
        return float(self.frequencies[last]) if last < self.frequencies.size else float("inf")

    @property
    def alias_db(self) -> float:
        """The strongest that anything folds back into, or is mirrored from, the flat part of the band."""
        mirrored = self.gain_db[self.frequencies >= self.slower_rate - self.flat_to_hz]
        return float(mirrored.max())

    def _first(self, condition: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
        found = np.flatnonzero(condition)
        return float(self.frequencies[found[0]]) if found.size else float(self.frequencies[-1])


def describe_conversion(in_rate: int, out_rate: int, quality: str) -> Conversion:
    """The filter of a conversion between two different rates (Hz), up to the slower rate.

    Raises:
        AudioError: The rates have so small a common divisor that the filter is too large to draw.
    """
    up, down = reduced_ratio(out_rate, in_rate)
    table = polyphase_table(up, down, quality)
    if table.numel() > MOST_TAPS:
        raise AudioError(f"The filter from {in_rate} to {out_rate} Hz has {table.numel()} taps, too many to draw.")
    prototype = table.t().reshape(-1).numpy() / up  # in the order of time, at the rate `in_rate * up`
    size = 1 << (16 * prototype.size - 1).bit_length()
    spacing = in_rate * up / size
    shown = int(min(in_rate, out_rate) / spacing) + 1
    gain = np.abs(np.fft.rfft(prototype, size))[:shown]
    gain_db = 20.0 * np.log10(np.maximum(gain, 1e-10))
    return Conversion(in_rate, out_rate, np.arange(shown, dtype=np.float64) * spacing, gain_db)
