"""The suite from beginning to end, or until its time is up; a later run goes on where it was stopped."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from neutone_like.bench.machine import machine_conditions
from neutone_like.bench.suite.cells import Cell, Scope, cells_of
from neutone_like.bench.suite.litert_files import PACKAGE, LitertFiles
from neutone_like.bench.suite.measuring import Effort, measure
from neutone_like.bench.suite.networks import Example, examples_in
from neutone_like.bench.suite.results import ResultsFile
from neutone_like.bench.suite.workshop import NotThere, Workshop
from neutone_like.errors import BenchError, NeutoneLikeError
from neutone_like.numbers import real_number
from neutone_like.printing import InNotebooks
from neutone_like.torch_threads import one_thread

MINUTES = 20.0
_PACKAGES = ("torch", "numpy", "onnxruntime", "ai-edge-litert")
_LONG_MINUTES = 60.0


@dataclass(frozen=True)
class SuiteRun(InNotebooks):
    """What a run did.

    Attributes:
        path: The file of results.
        measured: Cells of this run.
        skipped: Of these, those that could not be measured; the file says why.
        left: Cells that time was too short for.
        redone: What was cut off in the file, and measured again; usually empty.
    """

    path: Path
    measured: int
    skipped: int
    left: int
    redone: str = ""


def run_suite(
    path: Path,
    *,
    minutes: float = MINUTES,
    scope: Scope | None = None,
    effort: Effort | None = None,
    examples: Path | None = None,
    converter: Path | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> SuiteRun:
    """Measure what the file does not hold yet.

    Args:
        path: Of the results: a new file, or one to go on with.
        minutes: After which no further cell is begun.
        scope: What is measured; None for everything.
        effort: How long each cell takes; None for a second, and with an hour or more for ten.
        examples: A folder of artifacts, one in each of its folders; None for the checkout's, where this is one.
        converter: A Python that has litert-torch; None for this one, or what ``make formats`` installed.
        progress: Told of each cell before it is measured, and of a line that was cut off.

    Raises:
        BenchError: A file that can't be gone on with or written, or no artifacts in ``examples``.
    """
    minutes = real_number(minutes, "minutes", 0.0, 100_000.0, error=BenchError)
    effort = effort or Effort(seconds=10.0 if minutes >= _LONG_MINUTES else 1.0)
    end = time.monotonic() + 60.0 * minutes
    folder = examples or examples_folder()
    cells = cells_of(scope or Scope(examples=_examples(folder)))
    file = ResultsFile(path, run_record())
    redone = file.earlier.cut_off
    if redone:
        progress(f"{path}: the last line was cut off ({redone[:60]}...) and is measured again")
    try:
        left = [cell for cell in cells if cell.name not in file.earlier.done]
        measured, skipped = _measure(left, file, effort, end, progress, folder, LitertFiles(converter))
    finally:
        file.close()
    return SuiteRun(path, measured, skipped, len(left) - measured, redone)


def _measure(
    cells: Sequence[Cell],
    file: ResultsFile,
    effort: Effort,
    end: float,
    progress: Callable[[str], None],
    examples: Path | None,
    litert: LitertFiles,
) -> tuple[int, int]:
    measured = skipped = 0
    with tempfile.TemporaryDirectory(prefix="neutone-like-suite-") as folder, one_thread():
        workshop = Workshop(Path(folder), examples, litert)
        try:
            for cell in cells:
                if time.monotonic() >= end:
                    break
                progress(f"{measured + 1}/{len(cells)} {cell.name}")
                found = _found(cell, workshop, effort)
                file.write({**cell.to_dict(), **found})
                measured += 1
                skipped += "skipped" in found
        finally:
            workshop.close()
    return measured, skipped


def examples_folder() -> Path | None:
    """The artifacts of the checkout that this package is in; None where it is in none."""
    folder = PACKAGE.parent / "exported"
    return folder if folder.is_dir() else None


def _examples(folder: Path | None) -> tuple[Example, ...]:
    found = examples_in(folder) if folder is not None else ()
    if folder is not None and not found:
        raise BenchError(f"{folder} holds no artifacts: expected folders with a model.nm in each.")
    return found


def _found(cell: Cell, workshop: Workshop, effort: Effort) -> dict[str, Any]:
    try:
        return measure(cell, workshop, effort)
    except (NotThere, NeutoneLikeError) as error:
        return {"skipped": str(error)}


def run_record() -> dict[str, Any]:
    """Where, when and with what is measured."""
    conditions = machine_conditions()
    load = conditions.pop("load of the last minute", "")
    machine = {name: conditions[name] for name in ("processor", "logical processors", "system")}
    versions = {"neutone-like": conditions["neutone-like"], "python": conditions["python"]}
    versions.update({name: _version(name) for name in _PACKAGES})
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {"machine": machine, "versions": versions, "git": _git_revision(), "started": started, "load": load}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _git_revision() -> str:
    """Of the checkout that this file is in; empty where it is none."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
