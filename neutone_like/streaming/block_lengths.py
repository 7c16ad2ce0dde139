"""The refusal of a block whose form a layer can't take."""

from torch import Tensor

from neutone_like.errors import ModelError


def require_multiple(layer: str, samples: int, multiple: int) -> None:
    """Raises :class:`ModelError` unless ``samples`` is a multiple of ``multiple``. Runs in TorchScript."""
    if samples % multiple != 0:
        raise ModelError(
            f"{layer}: a block of {samples} samples; expected a multiple of {multiple}: "
            f"{multiple}, {2 * multiple}, {3 * multiple}... Change the block size, or collect samples."
        )


def require_channels(layer: str, x: Tensor, channels: int) -> None:
    """Raises :class:`ModelError` for others, where an operation of PyTorch's doesn't look. Runs in TorchScript."""
    if x.dim() == 3 and x.size(1) != channels:
        raise ModelError(f"{layer}: expected {channels} channels, got {x.size(1)}, in a block of shape {x.shape}.")


def require_rows(layer: str, x: Tensor, rows: int) -> None:
    """Raises :class:`ModelError` unless channels are so many rows for each channel of sound. Runs in TorchScript."""
    if x.dim() == 3 and x.size(1) % rows != 0:
        raise ModelError(
            f"{layer}: {x.size(1)} channels in a block of shape {x.shape}; expected {rows} for each channel of sound: "
            f"{rows}, {2 * rows}, {3 * rows}..."
        )
