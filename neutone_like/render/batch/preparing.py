"""What is made ready, and refused, before a job starts."""

import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from neutone_like.arguments import is_one_of
from neutone_like.artifact import Artifact
from neutone_like.artifact.format.archive import COMPILED_NAME, MODEL_NAME
from neutone_like.audio import writing
from neutone_like.errors import ArtifactError, AudioError, ModelError, RuntimeEngineError
from neutone_like.numbers import as_finite_number, as_whole_number
from neutone_like.render.batch.locations import (
    PlanError,
    exists,
    join,
    local_copy,
    location_of,
    parent_of,
    sha256_of,
    suffix_of,
)
from neutone_like.render.batch.planning import Plan
from neutone_like.render.batch.player import Job
from neutone_like.render.batch.pool import processor_count
from neutone_like.render.batch.settings import RenderSettings
from neutone_like.runtime.choosing import BackendName
from neutone_like.runtime.compiled_model import load_compiled

MANIFEST_NAME = "manifest.jsonl"
_TRIAL_RATE = 44100  # Hz; every format takes it


@contextmanager
def prepared_job(model: Artifact | str | PathLike[str], settings: RenderSettings) -> Iterator[Job]:
    """The job, with a copy of the artifact: all workers load the same, whatever happens to the file meanwhile."""
    if not isinstance(model, (str, PathLike, Artifact)):
        raise ModelError(
            f"Expected an artifact, or the path of one, got {type(model).__name__}. "
            "Workers load the model from a file: export it first, with export_model(model, folder)."
        )
    place = location_of(model.path if isinstance(model, Artifact) else model)
    if exists(place, folder=True):
        place = join(place, MODEL_NAME)
    with TemporaryDirectory(prefix="neutone_like_") as folder:
        copy = Path(folder, os.path.basename(place))
        try:
            with local_copy(place, Path(folder)) as file:
                shutil.copyfile(file, copy)
        except (OSError, AudioError) as error:
            raise ArtifactError(
                f"{place} can't be read: {error}. Give a .nm file, or the folder that one is in."
            ) from error
        compiled = _copy_compiled(place, copy, settings.backend) if settings.backend != "torchscript" else ""
        allowed = model.allow_operators if isinstance(model, Artifact) else frozenset[str]()
        yield Job(copy, sha256_of(copy), settings, Path(folder), compiled, allowed)


def _copy_compiled(place: str, copy: Path, wanted: BackendName) -> str:
    """Put the compiled model beside the copy of its artifact; its SHA-256, or ``""`` where there is none to play."""
    beside, target = join(parent_of(place), COMPILED_NAME), copy.with_name(COMPILED_NAME)
    try:
        if exists(beside, folder=False):
            with local_copy(beside, copy.parent) as file:
                shutil.copyfile(file, target)
        elif wanted == "auto":
            return ""
        load_compiled(copy)
    except (ArtifactError, RuntimeEngineError, OSError) as error:
        target.unlink(missing_ok=True)
        said = str(error).replace(str(target), beside).replace(str(copy), place)
        if wanted == "compiled":
            raise ArtifactError(said) from error
        warnings.warn(f"TorchScript plays {place}: {said}", RuntimeWarning, stacklevel=2)
        return ""
    return sha256_of(target)


def require_encodable(plan: Plan, job: Job) -> None:
    """Bits and quality that no file of a format can have are refused once, and not for every file."""
    settings = job.settings
    for suffix in sorted({suffix_of(item.output).lower() for item in plan.items}):
        rate = settings.out_sample_rate or _TRIAL_RATE
        trial = job.scratch / f"output{suffix}"
        with writing(
            trial, sample_rate=rate, channels=2, bit_depth=settings.bit_depth, quality=settings.quality
        ) as writer:
            writer.write(np.zeros((2, 1), dtype=np.float32))
        trial.unlink()


def at_least_zero(name: str, value: Any) -> int:
    """A number of workers or retries.

    Raises:
        PlanError: It is none.
    """
    number = as_whole_number(value)
    if number is None or number < 0:
        raise PlanError(f"{name} must be a whole number, 0 or more, got {value!r}.")
    return number


def worker_count(workers: int | None, engine: str, scheduler: str | None, device: str) -> int:
    if not is_one_of(engine, ("processes", "dask")):
        raise PlanError(f"engine must be 'processes' or 'dask', got {engine!r}.")
    if scheduler is not None and not isinstance(scheduler, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise PlanError(f"scheduler must be an address, such as tcp://10.0.0.1:8786, got {scheduler!r:.200}.")
    if engine == "dask" and not scheduler:
        raise PlanError("engine 'dask' needs the address of a scheduler, such as tcp://10.0.0.1:8786.")
    if engine == "dask" and workers is not None:
        raise PlanError("A Dask cluster has its own workers: leave out workers, or leave out engine.")
    if engine != "dask" and scheduler:
        raise PlanError(f"A scheduler ({scheduler}) is for engine 'dask' only. Add it, or leave the scheduler out.")
    if workers is not None:
        return at_least_zero("workers", workers)
    return processor_count() if device == "cpu" else 1


def time_limit(file_timeout_seconds: Any, engine: str, workers: int) -> float | None:
    """How long a file may take, in seconds. Only a process of its own can be stopped whatever it does.

    Raises:
        PlanError: No number of seconds, or nothing that could be stopped.
    """
    if file_timeout_seconds is None:
        return None
    seconds = as_finite_number(file_timeout_seconds)
    if seconds is None or seconds <= 0.0:
        raise PlanError(f"file_timeout_seconds must be a number of seconds above 0, got {file_timeout_seconds!r}.")
    if engine == "dask" or workers == 0:
        where = "on a Dask cluster" if engine == "dask" else "in this process (workers=0)"
        raise PlanError(
            f"file_timeout_seconds: a file that is rendered {where} can't be stopped. "
            "Render in worker processes of this machine, one at least."
        )
    return seconds


def manifest_place(manifest: str | PathLike[str] | None, plan: Plan, resume: bool) -> str | None:
    if manifest is not None:
        return location_of(manifest)
    if plan.folder is not None:
        return join(plan.folder, MANIFEST_NAME)
    if resume:
        raise PlanError("To resume takes a manifest, and a single file has none unless it is named. Give manifest.")
    return None
