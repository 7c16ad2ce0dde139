"""A WAV file that grows while sound comes in, and is whole whenever the process ends.

Its header is brought up to date every two seconds, so that any program can read a recording up to there even if the
process was killed; what is ours reads it to its end, since the header says that it was not finished.
Beyond 4 GiB it becomes RF64 in place (EBU Tech 3306), for which room is kept in the header.
"""

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from neutone_like.audio.riff import STILL_GROWS
from neutone_like.errors import AudioError

_HEADER_BYTES = 12 + 8 + 28 + 8 + 18 + 8 + 4 + 8
_MOST_RIFF_BYTES = 0xFFFF_FFFF - _HEADER_BYTES
_FLOAT = 3  # WAVE_FORMAT_IEEE_FLOAT
_UPDATE_SECONDS = 2.0


class GrowingWave:
    """Takes float32 frames. It never raises while it records: :attr:`error` says what went wrong.

    Args:
        path: Must not exist.
        sample_rate: In Hz.
        channels: Of every frame.

    Raises:
        AudioError: The file is there already, or can't be made.
    """

    def __init__(self, path: Path, sample_rate: int, channels: int) -> None:
        self.path = path
        self.error = ""
        self.samples = 0
        self._rate = sample_rate
        self._channels = channels
        self._header_at = 0
        if path.suffix.lower() != ".wav":
            raise AudioError(f"A recording's name must end in .wav, got {path.name!r}.")
        try:
            self._file = path.open("xb", buffering=0)
        except FileExistsError as error:
            raise AudioError(
                f"{path} is there already, and a recording replaces nothing. Choose another name, or remove the file."
            ) from error
        except OSError as error:
            raise AudioError(f"{path} can't be recorded to: {error.strerror or error}.") from error
        self._write(self._header())

    @property
    def is_open(self) -> bool:
        """Whether it still takes sound."""
        return not self.error and not self._file.closed

    def write(self, frames: npt.NDArray[np.float32]) -> None:
        """Append ``[samples, channels]``."""
        if not self.is_open:
            return
        self._write(np.ascontiguousarray(frames, "<f4").tobytes())
        if self.samples - self._header_at > _UPDATE_SECONDS * self._rate:
            self._update_header()

    def write_silence(self, samples: int) -> None:
        """Append silence, in pieces."""
        piece = np.zeros((min(samples, 1 << 16), self._channels), np.float32)
        while samples > 0 and self.is_open:
            self.write(piece[:samples])
            samples -= len(piece)

    def close(self) -> None:
        """Finish the file. Twice does nothing."""
        if self._file.closed:
            return
        self._update_header(still_grows=False)
        try:
            self._file.close()
        except OSError as error:  # what a network's disk says last
            self.error = self.error or f"{self.path}: {error.strerror or error}"

    def _write(self, content: bytes) -> None:
        """All of it, or as many whole frames as there is room for."""
        view = memoryview(content)
        try:
            while view:
                view = view[self._file.write(view) or 0 :]
        except OSError as error:
            self.error = f"{self.path}: {error.strerror or error}"
        self.samples = max(0, self._file.tell() - _HEADER_BYTES) // self._frame_bytes

    def _update_header(self, still_grows: bool = True) -> None:
        """In place, which takes no room on the disk."""
        try:
            self._file.truncate(_HEADER_BYTES + self.samples * self._frame_bytes)
            self._file.seek(0)
            self._file.write(self._header(still_grows))
            self._file.seek(0, 2)
        except OSError as error:
            self.error = self.error or f"{self.path}: {error.strerror or error}"
        self._header_at = self.samples

    @property
    def _frame_bytes(self) -> int:
        return 4 * self._channels

    def _header(self, still_grows: bool = True) -> bytes:
        data = self.samples * self._frame_bytes
        frame = self._frame_bytes
        form = struct.pack("<HHIIHHH", _FLOAT, self._channels, self._rate, self._rate * frame, frame, 32, 0)
        riff = data + _HEADER_BYTES - 8
        is_long = data > _MOST_RIFF_BYTES
        junk = STILL_GROWS if still_grows else b""
        ds64 = struct.pack("<QQQI", riff, data, self.samples, 0) if is_long else junk.ljust(28, b"\0")
        full = 0xFFFF_FFFF
        return b"".join(
            (
                b"RF64" if is_long else b"RIFF",
                struct.pack("<I", full if is_long else riff),
                b"WAVE",
                (b"ds64" if is_long else b"JUNK") + struct.pack("<I", 28) + ds64,
                b"fmt " + struct.pack("<I", len(form)) + form,
                b"fact" + struct.pack("<II", 4, full if is_long else self.samples),
                b"data" + struct.pack("<I", full if is_long else data),
            )
        )
