"""A job of many files: planned, rendered by an engine, and recorded in a manifest."""

import secrets
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any

from neutone_like.artifact import Artifact
from neutone_like.errors import RenderError
from neutone_like.model.parameter_values import by_name
from neutone_like.render.batch.batch_progress import FilesFunction, showing_files
from neutone_like.render.batch.engines import Engine, EngineName, open_engine
from neutone_like.render.batch.manifest import VERSION, Manifest, open_manifest
from neutone_like.render.batch.planning import Plan, Source, plan_files, require_no_collision
from neutone_like.render.batch.player import Job, Player
from neutone_like.render.batch.preparing import (
    at_least_zero,
    manifest_place,
    prepared_job,
    require_encodable,
    time_limit,
    worker_count,
)
from neutone_like.render.batch.records import FileRecord
from neutone_like.render.batch.rendering import Task, remove_leftovers
from neutone_like.render.batch.results import BatchResult, RenderInterrupted
from neutone_like.render.batch.settings import RenderSettings, versions
from neutone_like.runtime.choosing import BackendName

MOST_WITHOUT_ROOM = 10


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
    backend: BackendName = "auto",
    resume: bool = False,
    manifest: str | PathLike[str] | None = None,
    workers: int | None = None,
    retries: int = 2,
    file_timeout_seconds: float | None = None,
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
        listed: Whether ``source`` is a text file that names one input a line.
        root: Where the tree begins that ``output`` repeats [the folder; the part of a glob before its first wildcard;
            what the files of a list have in common].
        file_format: The ending of the outputs, such as ``"flac"`` [the input's].
        params, wet, dry, input_gain_db, output_gain_db, out_sample_rate, bit_depth, quality: As for
            :func:`neutone_like.render_file`, for every file.
        device: Where an offline model runs: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.
        backend: What plays a live model, as for :class:`neutone_like.ModelPlugin`; the records say what did.
        resume: Leave out what the manifest says is finished, as long as the input, the artifact, the settings and the
            installed versions are the same and the output is still there as it was written.
        manifest: Where it is [``manifest.jsonl`` in the output folder; none for a single file].
        workers: The number of processes [one a processor, or one for another device; never more than files]. 0
            renders in this process.
        retries: How often a file is tried again after its worker died or its store did not answer.
        file_timeout_seconds: How long a file may take; then its worker is killed, and the file has failed. ``None``: as
            long as it takes.
        engine: ``"processes"`` on this machine, or ``"dask"`` for the cluster at ``scheduler``.
        scheduler: The address of the Dask scheduler, such as ``"tcp://10.0.0.1:8786"``.
        progress: A bar on stderr where that is a terminal; or a function of files finished and files in all.

    Raises:
        PlanError: No inputs, two inputs for one output, options that contradict each other: nothing was started.
        RenderError: The job can't be started, the manifest can't be written, or file after file finds the
            disk full.
        RenderInterrupted: Ctrl-C. What is finished stays, and nothing is left half done.
        ArtifactError: The model can't be loaded.
        ParameterError: The model does not take the settings.
        AudioError: The outputs' format does not take the rate, bits or quality.
        MissingExtraError: An optional package is not installed.
    """
    start = time.monotonic()
    settings = RenderSettings(
        by_name(params),
        wet,
        dry,
        input_gain_db,
        output_gain_db,
        out_sample_rate,
        bit_depth,
        quality,
        device,
        backend,
    )
    count = worker_count(workers, engine, scheduler, device)
    retries = at_least_zero("retries", retries)
    limit_seconds = time_limit(file_timeout_seconds, engine, count)
    plan = plan_files(source, output, listed=listed, root=root, ending=file_format)
    place = manifest_place(manifest, plan, resume)
    with prepared_job(model, settings) as job:
        player = Player(job)  # what is wrong with the model or the settings is known before a worker starts
        tasks = [Task(item, player.outputs(item.output)) for item in plan.items]
        require_no_collision([(task.item.input, output) for task in tasks for output in task.outputs])
        require_encodable(plan, job)
        with (
            open_engine(player, scheduler, count, retries, limit_seconds) as chosen,
            nullcontext() if place is None else open_manifest(place) as book,
        ):
            run = _Run(plan, job, book, start)
            if book is not None:
                book.append("run", run.description(str(model), engine, resume))
            if book is not None and resume:
                tasks = [replace(task, earlier=book.done.get(task.item.output)) for task in tasks]
            return run.go(chosen, tasks, progress)


@dataclass
class _Run:
    """The loop's bookkeeping."""

    plan: Plan
    job: Job
    book: Manifest | None
    start: float
    name: str = field(default_factory=lambda: secrets.token_hex(8))
    records: list[FileRecord] = field(default_factory=list[FileRecord])
    without_room: int = 0  # files one after the other for which the disk had none

    def go(self, engine: Engine, tasks: list[Task], progress: bool | FilesFunction) -> BatchResult:
        outputs = [output for task in tasks for output in task.outputs]
        by_output = {task.item.output: task for task in tasks}
        remove_leftovers(outputs)
        try:
            with showing_files(progress, len(tasks)) as show:
                without_room: list[Task] = []
                for record in engine.run(tasks):
                    self._follow_room(record)
                    if record.disk_full:
                        without_room.append(by_output[record.output])
                    else:
                        self._take(record)
                        show(record)
                # A larger file may have taken the room, and failed too.
                for record in engine.run(without_room) if without_room else ():
                    self._follow_room(record)
                    self._take(record)
                    show(record)
        except KeyboardInterrupt as error:
            raise RenderInterrupted(self.result()) from error
        remove_leftovers(outputs)  # of workers that died
        result = self.result()
        if self.book is not None:
            counts = {"done": len(result.done), "skipped": len(result.skipped), "failed": len(result.failed)}
            self.book.append("end", {"run": self.name, **counts, "seconds": result.seconds})
        return result

    def _take(self, record: FileRecord) -> None:
        self.records.append(record)
        if self.book is not None and record.status != "skipped":
            self.book.add(record, self.name)

    def _follow_room(self, record: FileRecord) -> None:
        """Stop where file after file is rendered for nothing."""
        self.without_room = self.without_room + 1 if record.disk_full else 0
        if self.without_room == MOST_WITHOUT_ROOM:
            raise RenderError(f"{record.error} Stopped: {self.result().summary()}.")

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
