"""Where training stands, as a file that is whole or not there."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neutone_like.errors import TrainingError
from neutone_like.optimise.checkpoint_file import checkpoint_file, write_checkpoint_file

CHECKPOINT_NAME = "checkpoint.pt"


@dataclass
class Progress:
    """How far training is.

    Attributes:
        steps: Updates so far.
        rounds: Sets of windows so far.
        seconds: Of CPU time so far, over all processes that took part.
        network, optimiser: Their states.
        best: Weights that were best on the validation phrases, and
        best_error: how good they were.
        curve: ``(steps, seconds, loss, validation error)`` at each check.
    """

    steps: int = 0
    rounds: int = 0
    seconds: float = 0.0
    network: dict[str, Any] = field(default_factory=dict)
    optimiser: dict[str, Any] = field(default_factory=dict)
    best: dict[str, Any] = field(default_factory=dict)
    best_error: float = float("inf")
    curve: list[tuple[int, float, float, float]] = field(default_factory=list)


def write_checkpoint(path: Path, progress: Progress, settings: dict[str, Any]) -> None:
    """Replace the checkpoint by a newer one, at once.

    Raises:
        TrainingError: It can't be written; the one before is still there.
    """
    kept = "The one written before is whole" if path.exists() else "There is none yet"
    write_checkpoint_file(
        path,
        {"settings": json.dumps(settings), "progress": dict(vars(progress))},
        f" at step {progress.steps}",
        f"{kept}. Make room, and call distil again with the same arguments: it goes on from there.",
    )


def read_checkpoint(path: Path, settings: dict[str, Any]) -> Progress | None:
    """What was written before with the same settings; ``None``: nothing was.

    Raises:
        TrainingError: It is damaged, or of another training.
    """
    if not path.exists():
        return None
    with checkpoint_file(path, "Remove it to begin anew, or give another folder.") as content:
        before, progress = json.loads(content["settings"]), Progress(**content["progress"])
    different = sorted(name for name in {*before, *settings} if before.get(name) != settings.get(name))
    if different:
        told = ", ".join(
            f"{name} was {_short(before.get(name))} and is {_short(settings.get(name))}" for name in different
        )
        raise TrainingError(
            f"{path} is of another training: {told}. Give what was given then to go on, or another folder to begin "
            "anew."
        )
    return progress


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
