"""What a student learns from, is steered by, and is judged by: phrases, and what the teacher makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neutone_like.audio.samples import require_finite
from neutone_like.errors import AudioError, ParameterError
from neutone_like.numbers import real_number
from neutone_like.optimise.measures.spectrum import LEAST_SAMPLES
from neutone_like.optimise.sounds import SOUND_FILES, Player, Recording, outputs, read_sounds

LONGEST_PHRASE_SECONDS = 4.0
_SHARE = 7  # of as many phrases, one steers and one judges
_SILENT = 1e-5


@dataclass(frozen=True)
class Phrase:
    """Sound, and what the teacher makes of it, as late as the teacher is: float32 ``[channels, N]`` each."""

    name: str
    dry: Tensor
    wet: Tensor


@dataclass(frozen=True)
class Material:
    """Phrases of three kinds, none of which is in two of them.

    Attributes:
        training: To learn from.
        validation: Steer training: the weights that are best on these are kept.
        held_out: Judge, once: what is heard, and what renderers make of it with the teacher, its delay taken out.
    """

    training: tuple[Phrase, ...]
    validation: tuple[Phrase, ...]
    held_out: tuple[tuple[Recording, Recording], ...]

    @property
    def digest(self) -> str:
        """Of all that is learned from: another sound or another teacher gives another one."""
        found = sha256()
        for phrase in (*self.training, *self.validation):
            found.update(phrase.dry.numpy().tobytes())
            found.update(phrase.wet.numpy().tobytes())
        return found.hexdigest()

    @property
    def mean_square(self) -> float:
        """Energy of a sample of what is to be learned."""
        total = sum(float(each.wet.square().sum()) for each in self.training)
        return total / sum(each.wet.numel() for each in self.training)


def recordings_from(audio: Any, sample_rate: int, channels: int, seconds: float, seed: int) -> list[Recording]:
    """Phrases from what a user gives: a generator, or sounds, of which a folder gives all that are in it.

    Raises:
        AudioError: No sound, another rate or other channels than the teacher's, silence, numbers that are not finite.
    """
    if callable(audio):
        return _generated(audio, sample_rate, channels, seconds, seed)
    found = [_checked(each, sample_rate, channels) for each in _read(audio, sample_rate)]
    cut = [piece for each in found for piece in _cut(each)]
    return [each for each in cut if float(abs(each.samples).max()) > _SILENT]


def checked_levels(levels_db: Any) -> tuple[float, float]:
    """The lowest and the highest level of phrases, in dB.

    Raises:
        ParameterError: Not two numbers from -120 to 24, or the first is the higher one.
    """
    found = list(levels_db) if isinstance(levels_db, (tuple, list)) else []
    if len(found) == 2:
        low, high = (real_number(each, "levels_db", -120.0, 24.0, unit="dB", error=ParameterError) for each in found)
        if low <= high:
            return low, high
    raise ParameterError(f"levels_db: expected the lowest and the highest level, such as (-40, 0), got {levels_db!r}.")


def with_levels(recordings: Sequence[Recording], levels_db: tuple[float, float], seed: int) -> list[Recording]:
    """The same phrases, the peak of each at a level drawn evenly from a range in dB."""
    generator = torch.Generator().manual_seed(seed)
    low, high = levels_db
    levelled: list[Recording] = []
    for each in recordings:
        level = 10.0 ** ((low + (high - low) * float(torch.rand((), generator=generator))) / 20.0)
        levelled.append(replace(each, samples=each.samples * (level / float(abs(each.samples).max()))))
    return levelled


def split(recordings: Sequence[Recording], seed: int) -> tuple[list[Recording], list[Recording], list[Recording]]:
    """By phrase, never by time, so that what fades in one part does not leave the level of another unheard.

    Raises:
        AudioError: Fewer than three phrases.
    """
    if len(recordings) < 3:
        raise AudioError(
            "Expected at least 3 phrases that are not silent, to learn from, to steer by and to judge by, got "
            f"{len(recordings)}. Give more files, or longer ones: phrases are up to {LONGEST_PHRASE_SECONDS:g} s long."
        )
    order = torch.randperm(len(recordings), generator=torch.Generator().manual_seed(seed)).tolist()
    aside = max(1, len(recordings) // _SHARE)
    shuffled = [recordings[at] for at in order]
    return shuffled[2 * aside :], shuffled[:aside], shuffled[aside : 2 * aside]


def material(teacher: Player, recordings: Sequence[Recording], delay_samples: int, seed: int) -> Material:
    """Split the phrases, and play them to the teacher.

    Raises:
        AudioError: Too few phrases, or all that the teacher makes of those of one kind is silence.
    """
    training, validation, held_out = split(recordings, seed)
    made = Material(
        training=_late(outputs_of(teacher, training), delay_samples),
        validation=_late(answered(teacher, validation), delay_samples),
        held_out=tuple(answered(teacher, held_out)),
    )
    if made.mean_square <= 1e-12:
        raise AudioError("The teacher makes silence of this audio: there is nothing to learn. Choose other audio.")
    return made


def outputs_of(teacher: Player, recordings: Sequence[Recording]) -> list[tuple[Recording, Recording]]:
    """Each phrase with what the teacher makes of it, its delay taken out."""
    return list(zip(recordings, outputs(teacher, list(recordings), None, "teacher"), strict=True))


def answered(teacher: Player, recordings: Sequence[Recording]) -> list[tuple[Recording, Recording]]:
    """The same without those that it makes silence of, as a gate does: no error is measured relative to silence.

    Raises:
        AudioError: All of them are.
    """
    found = [pair for pair in outputs_of(teacher, recordings) if float(abs(pair[1].samples).max()) > _SILENT]
    if not found:
        raise AudioError(
            f"The model makes silence of all {len(recordings)} phrases that were to judge by, and no error is measured "
            "relative to silence. Choose other or more audio, or another seed, by which phrases are split."
        )
    return found


def _late(played: Sequence[tuple[Recording, Recording]], delay_samples: int) -> tuple[Phrase, ...]:
    """What was played is aligned, as renderers do it; a student is to be as late as its teacher."""
    phrases: list[Phrase] = []
    for given, made in played:
        wet = torch.nn.functional.pad(torch.from_numpy(made.samples), (delay_samples, 0))
        dry = torch.from_numpy(given.samples)
        phrases.append(Phrase(given.name, dry, wet[:, : dry.size(1)].contiguous()))
    return tuple(phrases)


def _generated(generator: Any, sample_rate: int, channels: int, seconds: float, seed: int) -> list[Recording]:
    found: list[Recording] = []
    total = round(seconds * sample_rate)
    while total > 0:
        number = len(found)
        made = generator(torch.Generator().manual_seed(_mixed(seed, number)))
        if not isinstance(made, Tensor) or made.dim() != 2:
            came = list(made.shape) if isinstance(made, Tensor) else type(made).__name__
            raise AudioError(
                f"audio must be a function of a torch.Generator that returns a tensor [channels, N], got {came}."
            )
        recording = Recording(f"phrase {number}", made.detach().to(torch.float32).numpy(), sample_rate)
        require_finite(recording.samples, 0, sample_rate, recording.name, "A generator must give finite numbers.")
        found += _cut(_checked(recording, sample_rate, channels))
        total -= made.size(1)
    return [each for each in found if float(abs(each.samples).max()) > _SILENT]


def _mixed(seed: int, number: int) -> int:
    """A seed for each phrase, so that neighbouring seeds of two runs share none."""
    return int.from_bytes(sha256(f"{seed} {number}".encode()).digest()[:7], "big")


def _read(audio: Any, sample_rate: int) -> list[Recording]:
    if isinstance(audio, (str, Path)) and Path(audio).is_dir():
        files = sorted(each for each in Path(audio).rglob("*") if each.suffix.lower() in SOUND_FILES)
        files = [each for each in files if not any(part.startswith(".") for part in each.relative_to(audio).parts)]
        if not files:
            raise AudioError(f"{audio}: expected sound files in this folder ({', '.join(SOUND_FILES)}), got none.")
        return read_sounds(files, None, "audio")
    several = audio if isinstance(audio, (list, tuple)) else [audio]
    of_arrays = any(not isinstance(each, (str, Path)) for each in several)
    return read_sounds(audio, sample_rate if of_arrays else None, "audio")


def _checked(recording: Recording, sample_rate: int, channels: int) -> Recording:
    if recording.sample_rate != sample_rate:
        raise AudioError(
            f"{recording.name}: expected the teacher's rate, {sample_rate} Hz, got {recording.sample_rate} Hz. Convert "
            "it first: a student learns what happens from one sample to the next."
        )
    if recording.samples.shape[0] == channels:
        return recording
    if channels == 1:
        return replace(recording, samples=recording.samples.mean(axis=0, keepdims=True))
    if channels == 2 and recording.samples.shape[0] == 1:
        return replace(recording, samples=recording.samples.repeat(2, axis=0))
    raise AudioError(
        f"{recording.name}: expected {channels} channels, as the teacher takes, got {recording.samples.shape[0]}."
    )


def _cut(recording: Recording) -> list[Recording]:
    """Into phrases of equal length; what is too short for any measure is left out."""
    total = recording.samples.shape[1]
    if total < LEAST_SAMPLES:
        return []
    longest = int(LONGEST_PHRASE_SECONDS * recording.sample_rate)
    count = -(-total // longest)
    size = total // count
    names = (f"{recording.name}, phrase {at + 1}" for at in range(count))
    return [
        replace(recording, name=name, samples=recording.samples[:, at * size : (at + 1) * size])
        for at, name in enumerate(names)
    ]
