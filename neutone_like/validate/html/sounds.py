"""The sounds to listen to: what the artifact's ``samples/`` hold, or, without them, rendered here."""

import base64
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import torch

from neutone_like.artifact.writing.sample_audio import drum_loop, guitar_riff
from neutone_like.artifact.writing.staging import SAMPLES_FOLDER
from neutone_like.uninterrupted import uninterrupted
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.measure import decibels

SAMPLE_RATE = 48000
SECONDS = 4.0
BLOCK_SIZE = 2048
MOST_SECONDS = 12.0
MP3_CEILING = 0.95
MOST_LOWERED_DB = 120.0
_LOWERED = re.compile(r"Made (\d{1,3}\.\d) dB quieter")
NAMES = ("guitar_riff", "drum_loop")

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sound:
    """Before and after the artifact, float32 ``[samples, channels]``. ``from_files``: read from ``samples/``.

    ``label`` names the output where there are several; ``alone``: there is no before, as of a generator.
    """

    name: str
    sample_rate: int
    before: Samples
    after: Samples
    from_files: bool
    label: str = ""
    alone: bool = False
    files: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        title = self.name.replace("_", " ").capitalize()
        return f"{title}: {self.label}" if self.label else title

    @property
    def key(self) -> str:
        """What tells this sound's pictures from others'."""
        return "-".join(re.findall(r"[a-z0-9]+", f"{self.name} {self.label}".lower()))

    @property
    def seconds(self) -> float:
        return self.before.shape[0] / self.sample_rate

    @property
    def loudness_gain(self) -> float:
        """What makes ``after`` as loud as ``before`` (RMS); 1 where one of them is silent."""
        before, after = rms(self.before), rms(self.after)
        return float(np.clip(before / after, 0.01, 100.0)) if min(before, after) > 1e-6 else 1.0

    @property
    def scale(self) -> float:
        """What both sides are multiplied by in MP3, which has no room above full scale."""
        peak = max(float(np.abs(self.before).max()), float(np.abs(self.after).max()))
        return min(1.0, MP3_CEILING / peak) if peak > 0.0 else 1.0

    @property
    def quieter_db(self) -> float:
        """How much quieter the MP3s are."""
        return -decibels(self.scale)


def rms(sound: Samples) -> float:
    """Root mean square over all channels."""
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def sounds_of(subject: LiveSubject) -> list[Sound]:
    """A riff and a drum loop, before and after the artifact with its default parameters, mix and gains."""
    files = subject.artifact.path.parent / SAMPLES_FOLDER
    found = [_read(files, name) for name in NAMES]
    if all(sound is not None for sound in found):
        return [sound for sound in found if sound is not None]
    return _render(subject)


def read_sound(path: Path) -> tuple[Samples, int]:
    """The start of a file in ``samples/`` at the level that it has, and its rate in Hz."""
    import soundfile  # here, because who only loads artifacts never needs it

    def read(opened: BinaryIO) -> tuple[Samples, int]:
        with soundfile.SoundFile(opened) as file:
            samples = file.read(int(MOST_SECONDS * file.samplerate), dtype="float32", always_2d=True)
            return samples.astype(np.float32) * np.float32(_undo_lowering(file.comment)), file.samplerate

    with path.open("rb") as opened:
        return uninterrupted(lambda: read(opened))


def _read(folder: Path, name: str) -> Sound | None:
    sides: list[Samples] = []
    rates: set[int] = set()
    for side in ("in", "out"):
        path = folder / f"{name}_{side}.wav"
        if not path.is_file():
            return None
        samples, rate = read_sound(path)
        sides.append(samples)
        rates.add(rate)
    if len(rates) != 1 or sides[0].shape[0] != sides[1].shape[0] or sides[0].shape[0] == 0:
        return None
    files = (f"{name}_in.wav", f"{name}_out.wav")
    return Sound(name, rates.pop(), sides[0], np.nan_to_num(sides[1]), True, files=files)


def _undo_lowering(comment: str) -> float:
    """A file that was made quieter to fit says so in its comment; the picture shows the level that the sound has."""
    lowered = _LOWERED.match(comment)
    return 10.0 ** (min(float(lowered[1]), MOST_LOWERED_DB) / 20.0) if lowered else 1.0


def _render(subject: LiveSubject) -> list[Sound]:
    module: Any = subject.copied()
    metadata = subject.artifact.metadata
    module.set_daw_sample_rate_and_buffer_size(SAMPLE_RATE, BLOCK_SIZE)
    if hasattr(module, "set_mix"):
        module.set_mix(metadata.wet_default_value, metadata.dry_default_value)
        module.set_gains(metadata.input_gain_default_value, metadata.output_gain_default_value)
    sounds: list[Sound] = []
    for name, synthesize in zip(NAMES, (guitar_riff, drum_loop), strict=True):
        sound = synthesize(SAMPLE_RATE, SECONDS)
        if sound.size(0) != subject.channels:
            sound = sound.mean(0, keepdim=True).expand(subject.channels, -1).contiguous()
        with torch.no_grad():
            after = module.forward_offline(sound)
        sounds.append(Sound(name, SAMPLE_RATE, sound.T.numpy(), np.nan_to_num(after.T.numpy()), False))
    return sounds


def to_mp3(sound: Samples, sample_rate: int, scale: float) -> str:
    """The first two channels as an MP3 file, in base64."""
    import soundfile

    buffer = io.BytesIO()
    heard = sound[:, :2] * scale
    uninterrupted(lambda: soundfile.write(buffer, heard, sample_rate, format="MP3", subtype="MPEG_LAYER_III"))
    return base64.b64encode(buffer.getvalue()).decode("ascii")
