"""Writing audio files: whole, or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from neutone_like.audio.decoders import pedalboard_io
from neutone_like.audio.samples import Audio
from neutone_like.errors import AudioError
from neutone_like.numbers import as_number, as_whole_number
from neutone_like.whole_file import appearing_whole

# Formats that keep samples as they are, and how many bits they get unless told. 32 bits of WAV are floating point.
DEFAULT_BIT_DEPTHS = {".wav": 32, ".aiff": 24, ".flac": 24}
_OTHER_NAMES = {".aif": ".aiff"}  # of formats that pedalboard knows by one name


class EncodingError(AudioError):
    """A file format does not take the rate, channels, bits or quality that are asked for."""


def write_endings() -> frozenset[str]:
    """Extensions of the files that can be written, in small letters."""
    formats = _formats()
    return formats | {name for name, other in _OTHER_NAMES.items() if other in formats}


def write_endings_in_words() -> str:
    """For messages: one extension for each format."""
    return ", ".join(sorted(_formats()))


def _formats() -> frozenset[str]:
    return frozenset(str(ending) for ending in pedalboard_io().get_supported_write_formats())


def require_writable(path: Path, source: Path | None = None) -> None:
    """Check, before any work is done, that ``path`` can become an audio file.

    Args:
        path: Where the audio is to go.
        source: Where it comes from, which must be another file.

    Raises:
        AudioError: An unknown extension, a missing or read-only folder, a folder in the way, or the source itself.
    """
    if path.suffix.lower() not in write_endings():
        raise AudioError(f"The output's extension must be one of {write_endings_in_words()}, got {path.name!r}.")
    require_place(path, source)


def require_place(path: Path, source: Path | None = None) -> None:
    """Check that there can be a file ``path``, other than ``source``.

    Raises:
        AudioError: A missing or read-only folder, a folder in the way, a name that can't be, or the source itself.
    """
    try:
        if not path.parent.is_dir():
            raise AudioError(f"There is no folder {path.parent} to write {path.name} into. Create it first.")
        if path.is_dir():
            raise AudioError(f"Expected the name of a file to write, got {path}, which is a folder.")
        if source is not None and path.exists() and source.exists() and path.samefile(source):
            raise AudioError(f"Input and output must be different files, got {path} for both.")
    except OSError as error:  # a name that is too long, or a circle of links
        raise AudioError(f"{path} can't be written: {error.strerror or error}.") from error
    if not os.access(path.parent, os.W_OK):
        raise AudioError(f"The folder {path.parent} can't be written to. Choose another, or change its permissions.")


class AudioWriter:
    """Takes audio for a file that :func:`writing` opened. ``clips``: values beyond full scale are cut off."""

    def __init__(self, file: Any, bits: int | None) -> None:
        self._file = file
        self._bits = bits
        self.clips = bits is not None
        file.write(np.zeros((file.num_channels, 0), dtype=np.float32))  # tells pedalboard that channels come first

    def write(self, x: Audio) -> None:
        """Append ``(channels, samples)``."""
        self._file.write(x if self._bits is None else _to_integers(x, self._bits))


@contextmanager
def writing(
    path: Path, *, sample_rate: int, channels: int, bit_depth: int | None = None, quality: str | float | None = None
) -> Iterator[AudioWriter]:
    """Open an audio file for writing; it appears under its name when the block ends without an error.

    Raises:
        EncodingError: The format does not take the rate, channels, bits or quality.
        AudioError: Writing failed.
    """
    suffix = path.suffix.lower()
    suffix = _OTHER_NAMES.get(suffix, suffix)
    keeps_samples = suffix in DEFAULT_BIT_DEPTHS
    depth = DEFAULT_BIT_DEPTHS.get(suffix, 16) if bit_depth is None else as_whole_number(bit_depth)
    if depth is None:
        raise EncodingError(f"bit_depth must be a whole number such as 16 or 24, got {bit_depth!r}.")
    number = as_number(quality)
    encoding_quality = quality if number is None else number
    with writing_whole(path) as raw:
        try:
            file = pedalboard_io().AudioFile(
                raw,
                "w",
                sample_rate,
                channels,
                bit_depth=depth,
                quality=encoding_quality,
                format=suffix[1:],
            )
        except (ValueError, RuntimeError, TypeError) as error:
            raise EncodingError(
                f"{path.name} can't be written at {sample_rate} Hz with {channels} channels: {error}"
            ) from error
        with file:
            yield AudioWriter(file, depth if keeps_samples and depth != 32 else None)


@contextmanager
def writing_whole(path: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name when the block ends without an error.

    Raises:
        AudioError: The disk is full, or another reason why it can't be written.
    """
    try:
        with appearing_whole(path) as file:
            yield file
    except OSError as error:
        raise AudioError(f"{path} can't be written: {error.strerror or error}.") from error


def _to_integers(x: Audio, bits: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Rounded to the nearest step, in the upper bits, where pedalboard looks; its own conversion rounds down."""
    full_scale = 1 << (bits - 1)
    steps = np.clip(np.rint(x.astype(np.float64) * full_scale), -full_scale, full_scale - 1)
    return steps.astype(np.int32) << (32 - bits)
