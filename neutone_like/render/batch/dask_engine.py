"""The workers of a Dask cluster, each with the model loaded once.

The artifact travels with the job; inputs and outputs must have the same names on every worker: URLs, or paths of a
shared disk.
"""

import asyncio
import secrets
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from types import TracebackType
from typing import Any

import distributed
from distributed.comm.core import connect
from distributed.diagnostics.plugin import WorkerPlugin

from neutone_like.errors import NeutoneLikeError, RenderError
from neutone_like.render.batch.player import Job, Player
from neutone_like.render.batch.records import FileRecord
from neutone_like.render.batch.rendering import Task, failure, render_task

CONNECT_SECONDS = 10.0


class DaskEngine:
    """Renders tasks on a cluster. A file whose worker is lost goes to another; Dask gives up when it has taken several
    workers with it.

    Args:
        job: What all workers need.
        scheduler: Its address.
        retries: How often a file is tried again whose store did not answer.
    """

    def __init__(self, job: Job, scheduler: str, retries: int) -> None:
        self._job = job
        self._scheduler = scheduler
        self._retries = retries
        self._name = f"neutone-like-{secrets.token_hex(8)}"
        self._client: Any = None
        self._tasks: dict[Any, Task] = {}

    def __enter__(self) -> "DaskEngine":
        try:
            with ThreadPoolExecutor(1) as thread:  # the caller's may have an event loop of its own, as in a notebook
                thread.submit(lambda: asyncio.run(_greet(self._scheduler))).result()
            self._client = distributed.Client(self._scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
        except Exception as error:  # whatever answers at that address may be no scheduler
            raise RenderError(
                f"The scheduler {self._scheduler} can't be reached within {CONNECT_SECONDS:g} s: {error}. "
                "Check its address and that it runs; it prints its address when it starts."
            ) from error
        try:
            self._client.register_plugin(_LoadedModel(self._job), name=self._name)
        except Exception as error:  # whatever the workers raise
            self._close()
            if isinstance(error, NeutoneLikeError):
                raise
            raise RenderError(
                f"The workers of {self._scheduler} can't load the model: {type(error).__name__}: {error}. "
                "They need the same neutone-like, torch and Dask as this program has."
            ) from error
        self._warn()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()

    def run(self, tasks: Iterable[Task]) -> Iterator[FileRecord]:
        """The records, as files are finished.

        Raises:
            RenderError: The scheduler was lost.
        """
        for task in tasks:
            future = self._client.submit(_render, task, self._name, pure=False, retries=self._retries)
            self._tasks[future] = task
        for future in distributed.as_completed(list(self._tasks), loop=self._client.loop):
            task = self._tasks.pop(future)
            yield self._record_of(future, task)
            future.release()

    def _record_of(self, future: Any, task: Task) -> FileRecord:
        try:
            return future.result()
        except CancelledError as error:
            raise RenderError(
                f"The scheduler {self._scheduler} was lost, with {len(self._tasks) + 1} files unfinished. "
                "What is finished stays: start a scheduler, and resume."
            ) from error
        except Exception as error:  # what a worker raises, and what becomes of one
            return failure(FileRecord(task.item.input, task.item.output, "failed"), error)

    def _warn(self) -> None:
        # Not scheduler_info(): the client looks every few seconds by itself, without workers, and that may be returned.
        workers = self._client.sync(self._client.scheduler.identity, n_workers=-1)["workers"]
        threads = [int(worker["nthreads"]) for worker in workers.values()]
        if not threads:
            warnings.warn(f"The scheduler {self._scheduler} has no workers yet; waiting for some.", stacklevel=2)
        elif max(threads) > 1:
            warnings.warn(
                f"A worker renders one file at a time, and some of {self._scheduler} have up to {max(threads)} threads "
                "for it. Start more workers of one thread each: `dask worker --nworkers 8 --nthreads 1`.",
                stacklevel=2,
            )

    def _close(self) -> None:
        if self._client.status == "running":
            self._client.cancel(list(self._tasks))
            self._client.unregister_worker_plugin(self._name)
        self._client.close(timeout=CONNECT_SECONDS)


async def _greet(address: str) -> None:
    """A client that can't connect tries to take its leave for another half a minute; this one does not."""
    comm: Any = await asyncio.wait_for(connect(address, CONNECT_SECONDS), CONNECT_SECONDS + 1.0)
    await comm.close()


class _LoadedModel(WorkerPlugin):
    """Brings the artifact to a worker, also to one that joins later, and keeps it loaded there."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._files = {file.name: file.read_bytes() for file in job.files}
        self._folder: Any = None
        self.player: Any = None
        self.one_at_a_time: Any = None

    def setup(self, worker: Any) -> None:
        self._folder = TemporaryDirectory(prefix="neutone_like_", dir=worker.local_directory)
        for name, content in self._files.items():
            Path(self._folder.name, name).write_bytes(content)
        model = Path(self._folder.name, self._job.model.name)
        self.one_at_a_time = Lock()  # the model has a state, and the process one source of random numbers
        self.player = Player(replace(self._job, model=model, scratch=Path(self._folder.name)))

    def teardown(self, worker: Any) -> None:
        if self._folder is not None:
            self._folder.cleanup()


def _render(task: Task, name: str) -> FileRecord:
    plugin: Any = distributed.get_worker().plugins[name]
    with plugin.one_at_a_time:
        return render_task(plugin.player, task, raise_store_errors=True)
