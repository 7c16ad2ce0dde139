"""What of an output a test vector keeps, and how it is compared."""

import hashlib
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from neutone_like.artifact.format.reference_vector_record import MAXIMUM_TOLERANCE
from neutone_like.errors import ArtifactError

KEPT_SAMPLES = 32
# Machines differ in the order of additions and in fused multiply-add; 1e-4 of the peak is -80 dB.
RELATIVE_TOLERANCE = 1e-4

Output = NDArray[np.float32]


class Expected(Protocol):
    """The part of a record that an output ``[channels, samples]`` is held against."""

    @property
    def digest(self) -> str: ...
    @property
    def sample_indices(self) -> tuple[int, ...]: ...
    @property
    def samples(self) -> tuple[tuple[float, ...], ...]: ...
    @property
    def rms(self) -> tuple[float, ...]: ...
    @property
    def tolerance(self) -> float: ...


def spread_indices(first: int, length: int) -> tuple[int, ...]:
    """The samples to keep: spread from ``first`` to the end."""
    indices = np.linspace(min(first, length - 1), length - 1, KEPT_SAMPLES).astype(int)
    return tuple(int(index) for index in indices)


def kept_samples(output: Output, indices: tuple[int, ...]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(short(value) for value in channel[list(indices)]) for channel in output)


def tolerance_for(output: Output, least: float = 0.0) -> float:
    return short(min(MAXIMUM_TOLERANCE, max(least, RELATIVE_TOLERANCE * max(1.0, float(np.abs(output).max())))))


def compare(output: Output, expected: Expected, where: str) -> float:
    """The largest difference found; 0 when the digests are equal.

    Raises:
        ArtifactError: The output differs by more than the tolerance. ``where`` is what the message calls the file.
    """
    if digest(output) == expected.digest:
        return 0.0
    samples = np.array(expected.samples, dtype=np.float64)
    last = max(expected.sample_indices, default=-1)
    if output.shape[0] != len(samples) or last >= output.shape[1]:
        raise ArtifactError(
            f"{where}: the test vector expects {len(samples)} channels and more than {last} "
            f"samples, the module returned shape {output.shape}. Export the model again."
        )
    by_sample = np.abs(output[:, list(expected.sample_indices)] - samples)
    by_level = np.abs(levels(output) - np.array(expected.rms))
    difference = float(max(by_sample.max(initial=0.0), by_level.max(initial=0.0)))
    if not difference <= expected.tolerance:
        raise ArtifactError(
            f"{where} does not play as it did when it was exported: the test vector differs by {difference:.3g}, "
            f"allowed is {expected.tolerance:.3g}. The file is damaged, the model draws random numbers of its own, or "
            f"this version of PyTorch ({torch.__version__}) computes it differently. Export the model again."
        )
    return difference


def digest(output: Output) -> str:
    """The digest that :class:`TestVectorRecord` describes."""
    steps = np.rint(output.astype(np.float64) * 32768.0)
    limited = np.clip(np.nan_to_num(steps), -(2**31), 2**31 - 1).astype("<i4")
    return hashlib.sha256(limited.tobytes()).hexdigest()


def levels(output: Output) -> NDArray[np.float64]:
    """RMS of each channel."""
    return np.sqrt(np.mean(np.square(output.astype(np.float64)), axis=1))


def short(value: float) -> float:
    """As many digits as a float32 has."""
    return float(f"{value:.7g}")
