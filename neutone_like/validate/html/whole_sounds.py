"""The sounds of an offline model, a pair for each output: from ``samples/``, or rendered here."""

from pathlib import Path

import numpy as np
from torch import Tensor

from neutone_like.artifact.writing.samples import GENERATED, SAMPLE_RATE, SampleSound, render_whole_sounds
from neutone_like.artifact.writing.staging import SAMPLES_FOLDER
from neutone_like.validate.html.sounds import MOST_SECONDS, NAMES, Samples, Sound, read_sound
from neutone_like.validate.offline_subject import OfflineSubject

MOST_SOUNDS = 8


def whole_sounds_of(subject: OfflineSubject) -> list[Sound]:
    """Before and after each output with the default parameters; of a generator, after alone."""
    folder = subject.artifact.path.parent / SAMPLES_FOLDER
    names = (GENERATED,) if subject.is_generator else NAMES
    sounds = [sound for name in names for sound in _read(subject, folder, name)]
    if not sounds:
        rendered = render_whole_sounds(subject.copied(), subject.artifact.audio_in_channels)
        sounds = [sound for each in rendered for sound in _pairs(subject, each)]
    return sounds[:MOST_SOUNDS]


def _read(subject: OfflineSubject, folder: Path, name: str) -> list[Sound]:
    """Every output of one sound; none unless all files are there, and of one rate."""
    befores = _file_names(name, "in", len(subject.artifact.audio_in_channels))[:1]
    afters = _file_names(name, "out", len(subject.artifact.audio_out_channels))
    if not all((folder / file).is_file() for file in (*befores, *afters)):
        return []
    read = {file: read_sound(folder / file) for file in (*befores, *afters)}
    if len({rate for _, rate in read.values()}) != 1 or not all(samples.size for samples, _ in read.values()):
        return []
    found: list[Sound] = []
    for index, file in enumerate(afters):
        after, rate = read[file]
        before = read[befores[0]][0] if befores else None
        found.append(_sound(subject, name, index, before, after, rate, (*befores, file)))
    return found


def _file_names(name: str, side: str, count: int) -> list[str]:
    return [f"{name}_{side}{f'_{index + 1}' if count > 1 else ''}.wav" for index in range(count)]


def _pairs(subject: OfflineSubject, rendered: SampleSound) -> list[Sound]:
    before = _samples(rendered.inputs[0]) if rendered.inputs else None
    return [
        _sound(subject, rendered.name, index, before, _samples(output), SAMPLE_RATE, ())
        for index, output in enumerate(rendered.outputs)
    ]


def _samples(sound: Tensor) -> Samples:
    return sound[:, : int(MOST_SECONDS * SAMPLE_RATE)].T.numpy()


def _sound(
    subject: OfflineSubject,
    name: str,
    output: int,
    before: Samples | None,
    after: Samples,
    sample_rate: int,
    files: tuple[str, ...],
) -> Sound:
    """One pair; both sides play from one clock, so the shorter one is followed by silence."""
    count = len(subject.artifact.audio_out_channels)
    labels = subject.metadata.audio_out_labels or tuple(f"output {index + 1}" for index in range(count))
    label = labels[output] if count > 1 else ""
    heard = np.nan_to_num(after)
    alone = before is None
    other = np.zeros_like(heard) if before is None else before
    length = max(len(other), len(heard))
    padded = [np.pad(side, ((0, length - len(side)), (0, 0))) for side in (other, heard)]
    return Sound(name, sample_rate, padded[0], padded[1], bool(files), label, alone, files)
