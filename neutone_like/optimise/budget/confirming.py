"""What a search states, measured once more by a fresh process that has the files of its points and nothing else."""

import json
import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from neutone_like.artifact import load_artifact
from neutone_like.child_process import run_process
from neutone_like.optimise.budget.measuring import measured
from neutone_like.optimise.budget.report import BudgetPoint
from neutone_like.uninterrupted import uninterrupted
from neutone_like.whole_file import appearing_whole, write_whole

CASE_NAME, SOUNDS_NAME = "held_out.json", "held_out.npz"


def keep_case(
    folder: Path,
    points: Sequence[BudgetPoint],
    sounds: Sequence[Any],
    rate: int,
    block_sizes: Sequence[int],
    allow_operators: Collection[str] = (),
) -> None:
    """Write what the other process needs: where the artifacts are, and the sounds that they are compared on.

    Args:
        folder: Of the search.
        points: To be measured.
        sounds: ``(channels, samples)`` each.
        rate: Of the sounds, Hz.
        block_sizes: Samples.
        allow_operators: As the original was loaded with.

    Raises:
        OSError: The folder can't be written.
    """
    case = {
        "sample_rate": rate,
        "block_sizes": list(block_sizes),
        "allow_operators": sorted(allow_operators),
        "points": [[each.name, str(each.path.resolve())] for each in points],
    }
    with appearing_whole(folder / SOUNDS_NAME) as file:
        uninterrupted(lambda: np.savez(file, *sounds))  # else closing it fails, with an error of its own
    write_whole(folder / CASE_NAME, (json.dumps(case, indent=1) + "\n").encode())


def confirmed(folder: Path, points: Sequence[BudgetPoint]) -> tuple[list[BudgetPoint], str]:
    """The points with how far a fresh process measured otherwise, or the same points and why it could not."""
    # It imports from where this process does, and not from the folder that happens to be the current one.
    program = f"import sys; sys.path[:] = {sys.path!r}; from {main.__module__} import main; main(sys.argv[1])"
    command = [sys.executable, "-c", program, str(folder)]
    try:
        run = run_process(command, text=True, errors="replace")
    except OSError as error:
        return list(points), f"not confirmed: no fresh process could be started: {error}"
    if run.returncode != 0:
        last = run.stderr.strip().splitlines()[-1:] or ["no message"]
        return list(points), f"not confirmed: the fresh process ended with code {run.returncode}: {last[0]:.300}"
    again = json.loads(run.stdout.strip().splitlines()[-1])
    return [replace(each, differs=_differences(each, found)) for each, found in zip(points, again, strict=True)], ""


def _differences(point: BudgetPoint, again: dict[str, Any]) -> dict[str, float]:
    """Of the larger of both numbers; of times that of the block where it is greatest."""
    times = {str(block): value for block, value in point.cost.block_us.items()}
    return {
        "time": max(_apart(value, again["block_us"][block]) for block, value in times.items()),
        "bytes": _apart(point.cost.file_bytes, again["file_bytes"]),
        "error": _apart(point.error_to_signal_ratio, again["error_to_signal_ratio"]),
    }


def _apart(one: float, other: float) -> float:
    return abs(one - other) / max(abs(one), abs(other), 1e-30)


def main(folder: str) -> None:
    """Measure all points of a folder, and print the numbers as JSON."""
    case = json.loads((Path(folder) / CASE_NAME).read_text(encoding="utf-8"))
    with np.load(Path(folder) / SOUNDS_NAME) as file:
        sounds = [file[f"arr_{at}"] for at in range(len(file.files))]
    allowed = case["allow_operators"]
    made = [(name, load_artifact(path, allow_operators=allowed)) for name, path in case["points"]]
    found = measured(made, sounds, case["sample_rate"], case["block_sizes"])
    numbers = [
        {
            "block_us": {str(block): value for block, value in each.cost.block_us.items()},
            "file_bytes": each.cost.file_bytes,
            "error_to_signal_ratio": each.error_to_signal_ratio,
        }
        for each in found
    ]
    sys.stdout.write(json.dumps(numbers) + "\n")
