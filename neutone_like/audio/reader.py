"""Reading audio files to their true end: what is missing, damaged or changed meanwhile is noticed, not left out."""

import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from neutone_like.audio.containers import find_extent, pass_tags, view_of
from neutone_like.audio.decoders import Decoder, SoundfileDecoder, open_decoder
from neutone_like.audio.extent import Extent
from neutone_like.audio.samples import Audio, require_finite
from neutone_like.audio.source import Source
from neutone_like.audio.unsized import require_whole_samples
from neutone_like.errors import AudioError

_PIECE_SAMPLES = 1 << 16


class AudioReader:
    """An open audio file. Use it as a context manager.

    Attributes:
        sample_rate: In Hz.
        channels: Of the file.
        samples: Of each channel. An estimate where ``length_is_exact`` is false, which only formats have that
            libsndfile does not decode.

    Raises:
        AudioError: No such file, no audio in it, damaged, or cut off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = 0
        self._file = _open(path)
        try:
            self._state = _state(self._file)
            self._decoder = self._open_decoder()
            self.sample_rate = _whole_rate(path, self._decoder.sample_rate)
        except BaseException:
            self._file.close()
            raise
        self.channels, self.samples = self._decoder.channels, self._decoder.samples
        self.length_is_exact = bool(getattr(self._decoder.file, "exact_duration_known", True))

    def __enter__(self) -> "AudioReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._decoder.close()
        self._file.close()

    def read(self, samples: int) -> Audio:
        """The next samples, fewer at the end and none after it.

        Raises:
            AudioError: Damaged, changed since it was opened, or a sample that is not finite.
        """
        try:
            x = self._decoder.read(samples)
        except Exception as error:  # both libraries have their own
            self._require_readable()
            raise AudioError(
                f"{self.path} is damaged or cut off: of {self.samples} samples, those after sample {self.position} "
                f"can't be decoded: {error} Use a whole copy of the file."
            ) from error
        if x.shape[1] == 0:
            self._require_readable()
            self._require_end()
        require_finite(x, self.position, self.sample_rate, str(self.path), "Repair the file before rendering it.")
        self.position += x.shape[1]
        return x

    def read_all(self) -> Audio:
        """All samples from here on, ``(channels, samples)``.

        Raises:
            AudioError: As for :meth:`read`.
        """
        pieces: list[Audio] = []
        while (x := self.read(_PIECE_SAMPLES)).shape[1] > 0:
            pieces.append(x)
        return np.concatenate(pieces, axis=1) if pieces else np.zeros((self.channels, 0), dtype=np.float32)

    def _open_decoder(self) -> Decoder:
        source = pass_tags(Source(self.path, self._file, self._state[1]))
        extent = find_extent(source)
        if extent is not None:
            extent.require_whole(source)
        self._view = view_of(source, extent)
        decoder = open_decoder(self.path, self._view)
        self._require_readable()
        if isinstance(decoder, SoundfileDecoder):
            require_whole_samples(source, decoder.file)
        _require_all(source, extent, decoder)
        return decoder

    def _require_readable(self) -> None:
        if self._view.failure is not None:
            reason = self._view.failure.strerror or self._view.failure
            raise AudioError(f"{self.path} can't be read: {reason}.") from self._view.failure
        if _state(self._file) != self._state:
            raise AudioError(f"{self.path} was changed while it was read. Read it again when it is finished.")

    def _require_end(self) -> None:
        if self.position < self.samples and self.length_is_exact:
            raise AudioError(
                f"{self.path} is damaged or cut off: expected {self.samples} samples, got {self.position}. "
                "Use a whole copy of the file."
            )


def _require_all(source: Source, extent: Extent | None, decoder: Decoder) -> None:
    """A decoder may believe a header that tells of nothing, or estimate."""
    held = source.size if extent is None else extent.stop(source) - extent.start
    least = extent.block if extent is not None else 0 if isinstance(decoder, SoundfileDecoder) else 1
    if decoder.samples == 0 and 0 < least <= held:
        raise AudioError(
            f"{source.path} can't be read: its header tells of 0 samples, and {held} bytes follow. Finish it with the "
            "program that recorded it, convert it to WAV or FLAC, or import it as raw data into an audio editor."
        )
    if extent is not None and extent.counted not in (None, decoder.samples):
        raise AudioError(
            f"{source.path} holds {extent.counted} samples, of which a decoder estimates {decoder.samples}. "
            "Convert it to WAV or FLAC first."
        )


def _open(path: Path) -> BinaryIO:
    try:
        if not path.exists():
            raise AudioError(f"There is no file {path}.")
        if not path.is_file():
            raise AudioError(f"Expected an audio file, got {path}, which is not a file.")
        file = path.open("rb", buffering=0)
    except (OSError, ValueError) as error:  # ValueError: a name with a null in it
        reason = getattr(error, "strerror", None) or error
        raise AudioError(f"{path} can't be opened: {reason}. Check its name and permissions.") from error
    if os.fstat(file.fileno()).st_size == 0:
        file.close()
        raise AudioError(f"{path} is an empty file: there is no audio in it.")
    return file  # type: ignore[return-value]


def _state(file: BinaryIO) -> tuple[int, int]:
    """When it was changed, and its size."""
    status = os.fstat(file.fileno())
    return status.st_mtime_ns, status.st_size


def _whole_rate(path: Path, rate: float) -> int:
    if rate != int(rate):
        raise AudioError(f"{path}: the sample rate must be a whole number of Hz, got {rate}.")
    return int(rate)
