"""Reading audio files, with damage noticed instead of played as silence."""

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from neutone_like.errors import AudioError
from neutone_like.extras import import_extra
from neutone_like.render.audio_arrays import Audio, require_finite

# Headers of WAV streams whose writer did not know the length hold a number near one of these, in bytes.
PLACEHOLDER_BYTES = (1 << 31, 1 << 32)
PLACEHOLDER_SLACK = 1 << 16


def pedalboard_io() -> Any:
    """The module ``pedalboard.io``.

    Raises:
        MissingExtraError: pedalboard is not installed.
    """
    return import_extra("pedalboard.io", extra="render", purpose="Rendering audio files")


class AudioReader:
    """An open audio file. Use it as a context manager.

    libsndfile decodes wherever it can: it notices most damage, and leaves out the padding that MP3 encoders add, so
    that an MP3 is as long as what was encoded. What it does not know goes to pedalboard.

    Attributes:
        sample_rate: In Hz.
        channels: How many.
        samples: Of each channel. An estimate where ``length_is_exact`` is false (MP3 without a length in it).

    Raises:
        AudioError: No such file, no audio in it, or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = 0
        _require_file(path)
        self._soundfile: Any = _open_soundfile(path)
        self._pedalboard: Any = _open_pedalboard(path, required=self._soundfile is None)
        self.length_is_exact = bool(getattr(self._pedalboard, "exact_duration_known", True))
        if self._soundfile is not None:
            self.sample_rate, self.channels = int(self._soundfile.samplerate), int(self._soundfile.channels)
            self.samples = int(self._soundfile.frames)
            self._require_all_of_it()
        else:
            self.sample_rate, self.channels = _whole_rate(path, self._pedalboard), int(self._pedalboard.num_channels)
            self.samples = int(self._pedalboard.frames)

    def __enter__(self) -> "AudioReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for file in (self._soundfile, self._pedalboard):
            if file is not None:
                file.close()

    def read(self, samples: int) -> Audio:
        """The next samples, fewer at the end and none after it.

        Raises:
            AudioError: Damaged, or a sample that is not finite.
        """
        try:
            x = self._decode(samples)
        except Exception as error:  # both libraries have their own
            raise AudioError(
                f"{self.path} is damaged: nothing can be read after sample {self.position}: {error}"
            ) from error
        if x.shape[1] == 0 and self.position < self.samples and self.length_is_exact:
            raise AudioError(
                f"{self.path} is damaged or cut off: expected {self.samples} samples, got {self.position}. "
                "Use a whole copy of the file."
            )
        require_finite(x, self.position, self.sample_rate, str(self.path), "Repair the file before rendering it.")
        self.position += x.shape[1]
        return x

    def _decode(self, samples: int) -> Audio:
        if self._soundfile is not None:
            frames = self._soundfile.read(samples, dtype="float32", always_2d=True)
            return np.ascontiguousarray(frames.T)
        return np.asarray(self._pedalboard.read(samples), dtype=np.float32).reshape(self.channels, -1)

    def _require_all_of_it(self) -> None:
        """libsndfile adjusts the length of a WAV or AIFF file that is cut off; pedalboard gives the header's."""
        if self._pedalboard is None or self._soundfile.format not in ("WAV", "WAVEX", "AIFF"):
            return
        promised = int(self._pedalboard.frames)
        bits = int(self._pedalboard.file_dtype.strip("abcdefghijklmnopqrstuvwxyz"))  # such as "int24"
        total_bytes = promised * self.channels * bits // 8
        placeholder = any(abs(total_bytes - size) <= PLACEHOLDER_SLACK for size in PLACEHOLDER_BYTES)
        if promised > self.samples and not placeholder:
            raise AudioError(
                f"{self.path} is cut off: its header promises {promised} samples, the file holds {self.samples}. "
                "Use a whole copy of the file."
            )


def _require_file(path: Path) -> None:
    if not path.exists():
        raise AudioError(f"There is no file {path}.")
    if not path.is_file():
        raise AudioError(f"Expected an audio file, got {path}, which is not a file.")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise AudioError(f"{path} can't be opened: {error.strerror}. Check its permissions.") from error
    if empty:
        raise AudioError(f"{path} is an empty file: there is no audio in it.")


def _open_soundfile(path: Path) -> Any:
    import soundfile  # here, since most users of the package read no files

    try:
        return soundfile.SoundFile(path)
    except (soundfile.SoundFileError, TypeError):  # TypeError: headerless formats want to be told what they are
        return None


def _open_pedalboard(path: Path, required: bool) -> Any:
    try:
        return pedalboard_io().AudioFile(str(path))
    except (ValueError, RuntimeError) as error:
        if not required:
            return None
        formats = ", ".join(sorted(pedalboard_io().get_supported_read_formats()))
        raise AudioError(f"{path} can't be read as audio: {error} Formats read here: {formats}.") from error


def _whole_rate(path: Path, file: Any) -> int:
    if file.samplerate != int(file.samplerate):
        raise AudioError(f"{path}: the sample rate must be a whole number of Hz, got {file.samplerate}.")
    return int(file.samplerate)
