"""What a training goes on from, as a file: whole or not there, and read without running anything that is in it."""

import io
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from neutone_like.errors import TrainingError
from neutone_like.whole_file import write_whole

_DAMAGED = (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError)


def write_checkpoint_file(path: Path, content: dict[str, Any], when: str, advice: str) -> None:
    """Replace a checkpoint by a newer one, at once.

    Args:
        path: The file; its folder is made.
        content: Tensors, numbers, texts, and lists and dictionaries of them.
        when: How far training is, for the error: ``" at step 40"``.
        advice: What to do once there is room.

    Raises:
        TrainingError: It can't be written; the one before is still there.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, buffer.getvalue())
    except OSError as error:
        raise TrainingError(
            f"The checkpoint {path} can't be written{when}: {error.strerror or error}. {advice}"
        ) from error


@contextmanager
def checkpoint_file(path: Path, advice: str) -> Iterator[Any]:
    """What a checkpoint holds; whoever takes it apart inside is told of damage too.

    Raises:
        TrainingError: It is damaged; the message ends with the advice.
    """
    try:
        yield torch.load(path, weights_only=True)
    except _DAMAGED as error:
        raise TrainingError(f"{path} is no checkpoint that can be read ({type(error).__name__}). {advice}") from error
