"""Audio in memory: what users pass, and what every stage of a render hands to the next."""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from neutone_like.audio.samples import Audio as Audio
from neutone_like.errors import AudioError

AnyAudio = TypeVar("AnyAudio", npt.NDArray[Any], torch.Tensor)

MAXIMUM_CHANNELS = 64


@dataclass(frozen=True)
class Given:
    """How a user passed audio, so that the result goes back alike."""

    dimensions: int
    device: torch.device | None  # of a tensor; None for an array

    def give_back(self, y: Audio) -> Any:
        """``(channels, samples)`` in the user's kind; one dimension only where one came and one channel came out."""
        shaped = y[0] if self.dimensions == 1 and y.shape[0] == 1 else y
        if self.device is None:
            return shaped
        return torch.from_numpy(np.ascontiguousarray(shaped)).to(self.device)


def read_audio(x: Any) -> tuple[Audio, Given]:
    """Check audio that a user passes.

    Args:
        x: ``(channels, samples)`` or ``(samples,)``; a NumPy array or a tensor of a floating-point type.

    Returns:
        float32 ``(channels, samples)``, and how to give a result back.

    Raises:
        AudioError: Another type or shape; says what to do.
    """
    device = x.device if isinstance(x, torch.Tensor) else None
    if isinstance(x, torch.Tensor):
        if not x.dtype.is_floating_point:
            raise AudioError(_wrong_type(x.dtype))
        if x.is_meta:
            raise AudioError("Expected audio, got a tensor on the device 'meta', which holds no samples.")
        array: npt.NDArray[Any] = x.detach().to("cpu", torch.float32).numpy()
    elif isinstance(x, np.ndarray):
        array = x
    else:
        raise AudioError(f"Expected audio as a NumPy array or a torch.Tensor, got {type(x).__name__}.")
    if array.dtype.kind != "f":
        raise AudioError(_wrong_type(array.dtype))
    if array.ndim not in (1, 2):
        raise AudioError(f"Expected audio of shape (channels, samples) or (samples,), got {tuple(array.shape)}.")
    audio = np.ascontiguousarray(array if array.ndim == 2 else array[None], dtype=np.float32)
    channels, samples = audio.shape
    if channels == 0 or (channels > MAXIMUM_CHANNELS and channels > samples):
        raise AudioError(
            f"Expected audio with channels first, (channels, samples), got {tuple(array.shape)}. "
            "Audio of shape (samples, channels) is passed as x.T."
        )
    return audio, Given(array.ndim, device)


def silence(channels: int, samples: int) -> Audio:
    """``(channels, samples)`` of zeros."""
    return np.zeros((channels, samples), dtype=np.float32)


def join(*parts: Audio) -> Audio:
    """One stretch of audio after the other."""
    filled = [part for part in parts if part.shape[1] > 0]
    if not filled:
        return parts[-1]
    return filled[0] if len(filled) == 1 else np.concatenate(filled, axis=1)


def _wrong_type(dtype: Any) -> str:
    return (
        f"Expected audio of a floating-point type with full scale at 1.0, got {dtype}. "
        "Integers are divided by their full scale first: 16-bit as x.astype('float32') / 32768."
    )
