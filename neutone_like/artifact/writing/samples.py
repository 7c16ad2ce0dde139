"""What an artifact sounds like: a riff and a drum loop through it, as WAV files beside it and as MP3 inside."""

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.jit import ScriptModule

from neutone_like.artifact.writing.sample_audio import drum_loop, guitar_riff
from neutone_like.artifact.writing.staging import SAMPLES_FOLDER
from neutone_like.model import Declaration
from neutone_like.signal.channels import host_channels
from neutone_like.uninterrupted import uninterrupted

SAMPLE_RATE = 48000
SECONDS = 4.0
GENERATED = "generated"
_SYNTHESIZERS = (("guitar_riff", guitar_riff), ("drum_loop", drum_loop))
_BLOCK_SIZE = 2048
MOST_PAIRS = 3
_CEILING = 0.95  # for the peak of what has to be made quieter
_INAUDIBLE = 0.5 / 32768


@dataclass(frozen=True)
class SampleSound:
    """What goes into a model and what comes out, each float32 ``[channels, samples]`` at :data:`SAMPLE_RATE`.

    Live models have one input and one output, a generator has no input.
    """

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    def files(self) -> tuple[tuple[str, Tensor], ...]:
        """Every sound with the name of its file; they are numbered where there are several."""
        return (*self._named("in", self.inputs), *self._named("out", self.outputs))

    def _named(self, side: str, sounds: tuple[Tensor, ...]) -> list[tuple[str, Tensor]]:
        numbered = len(sounds) > 1
        names = [f"{self.name}_{side}{f'_{index + 1}' if numbered else ''}.wav" for index in range(len(sounds))]
        return list(zip(names, sounds, strict=True))


def render_sounds(module: ScriptModule, declaration: Declaration) -> tuple[SampleSound, ...]:
    """Run the sounds through a live module at the declared mix and gains, offline.

    The module must not be the one that is saved: running leaves traces in its state.
    """
    metadata = declaration.metadata
    module.set_daw_sample_rate_and_buffer_size(SAMPLE_RATE, _BLOCK_SIZE)
    module.set_mix(metadata.wet_default, metadata.dry_default)
    module.set_gains(metadata.input_gain_default_db / 60.0 + 0.5, metadata.output_gain_default_db / 60.0 + 0.5)
    channels = host_channels(declaration.in_channels, declaration.out_channels)
    sounds: list[SampleSound] = []
    for name, synthesize in _SYNTHESIZERS:
        before = _with_channels(synthesize(SAMPLE_RATE, SECONDS), channels)
        with torch.no_grad():
            sounds.append(SampleSound(name, (before,), (module.forward_offline(before),)))
    return tuple(sounds)


def render_whole_sounds(module: ScriptModule, in_channels: Sequence[int]) -> tuple[SampleSound, ...]:
    """Run the sounds through an offline module; with several inputs, they take turns at them.

    The module must not be the one that is saved: running leaves traces in its state.
    """
    module.set_daw_sample_rate_and_buffer_size(SAMPLE_RATE, _BLOCK_SIZE)
    if not in_channels:
        # A generator that is not one-shot goes on for as long as its knobs do.
        knobs = module.get_numerical_params_default_values_0to1().repeat(1, int(SECONDS * SAMPLE_RATE))
        with torch.no_grad():
            return (SampleSound(GENERATED, (), tuple(module.forward([], knobs))),)
    sounds: list[SampleSound] = []
    for first, (name, _) in enumerate(_SYNTHESIZERS):
        inputs = tuple(
            _with_channels(_SYNTHESIZERS[(first + track) % len(_SYNTHESIZERS)][1](SAMPLE_RATE, SECONDS), channels)
            for track, channels in enumerate(in_channels)
        )
        with torch.no_grad():
            sounds.append(SampleSound(name, inputs, tuple(module.forward(list(inputs)))))
    return tuple(sounds)


def _with_channels(audio: Tensor, channels: int) -> Tensor:
    if audio.size(0) == channels:
        return audio
    if channels == 1:
        return audio.mean(0, keepdim=True)
    return audio[[channel % audio.size(0) for channel in range(channels)]]  # left, right, left...


def write_wav_files(sounds: tuple[SampleSound, ...], folder: Path) -> tuple[Path, ...]:
    """Write ``samples/<name>_in.wav`` and ``_out.wav`` (numbered from 1 where there are several), 16 bits.

    A sound above full scale is made quieter as a whole, as a listener would with a fader: cutting off its peaks would
    add distortion that the model does not make. The file's comment then says by how many decibels. Where all channels
    carry the same, one is written; players play it on both sides.
    """
    (folder / SAMPLES_FOLDER).mkdir(exist_ok=True)
    paths: list[Path] = []
    for sound in sounds:
        for name, audio in sound.files():
            path = folder / SAMPLES_FOLDER / name
            fitted, lowered_db = _below(1.0, _without_copies(audio))
            comment = f"Made {lowered_db:.1f} dB quieter to fit below full scale" if lowered_db > 0.0 else ""
            path.write_bytes(uninterrupted(partial(_to_wav, fitted, comment)))
            paths.append(path)
    return tuple(paths)


def _to_wav(audio: Tensor, comment: str) -> bytes:
    import soundfile  # here, because who only loads artifacts never needs it

    encoded = io.BytesIO()  # libsndfile's errors say nothing of a full disk
    with soundfile.SoundFile(encoded, "w", SAMPLE_RATE, audio.size(0), "PCM_16", format="WAV") as file:
        if comment:
            file.comment = comment
        file.write(audio.T.numpy())
    return encoded.getvalue()


def _without_copies(audio: Tensor) -> Tensor:
    """The first channel alone where the others differ from it by less than 16 bits can tell."""
    first = audio[:1]
    return first if bool(((audio - first).abs() < _INAUDIBLE).all()) else audio


def _below(limit: float, audio: Tensor) -> tuple[Tensor, float]:
    """The audio, and by how many decibels it was made quieter: 0 if its peak is below the limit as it is."""
    peak = float(audio.abs().max())
    if peak < limit:
        return audio, 0.0
    return audio * (_CEILING / peak), 20.0 * math.log10(peak / _CEILING)


def to_mp3_pairs(sounds: tuple[SampleSound, ...]) -> list[dict[str, str]]:
    """The entries of ``sample_sound_files``: MP3 files in base64, lowered as the WAV files are.

    The format has room for three pairs of a sound before and after, so none of a generator's. MP3 has two channels:
    of more, the first two are heard.
    """
    pairs = [(sound.inputs[0], output) for sound in sounds if sound.inputs for output in sound.outputs]
    return [{"in": _to_mp3(before), "out": _to_mp3(after)} for before, after in pairs[:MOST_PAIRS]]


def _to_mp3(audio: Tensor) -> str:
    import soundfile

    fitted, _ = _below(_CEILING, audio[:2])  # what a decoder returns overshoots a little
    buffer = io.BytesIO()
    samples = fitted.T.numpy()
    uninterrupted(lambda: soundfile.write(buffer, samples, SAMPLE_RATE, format="MP3", subtype="MPEG_LAYER_III"))
    return base64.b64encode(buffer.getvalue()).decode("ascii")
