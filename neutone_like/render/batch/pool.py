"""Worker processes on this machine, each with the model loaded once."""

import multiprocessing
import os
import signal
import sys
import time
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any

import torch

from neutone_like.errors import NeutoneLikeError, RenderError
from neutone_like.render.batch.player import Job, Player
from neutone_like.render.batch.records import FileRecord
from neutone_like.render.batch.rendering import Cancelled, Task, failure, remove_leftovers, render_task

STOP_SECONDS = 5.0


def processor_count() -> int:
    """Logical processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ProcessPool:
    """Renders tasks in processes of its own. A worker has one task at a time, so that it is known what a worker that
    dies was doing: the task is tried again in another, and fails when it takes ``retries`` more with it.

    Args:
        job: What all workers need.
        workers: How many processes.
        retries: How often a file is tried again whose worker died, or whose store did not answer.
    """

    def __init__(self, job: Job, workers: int, retries: int) -> None:
        self._job = job
        self._count = workers
        self._retries = retries
        self._workers: list[_Worker] = []

    def __enter__(self) -> "ProcessPool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.hang_up()
        until = time.monotonic() + STOP_SECONDS
        for worker in self._workers:
            worker.end(until)

    def run(self, tasks: Iterable[Task]) -> Iterator[FileRecord]:
        """The records, as files are finished.

        Raises:
            NeutoneLikeError: The workers can't load the model, or can't start.
        """
        waiting = deque(_Attempt(task, 0) for task in tasks)
        self._workers = [_Worker(self._job) for _ in range(min(self._count, len(waiting)))]
        while waiting or any(worker.attempt for worker in self._workers):
            ready = wait([worker.connection for worker in self._workers])
            heard = [self._hear(worker, waiting) for worker in list(self._workers) if worker.connection in ready]
            for worker in self._workers:
                if worker.is_idle and waiting:
                    worker.give(waiting.popleft())
            yield from (record for record in heard if record is not None)

    def _hear(self, worker: "_Worker", waiting: "deque[_Attempt]") -> FileRecord | None:
        """What a worker says, or what becomes of its task when it says no more."""
        try:
            message: Any = worker.connection.recv()
        except (EOFError, OSError):
            return self._bury(worker, waiting)
        if isinstance(message, NeutoneLikeError) and worker.attempt is None:
            raise message
        attempt, worker.attempt, worker.is_idle = worker.attempt, None, True
        if attempt is None:
            worker.has_started = True
            return None
        if isinstance(message, FileRecord):
            return message
        return self._again(attempt, message, waiting)

    def _bury(self, worker: "_Worker", waiting: "deque[_Attempt]") -> FileRecord | None:
        worker.end(time.monotonic() + STOP_SECONDS)
        self._workers.remove(worker)
        if not worker.has_started:
            raise RenderError(
                f"A worker process ended before it could load the model ({worker.how_it_ended}). What it printed says "
                "why. A script that renders in worker processes must do so under `if __name__ == '__main__':`; "
                "or render in the script's own process, with workers=0."
            )
        attempt = worker.attempt
        if attempt is None:
            return None
        self._workers.append(_Worker(self._job))
        died = RenderError(
            f"The process that rendered it ended ({worker.how_it_ended}), as when memory runs out. "
            "Try it with fewer workers."
        )
        return self._again(attempt, died, waiting)

    def _again(self, attempt: "_Attempt", error: Exception, waiting: "deque[_Attempt]") -> FileRecord | None:
        item = attempt.task.item
        if attempt.retries == self._retries:
            return failure(FileRecord(item.input, item.output, "failed"), error)
        waiting.appendleft(_Attempt(attempt.task, attempt.retries + 1))
        return None


class _Attempt:
    def __init__(self, task: Task, retries: int) -> None:
        self.task = task
        self.retries = retries


class _Worker:
    """A process, and what it is doing."""

    def __init__(self, job: Job) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would inherit torch's threads, half alive
        self.connection, theirs = context.Pipe()
        self.attempt: _Attempt | None = None
        self.is_idle = False
        self.has_started = False
        self._process: BaseProcess = context.Process(target=_serve, args=(theirs, job), daemon=True)
        self._process.start()
        theirs.close()  # so that the end of the process is the end of the pipe

    @property
    def how_it_ended(self) -> str:
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit code {code}"

    def give(self, attempt: _Attempt) -> None:
        self.attempt, self.is_idle = attempt, False
        with suppress(OSError):  # it died meanwhile, which is noticed when it is listened to
            self.connection.send(attempt.task)

    def hang_up(self) -> None:
        """Tell it to stop: the pipe's end does, between two chunks of audio too."""
        self.connection.close()

    def end(self, until: float) -> None:
        """Wait until it has stopped, or at that time make it, and leave nothing half done."""
        self.connection.close()
        self._process.join(max(0.0, until - time.monotonic()))
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        if self.attempt is not None:
            remove_leftovers(self.attempt.task.outputs)


def _serve(connection: Connection, job: Job) -> None:
    """What a worker process does: load the model, then render what comes, until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the first one decides
    os.dup2(2, 1)  # what a model prints must not mix with what the program prints
    warnings.filterwarnings("ignore", message=r"`torch\.jit\.", category=DeprecationWarning)
    torch.set_num_threads(1)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError, Cancelled):
        try:
            player = Player(job)
        except NeutoneLikeError as error:
            connection.send(error)
            sys.exit(1)
        connection.send(None)
        while True:
            task = connection.recv()
            # During a render nothing is sent to it: what it could hear is the end of the pipe.
            connection.send(_answer(player, task, connection))


def _answer(player: Player, task: Task, connection: Connection) -> Any:
    try:
        return render_task(player, task, cancelled=connection.poll, raise_store_errors=True)
    except NeutoneLikeError as error:
        return error
