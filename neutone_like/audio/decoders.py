"""The libraries that decode: libsndfile wherever it can, pedalboard for what else the system knows."""

import threading
from pathlib import Path
from typing import Any

import numpy as np

from neutone_like.audio.samples import Audio
from neutone_like.audio.source import View
from neutone_like.errors import AudioError, MissingExtraError
from neutone_like.extras import import_extra
from neutone_like.uninterrupted import uninterrupted


def pedalboard_io() -> Any:
    """The module ``pedalboard.io``.

    Raises:
        MissingExtraError: pedalboard is not installed.
    """
    return import_extra("pedalboard.io", extra="render", purpose="Rendering audio files")


class Decoder:
    """An open file of either library.

    Attributes:
        sample_rate: In Hz.
        channels, samples: How many; ``samples`` of each channel, as the library says.
        file: The library's.
    """

    def __init__(self, file: Any, sample_rate: float, channels: int, samples: int) -> None:
        self.file = file
        self.sample_rate = sample_rate
        self.channels = channels
        self.samples = samples

    def read(self, samples: int) -> Audio:
        """The next ``(channels, samples)``, fewer at the end."""
        raise NotImplementedError

    def close(self) -> None:
        self.file.close()


class SoundfileDecoder(Decoder):
    """libsndfile."""

    def __init__(self, file: Any) -> None:
        super().__init__(file, file.samplerate, file.channels, file.frames)
        self._lock = threading.Lock()  # a second Ctrl-C may close the file while it is read

    def read(self, samples: int) -> Audio:
        return uninterrupted(lambda: self._read(samples))

    def close(self) -> None:
        uninterrupted(self._close)

    def _read(self, samples: int) -> Audio:
        with self._lock:
            return np.ascontiguousarray(self.file.read(samples, dtype="float32", always_2d=True).T)

    def _close(self) -> None:
        with self._lock:
            self.file.close()


class PedalboardDecoder(Decoder):
    """pedalboard, which on some systems reads what the system plays, such as AAC."""

    def read(self, samples: int) -> Audio:
        return np.asarray(self.file.read(samples), dtype=np.float32).reshape(self.channels, -1)


def open_decoder(path: Path, view: View) -> Decoder:
    """The first library that takes the file.

    Raises:
        AudioError: None does.
    """
    return open_soundfile(path, view) or _open_pedalboard(path)


def open_soundfile(path: Path, view: View) -> SoundfileDecoder | None:
    """libsndfile's decoder, if it knows the format."""
    import soundfile

    from neutone_like.audio.forward_file import ForwardFile

    # What Sound Designer II says of a file lies in another one beside it.
    file: Any = path if path.suffix.lower() == ".sd2" else view
    try:
        return SoundfileDecoder(uninterrupted(lambda: ForwardFile(file)))
    except (soundfile.SoundFileError, TypeError, ValueError):  # headerless formats want to be told what they are
        return None


def _open_pedalboard(path: Path) -> PedalboardDecoder:
    try:
        io = pedalboard_io()
    except MissingExtraError as error:
        raise AudioError(f"{path} can't be read as audio: libsndfile does not know its format.") from error
    try:
        file = io.AudioFile(str(path))
    except (ValueError, RuntimeError, OSError) as error:  # UnicodeEncodeError is a ValueError
        formats = ", ".join(sorted(io.get_supported_read_formats()))
        raise AudioError(f"{path} can't be read as audio: {error} Formats read here: {formats}.") from error
    return PedalboardDecoder(file, file.samplerate, int(file.num_channels), int(file.frames))
