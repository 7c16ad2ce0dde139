"""A job of many files: planned, rendered by an engine, and recorded in a manifest."""

import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Literal, Protocol

import numpy as np

from neutone_like.artifact import Artifact
from neutone_like.artifact.archive import MODEL_NAME
from neutone_like.errors import ArtifactError, AudioError, ModelError, RenderError
from neutone_like.extras import import_extra
from neutone_like.render.audio_writer import writing
from neutone_like.render.batch.batch_progress import FilesFunction, showing_files
from neutone_like.render.batch.locations import PlanError, exists, join, local_copy, location_of, sha256_of, suffix_of
from neutone_like.render.batch.manifest import VERSION, Manifest, open_manifest
from neutone_like.render.batch.planning import Plan, Source, plan_files
from neutone_like.render.batch.player import Job, Player
from neutone_like.render.batch.pool import ProcessPool, processor_count
from neutone_like.render.batch.records import FileRecord
from neutone_like.render.batch.rendering import Task, remove_leftovers, render_task
from neutone_like.render.batch.results import BatchResult, RenderInterrupted
from neutone_like.render.batch.settings import RenderSettings, versions

MANIFEST_NAME = "manifest.jsonl"
_TRIAL_RATE = 44100  # Hz; every format takes it
EngineName = Literal["processes", "dask"]


class Engine(Protocol):
    """Renders tasks, wherever; leaving it stops what is not finished."""

    def __enter__(self) -> "Engine": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def run(self, tasks: Iterable[Task]) -> Iterator[FileRecord]:
        """The records, as files are finished."""
        ...


def render_files(
    model: Artifact | str | PathLike[str],
    source: Source,
    output: str | PathLike[str],
    *,
    listed: bool = False,
    root: str | PathLike[str] | None = None,
    file_format: str | None = None,
    params: Mapping[str, Any] | None = None,
    wet: float | None = None,
    dry: float | None = None,
    input_gain_db: float | None = None,
    output_gain_db: float | None = None,
    out_sample_rate: int | None = None,
    bit_depth: int | None = None,
    quality: str | float | None = None,
    device: str = "cpu",
    resume: bool = False,
    manifest: str | PathLike[str] | None = None,
    workers: int | None = None,
    retries: int = 2,
    engine: EngineName = "processes",
    scheduler: str | None = None,
    progress: bool | FilesFunction = True,
) -> BatchResult:
    """Render many audio files through an artifact, keeping their tree; a file that fails does not stop the others.

    Files and folders are paths, or URLs that fsspec knows. A file's random numbers are seeded by its content, so that
    it comes out the same, bit for bit, in whatever order and by whichever worker it is rendered.

    Args:
        model: An artifact, or the path or URL of a ``.nm`` file or of its folder.
        source: A file, a folder (searched with all folders in it), a glob, or a sequence of files.
        output: The folder to write into; made if missing. For a single file, also the file to write.
        listed: ``source`` is a text file that names one input a line.
        root: Where the tree begins that ``output`` repeats [the folder; the part of a glob before its first wildcard;
            what the files of a list have in common].
        file_format: The ending of the outputs, such as ``"flac"`` [the input's].
        params, wet, dry, input_gain_db, output_gain_db, out_sample_rate, bit_depth, quality: As for
            :func:`neutone_like.render_file`, for every file.
        device: Where a non-real-time model runs: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
        resume: Leave out what the manifest says is finished, as long as the input, the artifact, the settings and the
            installed versions are the same and the output is still there as it was written.
        manifest: Where it is [``manifest.jsonl`` in the output folder; none for a single file].
        workers: Processes [as many as there are processors; never more than files]. 0 renders in this process.
        retries: How often a file is tried again whose worker died or whose store did not answer.
        engine: ``"processes"`` of this machine, or the ``"dask"`` cluster that ``scheduler`` is the address of.
        scheduler: Such as ``"tcp://10.0.0.1:8786"``.
        progress: A bar on stderr where that is a terminal; or a function of files finished and files in all.

    Raises:
        PlanError: No inputs, two inputs for one output, options that contradict each other: nothing was started.
        RenderError: The job can't be started, the manifest can't be written, or the disk is full.
        RenderInterrupted: Ctrl-C. What is finished stays, and nothing is left half done.
        ArtifactError: The model can't be loaded.
        ParameterError: The model does not take the settings.
        AudioError: The outputs' format does not take the rate, bits or quality.
        MissingExtraError: An optional package is not installed.
    """
    start = time.monotonic()
    settings = RenderSettings(
        dict(params or {}), wet, dry, input_gain_db, output_gain_db, out_sample_rate, bit_depth, quality, device
    )
    count = _workers(workers, retries, engine, scheduler)
    plan = plan_files(source, output, listed=listed, root=root, ending=file_format)
    place = _manifest_place(manifest, plan, resume)
    with _prepared(model, settings) as job:
        player = Player(job)  # what is wrong with the model or the settings is known before a worker starts
        _require_encodable(plan, job)
        chosen: Engine
        if engine == "dask":
            import_extra("distributed", extra="dask", purpose="Rendering on a Dask cluster")
            from neutone_like.render.batch.dask_engine import DaskEngine

            chosen = DaskEngine(job, str(scheduler), retries)
        else:
            chosen = ProcessPool(job, count, retries) if count else _InThisProcess(player)
        with chosen, nullcontext() if place is None else open_manifest(place) as book:
            remove_leftovers(item.output for item in plan.items)
            run = _Run(plan, job, book, start)
            if book is not None:
                book.append("run", run.description(str(model), engine, resume))
            earlier = book.done if book is not None and resume else {}
            return run.go(chosen, [Task(item, earlier.get(item.output)) for item in plan.items], progress)


