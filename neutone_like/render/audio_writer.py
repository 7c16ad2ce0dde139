"""Writing audio files: whole, or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from neutone_like.errors import AudioError
from neutone_like.numbers import as_number, as_whole_number
from neutone_like.render.audio_arrays import Audio
from neutone_like.render.audio_files import pedalboard_io

# Formats that keep samples as they are, and how many bits they get unless told. 32 bits of WAV are floating point.
DEFAULT_BIT_DEPTHS = {".wav": 32, ".aiff": 24, ".flac": 24}


class EncodingError(AudioError):
    """A file format does not take the rate, channels, bits or quality that are asked for."""


def require_writable(path: Path, source: Path | None = None) -> None:
    """Check, before any work is done, that ``path`` can become an audio file.

    Args:
        path: Where the audio is to go.
        source: Where it comes from, which must be another file.

    Raises:
        AudioError: An unknown extension, a missing or read-only folder, a folder in the way, or the source itself.
    """
    formats = pedalboard_io().get_supported_write_formats()
    if path.suffix.lower() not in formats:
        raise AudioError(f"The output's extension must be one of {', '.join(sorted(formats))}, got {path.name!r}.")
    if not path.parent.is_dir():
        raise AudioError(f"There is no folder {path.parent} to write {path.name} into. Create it first.")
    if path.is_dir():
        raise AudioError(f"Expected the name of a file to write, got {path}, which is a folder.")
    if source is not None and path.exists() and source.exists() and path.samefile(source):
        raise AudioError(f"Input and output must be different files, got {path} for both.")
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
    keeps_samples = suffix in DEFAULT_BIT_DEPTHS
    depth = DEFAULT_BIT_DEPTHS.get(suffix, 16) if bit_depth is None else as_whole_number(bit_depth)
    if depth is None:
        raise EncodingError(f"bit_depth must be a whole number such as 16 or 24, got {bit_depth!r}.")
    number = as_number(quality)
    encoding_quality = quality if number is None else number
    with _appearing_whole(path) as raw:
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
def _appearing_whole(path: Path) -> Iterator[BinaryIO]:
    """A file under a temporary name beside ``path``, renamed at the end and removed when something fails."""
    path = path.resolve()  # a link stays a link
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("xb+") as file:
            yield file
        os.replace(temporary, path)
    except OSError as error:
        raise AudioError(f"{path} can't be written: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _to_integers(x: Audio, bits: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Rounded to the nearest step, in the upper bits, where pedalboard looks; its own conversion rounds down."""
    full_scale = 1 << (bits - 1)
    steps = np.clip(np.rint(x.astype(np.float64) * full_scale), -full_scale, full_scale - 1)
    return steps.astype(np.int32) << (32 - bits)
