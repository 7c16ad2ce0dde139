"""Audio that users pass to a session: checked, and given back in the kind it came in."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from neutone_like.errors import AudioError

Audio = npt.NDArray[np.float32]
AnyAudio = TypeVar("AnyAudio", npt.NDArray[np.float32], torch.Tensor)


def read_audio(x: Any, channels: int) -> Audio:
    """``x`` as the engine takes it; only what is not contiguous is copied.

    Args:
        x: float32 ``[channels, samples]``, a NumPy array or a tensor on the CPU.

    Raises:
        AudioError: Another type or shape.
    """
    array = x.detach().numpy() if isinstance(x, torch.Tensor) and x.device.type == "cpu" else x
    if not isinstance(array, np.ndarray):
        kind = f"a tensor on {x.device}" if isinstance(x, torch.Tensor) else type(x).__name__
        raise AudioError(f"Expected audio as a NumPy array or a tensor on the CPU, got {kind}.")
    if array.dtype != np.float32 or array.ndim != 2:
        raise AudioError(
            f"Expected float32 audio of shape (channels, samples), got {array.dtype} of shape {array.shape}."
        )
    if array.shape[0] != channels:
        raise AudioError(
            f"Expected audio of shape (channels, samples) with {channels} channels, as the HostConfig says, "
            f"got {array.shape[0]}."
        )
    return np.ascontiguousarray(array)


def give_back(y: Audio, like: Any) -> Any:
    """``y`` as a tensor where one came."""
    return torch.from_numpy(y) if isinstance(like, torch.Tensor) else y
