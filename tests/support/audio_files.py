"""Audio files made for tests: of every format that libsndfile writes, whole and with their bytes changed."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from neutone_like import AudioError
from neutone_like.audio import AudioReader

Audio = npt.NDArray[np.float32]

SAMPLES = 12001
# Their headers tell no length at all (of XI, libsndfile writes 0): only an end within a sample can be noticed.
WITHOUT_LENGTH = {"IRCAM", "PAF", "PVF", "SD2", "XI"}
ID3 = b"ID3\x03\x00\x00" + bytes((0, 0, 2, 0)) + bytes(256)
ID3_AT_THE_END = b"TAG" + bytes(125)


def formats() -> list[tuple[str, str]]:
    """Every format and subtype that libsndfile knows here; headerless ones are none of ours."""
    return [
        (kind, subtype)
        for kind in soundfile.available_formats()
        for subtype in soundfile.available_subtypes(kind)
        if kind != "RAW"
    ]


def sound(channels: int = 2, samples: int = SAMPLES) -> npt.NDArray[np.float64]:
    """Noise, ``(samples, channels)``."""
    return np.random.default_rng(0).uniform(-0.5, 0.5, (samples, channels))


def write(path: Path, kind: str, subtype: str, samples: int = SAMPLES) -> bytes | None:
    """A file of a format, stereo where that is possible; its bytes, or None where libsndfile reads it only."""
    rate = 48000 if subtype == "OPUS" else 16000
    for channels in (2, 1):
        try:
            soundfile.write(path, sound(channels, samples), rate, format=kind, subtype=subtype)
        except (soundfile.LibsndfileError, ValueError):
            continue
        return path.read_bytes()
    return None


def decoded(path: Path) -> Audio:
    """What libsndfile alone makes of a whole file, ``(channels, samples)``."""

    class Forward(soundfile.SoundFile):
        def seekable(self) -> bool:
            return False  # DWVW can't be sought in

    with Forward(path) as file:
        return file.read(file.frames, dtype="float32", always_2d=True).T


def read(path: Path) -> Audio:
    """What the reader makes of a file, in pieces of an odd size."""
    pieces: list[Audio] = []
    with AudioReader(path) as reader:
        while (x := reader.read(5003)).shape[1] > 0:
            pieces.append(x)
        assert reader.position == reader.samples
        assert reader.length_is_exact
    return np.concatenate(pieces, axis=1) if pieces else np.zeros((reader.channels, 0), np.float32)


def read_bytes(folder: Path, content: bytes, name: str = "audio") -> Audio:
    """What the reader makes of these bytes."""
    path = folder / name
    path.write_bytes(content)
    return read(path)


def refusal(folder: Path, content: bytes, name: str = "audio") -> str:
    """The reader's error about these bytes; "" where it reads them."""
    try:
        read_bytes(folder, content, name)
    except AudioError as error:
        return str(error)
    return ""


def patched(content: bytes, *changes: tuple[int, bytes]) -> bytes:
    """Bytes with others in some places."""
    result = bytearray(content)
    for place, value in changes:
        result[place : place + len(value)] = value
    return bytes(result)


def encoded(x: Any, rate: int, kind: str, subtype: str, folder: Path) -> bytes:
    """The bytes of a file of this sound."""
    path = folder / f"made.{kind.lower()}"
    soundfile.write(path, x, rate, format=kind, subtype=subtype)
    return path.read_bytes()
