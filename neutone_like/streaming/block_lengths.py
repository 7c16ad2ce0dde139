"""The refusal of a block whose length a layer can't take."""

from neutone_like.errors import ModelError


def require_multiple(layer: str, samples: int, multiple: int) -> None:
    """Raises :class:`ModelError` unless ``samples`` is a multiple of ``multiple``. Runs in TorchScript."""
    if samples % multiple != 0:
        raise ModelError(
            f"{layer}: a block of {samples} samples; expected a multiple of {multiple}: "
            f"{multiple}, {2 * multiple}, {3 * multiple}... Change the block size, or collect samples."
        )
