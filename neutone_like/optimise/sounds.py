"""What is compared: the audio that goes in, and what a model, a function or a rendered file makes of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neutone_like.artifact import Artifact
from neutone_like.audio import AudioReader
from neutone_like.audio.samples import require_finite
from neutone_like.errors import AudioError, ModelError
from neutone_like.host import SampleQueueWrapper
from neutone_like.model import WaveformToWaveformBase
from neutone_like.numbers import whole_number
from neutone_like.render.audio_arrays import Audio, read_audio
from neutone_like.render.board import DEFAULT_BUFFER_SIZE, Board, require_lengths
from neutone_like.render.model_plugin import Model, ModelPlugin
from neutone_like.render.offline_plugin import is_offline
from neutone_like.render.torch_settings import inference_settings
from neutone_like.torch_settings import plain_settings

SOUND_FILES = (".aif", ".aiff", ".flac", ".mp3", ".ogg", ".wav")
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 1000, 768000  # loudness is of what is heard

Sound = np.ndarray[Any, Any] | Tensor | str | PathLike[str]
Sounds = Sound | Sequence[Sound]
Player = Model | ModelPlugin | Board | Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Recording:
    """One sound: float32 ``(channels, samples)``, finite, with its rate in Hz and a name for messages."""

    name: str
    samples: Audio
    sample_rate: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples.shape[1] / self.sample_rate


def read_sounds(sounds: Any, sample_rate: int | None, what: str) -> list[Recording]:
    """Arrays, paths of sound files, or a list of both.

    Raises:
        AudioError: None, one is no audio or not finite, or an array comes without a rate.
    """
    several = list(sounds) if isinstance(sounds, (list, tuple)) else [sounds]
    if not several:
        raise AudioError(f"{what}: expected at least one sound, got an empty list.")
    if sample_rate is not None:
        sample_rate = _checked_rate(sample_rate, "sample_rate")
    return [_read(each, sample_rate, f"{what} {number}") for number, each in enumerate(several, 1)]


def is_rendered(source: Any) -> bool:
    """Whether this is sound already, and nothing that makes some."""
    if isinstance(source, (list, tuple)):
        return all(is_rendered(each) for each in source)
    if isinstance(source, (str, PathLike)):
        return Path(source).suffix.lower() in SOUND_FILES
    return isinstance(source, (np.ndarray, Tensor))


def outputs(source: Any, inputs: list[Recording] | None, sample_rate: int | None, what: str) -> Iterator[Recording]:
    """What ``source`` gives for each input, one after the other, at the input's rate.

    Raises:
        AudioError: Not as many sounds as inputs, or one without audio to play.
        ModelError: Nothing that plays, or it failed.
    """
    if is_rendered(source):
        if sample_rate is None and inputs is not None and len({each.sample_rate for each in inputs}) == 1:
            sample_rate = inputs[0].sample_rate
        yield from read_sounds(source, sample_rate, what)
        return
    if inputs is None:
        raise AudioError(f"{what}: {_named(source)} makes its sound from audio. Pass audio, arrays or sound files.")
    play = _player(source, what)
    for each in inputs:
        made = play(each)
        require_finite(made, 0, each.sample_rate, f"{what}, playing {each.name}", "A model must give finite numbers.")
        yield Recording(each.name, made, each.sample_rate)


def _player(source: Any, what: str) -> Callable[[Recording], Audio]:
    if is_offline(source):
        raise ModelError(f"{what}: an offline model is compared by what it rendered: pass its sound file or array.")
    if isinstance(source, (Board, ModelPlugin, Artifact, SampleQueueWrapper, WaveformToWaveformBase, str, PathLike)):
        board = source if isinstance(source, Board) else Board([source])
        return lambda recording: _rendered(board, recording, what)
    if callable(source):
        return lambda recording: _called(source, recording, what)
    raise ModelError(
        f"{what}: expected a model, an artifact or its path, a Board, a function of a tensor (channels, samples), or "
        f"rendered sounds, got {_named(source)}."
    )


def _rendered(board: Board, recording: Recording, what: str) -> Audio:
    samples, rate = recording.samples, recording.sample_rate
    require_lengths(board, samples.shape[1])
    with board.in_use(), inference_settings(board.modules):
        stream = board.open_stream(rate, samples.shape[0], DEFAULT_BUFFER_SIZE)
        made = stream.process_all(samples)
    if stream.nonfinite_samples:
        raise AudioError(
            f"{what}, playing {recording.name}: every sample must be a finite number, got {stream.nonfinite_samples} "
            "samples of NaN or infinity, which a host would hear as silence. Repair the model before comparing it."
        )
    return made


def _called(function: Callable[[Tensor], Any], recording: Recording, what: str) -> Audio:
    with plain_settings():
        made = function(torch.from_numpy(recording.samples.copy()))
    try:
        return read_audio(made)[0]
    except AudioError as error:
        raise ModelError(
            f"{what}: {_named(function)} must return audio as a tensor (channels, samples). {error}"
        ) from error


def _read(sound: Any, sample_rate: int | None, what: str) -> Recording:
    if isinstance(sound, (str, PathLike)):
        return _read_file(Path(sound), sample_rate)
    if sample_rate is None:
        raise AudioError(f"{what}: an array has no rate of its own. Pass sample_rate, in Hz.")
    samples, _ = read_audio(sound)
    require_finite(samples, 0, sample_rate, what, "Remove it before comparing.")
    return Recording(what, samples, sample_rate)


def _read_file(path: Path, sample_rate: int | None) -> Recording:
    with AudioReader(path) as reader:
        if sample_rate not in (None, reader.sample_rate):
            raise AudioError(
                f"{path}: expected {sample_rate} Hz, got {reader.sample_rate} Hz. Convert one of them first."
            )
        return Recording(path.name, reader.read_all(), _checked_rate(reader.sample_rate, f"{path}: the rate"))


def _checked_rate(rate: int, what: str) -> int:
    return whole_number(rate, what, LOWEST_RATE_HZ, HIGHEST_RATE_HZ, unit="Hz", error=AudioError)


def _named(value: Any) -> str:
    return getattr(value, "__name__", type(value).__name__)
