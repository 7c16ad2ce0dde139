"""Reference and candidate, sound by sound, where they can be compared at all."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from neutone_like.errors import AudioError
from neutone_like.optimise.measures.spectrum import LEAST_SAMPLES
from neutone_like.optimise.sounds import Recording, outputs, read_sounds

Pair = tuple[Recording, Recording]


def pairs(reference: Any, candidate: Any, audio: Any, sample_rate: int | None) -> Iterator[Pair]:
    """Both outputs for each sound in ``audio``.

    Raises:
        AudioError: They differ in number, rate, channels or length; the reference is silent; too short.
        ModelError: One can't be played.
    """
    inputs = None if audio is None else read_sounds(audio, sample_rate, "audio")
    count = 0
    played = (
        outputs(reference, inputs, sample_rate, "reference"),
        outputs(candidate, inputs, sample_rate, "candidate"),
    )
    for first, second in zip_longest(played[0], played[1]):
        if first is None or second is None:
            one, other = ("candidate", "reference") if second is None else ("reference", "candidate")
            raise AudioError(f"Reference and candidate need as many sounds; the {one} has {count}, the {other} more.")
        _require_comparable(first, second)
        yield first, second
        count += 1
    if inputs is not None and count != len(inputs):
        raise AudioError(f"Expected a rendered sound for each of {len(inputs)} in audio, got {count}.")


def _require_comparable(reference: Recording, candidate: Recording) -> None:
    name = reference.name
    if reference.sample_rate != candidate.sample_rate:
        raise AudioError(
            f"{name}: reference and candidate need one rate, got {reference.sample_rate} Hz and "
            f"{candidate.sample_rate} Hz. Convert one of them first."
        )
    if reference.samples.shape != candidate.samples.shape:
        raise AudioError(
            f"{name}: reference and candidate need as many channels and samples, got {reference.samples.shape} and "
            f"{candidate.samples.shape}. Cut or mix one of them first; of rendered sounds, take delays out."
        )
    if reference.samples.shape[1] < LEAST_SAMPLES:
        raise AudioError(f"{name}: expected at least {LEAST_SAMPLES} samples, got {reference.samples.shape[1]}.")
    if not reference.samples.any():
        raise AudioError(
            f"{name}: the reference is silent, and nothing can be measured relative to silence. Choose audio that it "
            "makes a sound of."
        )
