"""Sounds as the Neutone SDK's scripts handle them."""

import base64
import io
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor
from torch.jit import ScriptModule

from neutone_like.artifact.writing.sample_audio import drum_loop, guitar_riff
from neutone_like.compat.neutone_sdk.constants import MAX_N_PARAMS
from neutone_like.compat.neutone_sdk.sqw import SampleQueueWrapper
from neutone_like.compat.neutone_sdk.wavform_to_wavform import WaveformToWaveformBase
from neutone_like.errors import AudioError, ParameterError
from neutone_like.signal.resampler import FirResampler
from neutone_like.uninterrupted import uninterrupted

_BLOCK_SIZE = 2048
_DEFAULT_RATE = 44100
_DEFAULT_SECONDS = 4.0


@dataclass
class AudioSample:
    """A sound, float32 ``[1 or 2, samples]``, and its rate in Hz.

    Raises:
        AudioError: Another shape.
    """

    audio: Tensor
    sr: int

    def __post_init__(self) -> None:
        if self.audio.dim() != 2 or self.audio.size(0) not in (1, 2):
            raise AudioError(f"Expected audio of shape (1 or 2 channels, samples), got {tuple(self.audio.shape)}.")

    def is_mono(self) -> bool:
        return self.audio.size(0) == 1

    def to_mp3_bytes(self) -> bytes:
        """The sound as an MP3 file.

        Raises:
            AudioError: MP3 has no such rate.
        """
        import soundfile  # here, because most users of this package never need it

        buffer = io.BytesIO()
        try:
            samples = self.audio.T.numpy()
            uninterrupted(lambda: soundfile.write(buffer, samples, self.sr, format="MP3", subtype="MPEG_LAYER_III"))
        except soundfile.LibsndfileError as error:
            raise AudioError(f"A sound at {self.sr} Hz can't be written as MP3: {error}") from error
        return buffer.getvalue()

    def to_mp3_b64(self) -> str:
        """The sound as an MP3 file in base64."""
        return base64.b64encode(self.to_mp3_bytes()).decode("ascii")

    @classmethod
    def from_bytes(cls, bytes_: bytes) -> "AudioSample":
        """Read any format that libsndfile does.

        Raises:
            AudioError: It does not read this.
        """
        import soundfile

        try:
            audio, rate = uninterrupted(lambda: soundfile.read(io.BytesIO(bytes_), dtype="float32", always_2d=True))
        except soundfile.LibsndfileError as error:
            raise AudioError(f"These {len(bytes_)} bytes can't be read as sound: {error}") from error
        return cls(torch.from_numpy(audio.T.copy()), rate)

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> "AudioSample":
        return cls.from_bytes(Path(path).read_bytes())

    @classmethod
    def from_b64(cls, b64_sample: str) -> "AudioSample":
        return cls.from_bytes(base64.b64decode(b64_sample))


@dataclass
class AudioSamplePair:
    """A sound before and after the model. ``output`` may be the list of one that :func:`render_audio_sample` gives."""

    input: AudioSample
    output: AudioSample

    def __post_init__(self) -> None:
        if isinstance(self.output, list) and len(self.output) == 1:
            self.output = self.output[0]

    def to_metadata_format(self) -> dict[str, str]:
        return {"in": self.input.to_mp3_b64(), "out": self.output.to_mp3_b64()}


def get_default_audio_samples() -> list[AudioSample]:
    """A guitar riff and a drum loop."""
    return [AudioSample(make(_DEFAULT_RATE, _DEFAULT_SECONDS), _DEFAULT_RATE) for make in (guitar_riff, drum_loop)]


def render_audio_sample(
    model: WaveformToWaveformBase | SampleQueueWrapper | ScriptModule,
    input_sample: AudioSample,
    params: Tensor | None = None,
    text_params: list[str] | None = None,
    tokens_params: list[list[int]] | None = None,
    output_sr: int = 44100,
) -> list[AudioSample]:
    """Play a sound through a model: the same length, latency removed.

    Args:
        model: A wrapper, a ``SampleQueueWrapper``, or a module that ``load_neutone_model`` gives.
        input_sample: The sound, at any rate.
        params: Knobs 0..1, ``(4,)`` or ``(4, samples)``; ``None`` is their defaults.
        text_params, tokens_params: For offline models; live models have none.
        output_sr: Rate of the result in Hz.

    Returns:
        One sound, in a list.

    Raises:
        ParameterError: Parameters of another shape, or of a kind that live models do not have.
    """
    if text_params is not None or tokens_params is not None:
        raise ParameterError("Live models have no text and no tokens. Leave out text_params and tokens_params.")
    module = SampleQueueWrapper(model) if isinstance(model, WaveformToWaveformBase) else model
    x = input_sample.audio
    knobs = None if params is None else _knobs(params, x.size(1))
    module.set_daw_sample_rate_and_buffer_size(input_sample.sr, _BLOCK_SIZE)
    with torch.no_grad():
        channels = 1 if module.is_input_mono() and module.is_output_mono() else 2
        y = module.forward_offline(x if x.size(0) == channels else _with_channels(x, channels), knobs)
    return [AudioSample(_converted(y, input_sample.sr, output_sr), output_sr)]


def _with_channels(x: Tensor, channels: int) -> Tensor:
    return x.mean(0, keepdim=True) if channels == 1 else x.repeat(2, 1)


def _knobs(params: Tensor, samples: int) -> Tensor:
    if params.dim() == 1 and params.size(0) == MAX_N_PARAMS:
        return params.unsqueeze(1).repeat(1, samples)
    if tuple(params.shape) != (MAX_N_PARAMS, samples):
        raise ParameterError(
            f"params must have the shape ({MAX_N_PARAMS},) or ({MAX_N_PARAMS}, {samples}), got {tuple(params.shape)}."
        )
    return params


def _converted(x: Tensor, in_rate: int, out_rate: int) -> Tensor:
    """The same sound at another rate, neither delayed nor cut off."""
    if in_rate == out_rate:
        return x
    resampler = FirResampler(x.size(0))
    resampler.prepare(in_rate, out_rate, "high")
    resampler.start(resampler.half_width * resampler.up)
    resampler.push(torch.nn.functional.pad(x, (0, resampler.half_width + 2)))
    return resampler.pull(min(round(x.size(1) * out_rate / in_rate), resampler.available()))