@dataclass
class _Run:
    """The loop's bookkeeping."""

    plan: Plan
    job: Job
    book: Manifest | None
    start: float
    name: str = field(default_factory=lambda: secrets.token_hex(8))
    records: list[FileRecord] = field(default_factory=list[FileRecord])

    def go(self, engine: Engine, tasks: list[Task], progress: bool | FilesFunction) -> BatchResult:
        try:
            with showing_files(progress, len(tasks)) as show:
                for record in engine.run(tasks):
                    self._take(record)
                    show(record)
        except KeyboardInterrupt as error:
            raise RenderInterrupted(self.result()) from error
        remove_leftovers(item.output for item in self.plan.items)  # of workers that died
        result = self.result()
        if self.book is not None:
            counts = {"done": len(result.done), "skipped": len(result.skipped), "failed": len(result.failed)}
            self.book.append("end", {"run": self.name, **counts, "seconds": result.seconds})
        return result

    def _take(self, record: FileRecord) -> None:
        self.records.append(record)
        if self.book is not None and record.status != "skipped":
            self.book.add(record, self.name)
        if record.disk_full:  # every further file would be rendered for nothing
            raise RenderError(f"{record.error} Stopped: {self.result().summary()}. Make room, and resume.")

    def description(self, model: str, engine: str, resume: bool) -> dict[str, Any]:
        """What the manifest says about the run."""
        return {
            "version": VERSION,
            "run": self.name,
            "files": len(self.plan.items),
            "resume": resume,
            "engine": engine,
            "model": model,
            "artifact_sha256": self.job.artifact_sha256,
            "settings_sha256": self.job.settings.digest(),
            "versions": versions(),
        }

    def result(self) -> BatchResult:
        place = None if self.book is None else self.book.location
        seconds = time.monotonic() - self.start
        return BatchResult(tuple(self.records), len(self.plan.items), place, seconds, self.plan.ignored)


class _InThisProcess:
    """No workers: for a debugger, a notebook, or a store that lives in this process."""

    def __init__(self, player: Player) -> None:
        self._player = player

    def __enter__(self) -> "_InThisProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def run(self, tasks: Iterable[Task]) -> Iterator[FileRecord]:
        return (render_task(self._player, task) for task in tasks)


@contextmanager
def _prepared(model: Artifact | str | PathLike[str], settings: RenderSettings) -> Iterator[Job]:
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
        yield Job(copy, sha256_of(copy), settings, Path(folder))


def _require_encodable(plan: Plan, job: Job) -> None:
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


def _workers(workers: int | None, retries: int, engine: str, scheduler: str | None) -> int:
    for name, value in (("workers", 0 if workers is None else workers), ("retries", retries)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise PlanError(f"{name} must be a whole number, 0 or more, got {value!r}.")
    if engine not in ("processes", "dask"):
        raise PlanError(f"engine must be 'processes' or 'dask', got {engine!r}.")
    if engine == "dask" and not scheduler:
        raise PlanError("engine 'dask' needs the address of a scheduler, such as tcp://10.0.0.1:8786.")
    if engine == "dask" and workers is not None:
        raise PlanError("A Dask cluster has its own workers: leave out workers, or leave out engine.")
    if engine != "dask" and scheduler:
        raise PlanError(f"A scheduler ({scheduler}) is for engine 'dask' only. Add it, or leave the scheduler out.")
    return processor_count() if workers is None else workers


def _manifest_place(manifest: str | PathLike[str] | None, plan: Plan, resume: bool) -> str | None:
    if manifest is not None:
        return location_of(manifest)
    if plan.folder is not None:
        return join(plan.folder, MANIFEST_NAME)
    if resume:
        raise PlanError("To resume takes a manifest, and a single file has none unless it is named. Give manifest.")
    return None
