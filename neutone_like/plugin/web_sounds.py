"""The sounds that a page plays: those beside the artifact, made smaller without losing anything."""

import io
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from neutone_like.artifact.writing.staging import SAMPLES_FOLDER
from neutone_like.audio import AudioReader
from neutone_like.errors import AudioError
from neutone_like.uninterrupted import uninterrupted

_INPUT, _OUTPUT = "_in", "_out"
_KEPT_BY_FLAC = ("PCM_S8", "PCM_16", "PCM_24")
_MOST_FLAC_CHANNELS = 8


@dataclass(frozen=True)
class PageSound:
    """A sound of a page.

    Attributes:
        name: As a person reads it.
        file: Its place below the page's folder.
        content: Of the file.
    """

    name: str
    file: str
    content: bytes


def sounds_beside(folder: Path) -> Iterator[PageSound]:
    """What goes into the model, of ``samples/*.wav``; not what came out of it, which the page makes itself.

    Raises:
        AudioError: A file there is no WAV.
    """
    taken: set[str] = set()
    for path in sorted((folder / SAMPLES_FOLDER).glob("[!.]*.wav")):  # macOS leaves ._x.wav beside x.wav
        if not path.stem.endswith(_OUTPUT):
            stem = _free(path.stem.removesuffix(_INPUT), taken)
            taken.add(stem)
            content, ending = _smaller(path)
            yield PageSound(stem.replace("_", " ").capitalize(), f"sounds/{stem}{ending}", content)


def _free(stem: str, taken: Set[str]) -> str:
    """Itself, or with a number: ``x.wav`` may lie beside ``x_in.wav``."""
    number, free = 1, stem
    while free in taken:
        number += 1
        free = f"{stem}_{number}"
    return free


def _smaller(path: Path) -> tuple[bytes, str]:
    """As FLAC where that keeps every sample, else as it is."""
    try:
        with path.open("rb") as opened:
            info = uninterrupted(lambda: soundfile.info(opened))
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{path} can't be read as a sound: {error}. Take it away, or write it again.") from error
    with AudioReader(path) as reader:  # which notices what is missing
        samples, rate = reader.read_all(), reader.sample_rate
    if info.subtype not in _KEPT_BY_FLAC or info.channels > _MOST_FLAC_CHANNELS:
        return path.read_bytes(), path.suffix
    made = io.BytesIO()
    integers = (samples.T.astype(np.float64) * 2.0**31).astype(np.int32)  # as they were: float32 holds 24 bits
    uninterrupted(lambda: soundfile.write(made, integers, rate, format="FLAC", subtype=info.subtype))
    return made.getvalue(), ".flac"
