"""Noise, and files of 32-bit floats that hold it to the last bit."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

Audio = npt.NDArray[np.float32]


def noise(channels: int, samples: int, seed: int = 0) -> Audio:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (channels, samples)).astype(np.float32)


def write(path: Path, x: Audio, rate: int = 48000) -> Path:
    soundfile.write(path, x.T, rate, subtype="FLOAT")
    return path


def read(path: Path) -> Audio:
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T
