"""Where an offline model's input comes from: one file for each, read together; or nothing but time."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from neutone_like.audio import AudioReader
from neutone_like.errors import AudioError
from neutone_like.render.audio_arrays import Audio
from neutone_like.render.offline_plugin import OfflinePlugin


class InputCountError(AudioError):
    """More or fewer files than the model has inputs."""


class Inputs(ABC):
    """What goes in, piece by piece.

    Attributes:
        sample_rate: In Hz.
        samples: How many there will be, as far as that is known.
        length_is_exact: Whether it is.
        position: How many were read.
    """

    sample_rate: int
    samples: int
    length_is_exact: bool
    position: int = 0

    @abstractmethod
    def read(self, samples: int) -> tuple[list[Audio], int]:
        """The next samples of each, fewer at the end; and how many they are, 0 after the end."""


class FileInputs(Inputs):
    """Audio files, one for each input.

    Raises:
        AudioError: Rates or lengths differ, a file is empty, or its channels are not what the model takes.
    """

    def __init__(self, readers: Sequence[AudioReader], plugin: OfflinePlugin) -> None:
        self._readers = readers
        first = readers[0]
        self.sample_rate = first.sample_rate
        self.length_is_exact = all(reader.length_is_exact for reader in readers)
        self.samples = first.samples
        for reader, channels in zip(readers, plugin.audio_in_channels, strict=True):
            if reader.samples == 0:
                raise AudioError(f"{reader.path} holds no audio: it is 0 samples long.")
            if reader.sample_rate != first.sample_rate:
                raise AudioError(
                    f"All inputs must have one sample rate, got {first.sample_rate} Hz in {first.path} and "
                    f"{reader.sample_rate} Hz in {reader.path}. Convert one of them first."
                )
            if self.length_is_exact and reader.samples != first.samples:
                self._refuse_lengths(first.path, first.samples, reader.path, reader.samples)
            _require_channels(plugin.name, reader, channels)

    def read(self, samples: int) -> tuple[list[Audio], int]:
        pieces = [reader.read(samples) for reader in self._readers]
        count = pieces[0].shape[1]
        for reader, piece in zip(self._readers, pieces, strict=True):
            if piece.shape[1] != count:
                first = self._readers[0]
                self._refuse_lengths(first.path, first.position, reader.path, reader.position)
        self.position += count
        return pieces, count

    def _refuse_lengths(self, first: Path, first_samples: int, other: Path, other_samples: int) -> None:
        raise AudioError(
            f"All inputs must be equally long, got {first_samples} samples in {first} and {other_samples} in {other}. "
            "Add silence to the shorter one, or cut the longer one."
        )


class NoInputs(Inputs):
    """A generator's: ``samples`` of time, 0 where the generator decides."""

    length_is_exact = True

    def __init__(self, sample_rate: int, samples: int) -> None:
        self.sample_rate = sample_rate
        self.samples = samples

    def read(self, samples: int) -> tuple[list[Audio], int]:
        count = min(samples, self.samples - self.position)
        self.position += count
        return [], count


def _require_channels(name: str, reader: AudioReader, channels: int) -> None:
    if reader.channels == channels or (channels <= 2 and reader.channels <= 2):
        return
    allowed = "mono or stereo (1 or 2 channels)" if channels <= 2 else f"{channels} channels"
    raise AudioError(
        f"{name} takes {allowed}, got {reader.channels} channels in {reader.path}. Split or mix the audio down first."
    )
