"""Takes what the audio thread put aside, and writes it to files."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neutone_like.printing import InNotebooks
from neutone_like.runtime.live.wave_file import GrowingWave

TAPE_SECONDS = 10.0  # of room between the audio thread and the files: for a disk that sleeps
_MOST_SAMPLES = 1 << 15
Take = Callable[[int], tuple[int, npt.NDArray[np.float32]]]


@dataclass(frozen=True)
class Recording(InNotebooks):
    """A file that was recorded.

    Attributes:
        path: The file.
        samples: How long it is, at the device's rate.
        seconds: The same.
        lost_samples: What is not in it: silence stands in the place of samples that the disk was too slow for, by ten
            seconds; with an ``error``, the end is missing.
        error: What kept the rest from being written, such as a full disk; empty where nothing did.
    """

    path: Path
    samples: int
    seconds: float
    lost_samples: int
    error: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            "path": str(self.path),
            "samples": self.samples,
            "seconds": self.seconds,
            "lost_samples": self.lost_samples,
            "error": self.error,
        }


class Track:
    """One file, and where its sound comes from.

    Args:
        file: Open.
        take: Gives the next samples, ``[samples, channels]``, at most so many, and how many were lost before them.
        lost: How many were lost in all.
        sample_rate: In Hz.
    """

    def __init__(self, file: GrowingWave, take: Take, lost: Callable[[], int], sample_rate: int) -> None:
        self._file = file
        self._take = take
        self._lost = lost
        self._rate = sample_rate
        self._filled = 0
        self._taken = 0

    def drain(self) -> bool:
        """Write what waits, but no more than a slow disk takes soon; False where there was nothing."""
        lost, frames = self._take(_MOST_SAMPLES)
        self._file.write_silence(lost)
        self._filled += lost
        self._file.write(frames)
        self._taken += len(frames)
        return len(frames) > 0

    def discard(self) -> None:
        """Take the file away again: nothing was played."""
        self._file.close()
        self._file.path.unlink(missing_ok=True)

    def finish(self) -> Recording:
        """Write the rest once the device has stopped, and close the file."""
        while self.drain():
            pass
        lost = self._lost()
        self._file.write_silence(lost - self._filled)  # at the very end, nothing came after them
        self._file.close()
        samples = self._file.samples
        unwritten = max(0, self._taken + lost - samples)
        return Recording(self._file.path, samples, samples / self._rate, lost + unwritten, self._file.error)
