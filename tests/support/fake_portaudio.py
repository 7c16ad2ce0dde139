"""A sound card for tests: ``fake_portaudio.c``, compiled where there is a compiler."""

import ctypes
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

Audio = npt.NDArray[np.float32]
SOURCE = Path(__file__).with_name("fake_portaudio.c")
_FOLDER = tempfile.TemporaryDirectory(prefix="fake_portaudio_")


@cache
def fake_portaudio() -> Path:
    """The library; the test is skipped where there is no compiler."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        pytest.skip("no C compiler to build a PortAudio for tests with")
    library = Path(_FOLDER.name, "libfake_portaudio.so")
    flags = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread"]
    subprocess.run([compiler, *flags, str(SOURCE), "-o", str(library)], check=True, timeout=600)
    return library


def step(frames: int, flags: int = 0) -> int:
    """Make a callback on this thread, once the library's own has ended; how many there were.

    Raises:
        RuntimeError: The stream is closed, and PortAudio calls nobody then; or its own thread goes on for ever.
    """
    library: Any = ctypes.CDLL(str(fake_portaudio()))
    library.fake_step.argtypes = (ctypes.c_int, ctypes.c_ulong)
    made = library.fake_step(frames, flags)
    if made < 0:
        closed = "The stream is closed: PortAudio makes no callback after Pa_CloseStream."
        raise RuntimeError(closed if made == -1 else "The stream's own thread plays: set FAKE_HOLD_AFTER.")
    return made


def played(channels: int, samples: int) -> Audio:
    """What the last callback left for the sound card, ``[channels, samples]``."""
    library: Any = ctypes.CDLL(str(fake_portaudio()))
    library.fake_played.restype = ctypes.POINTER(ctypes.c_float)
    return np.stack([np.ctypeslib.as_array(library.fake_played(each), (samples,)).copy() for each in range(channels)])


def vanished() -> bool:
    """Whether the device has gone away."""
    return bool(ctypes.CDLL(str(fake_portaudio())).fake_vanished())


def heard(first: int, samples: int, channels: int = 2) -> Audio:
    """What the library lets a callback hear, ``[channels, samples]``: the same arithmetic, in NumPy."""
    at = np.arange(first, first + samples, dtype=np.uint64)[None, :] * np.uint64(8)
    bits = (at + np.arange(1, channels + 1, dtype=np.uint64)[:, None]) * np.uint64(0x9E3779B97F4A7C15)
    bits ^= bits >> np.uint64(31)
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    return ((bits >> np.uint64(40)).astype(np.float64) / (1 << 24)).astype(np.float32) - np.float32(0.5)


def read_wave(path: Path) -> Audio:
    """A recording, ``[channels, samples]``."""
    frames, _ = soundfile.read(path, dtype="float32", always_2d=True)
    return np.ascontiguousarray(frames.T)
