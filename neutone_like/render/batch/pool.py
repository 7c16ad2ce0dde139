"""Worker processes on this machine, each with the model loaded once."""

import multiprocessing
import os
import signal
import sys
import time
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pickle import UnpicklingError
from types import TracebackType
from typing import Any

import torch

from neutone_like.errors import NeutoneLikeError, RenderError
from neutone_like.render.batch.player import Job, Player
from neutone_like.render.batch.records import FileRecord
from neutone_like.render.batch.rendering import Cancelled, Task, failure, remove_leftovers, render_task

STOP_SECONDS = 1.0  # how long workers may take to hear that nobody waits any more
MOST_LOST_STARTS = 3  # in a row, and one for each worker


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
        file_timeout_seconds: How long a file may take; a worker that takes longer is killed, and its file has failed.
    """

    def __init__(self, job: Job, workers: int, retries: int, file_timeout_seconds: float | None = None) -> None:
        self._job = job
        self._count = workers
        self._retries = retries
        self._timeout_seconds = file_timeout_seconds
        self._workers: list[_Worker] = []
        self._lost_starts = 0  # since a worker last started

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
        while waiting or any(worker.attempt for worker in self._workers):
            self._staff(waiting)
            ready = wait([worker.connection for worker in self._workers], self._wait_seconds())
            heard = [self._hear(worker, waiting) for worker in list(self._workers) if worker.connection in ready]
            heard += [self._time_out(worker) for worker in list(self._workers) if worker.is_late(self._timeout_seconds)]
            self._staff(waiting)
            yield from (record for record in heard if record is not None)

    def _staff(self, waiting: "deque[_Attempt]") -> None:
        """Give what waits to whoever is idle, and start as many workers as there is still work for."""
        for worker in self._workers:
            if worker.is_idle and waiting:
                worker.give(waiting.popleft())
        starting = sum(not worker.has_started for worker in self._workers)
        free = self._count - len(self._workers)
        if self._lost_starts < MOST_LOST_STARTS + self._count or not self._workers:
            self._workers += [_Worker(self._job) for _ in range(min(free, len(waiting) - starting))]

    def _wait_seconds(self) -> float | None:
        """Until the next worker is late."""
        if self._timeout_seconds is None:
            return None
        given = [worker.given_at for worker in self._workers if worker.attempt is not None]
        return max(0.0, min(given) + self._timeout_seconds - time.monotonic()) if given else None

    def _hear(self, worker: "_Worker", waiting: "deque[_Attempt]") -> FileRecord | None:
        """What a worker says, or what becomes of its task when it says no more."""
        try:
            message: Any = worker.connection.recv()
        except (EOFError, OSError, UnpicklingError):  # also in the middle of a word
            return self._bury(worker, waiting)
        if isinstance(message, NeutoneLikeError) and worker.attempt is None:
            raise message
        attempt, worker.attempt, worker.is_idle = worker.attempt, None, True
        if attempt is None:
            worker.has_started = True
            self._lost_starts = 0
            return None
        if isinstance(message, FileRecord):
            return message
        return self._again(attempt, message, waiting)

    def _bury(self, worker: "_Worker", waiting: "deque[_Attempt]") -> FileRecord | None:
        worker.end(time.monotonic() + STOP_SECONDS)
        self._workers.remove(worker)
        if not worker.has_started:
            self._count_lost_start(worker)
            return None
        if worker.attempt is None:
            return None
        died = RenderError(
            f"The process that rendered it ended ({worker.how_it_ended}), as when memory runs out. "
            "Try it with fewer workers."
        )
        return self._again(worker.attempt, died, waiting)

    def _count_lost_start(self, worker: "_Worker") -> None:
        """A worker that is killed while it starts is replaced; one that ends by itself would do so again."""
        self._lost_starts += 1
        if any(other.has_started for other in self._workers):  # they go on
            return
        if not worker.was_killed:
            raise RenderError(
                f"A worker process ended before it could load the model ({worker.how_it_ended}). What it printed says "
                "why. A script that renders in worker processes must do so under `if __name__ == '__main__':`; "
                "or render in the script's own process, with workers=0."
            )
        if not self._workers and self._lost_starts >= MOST_LOST_STARTS + self._count:
            raise RenderError(
                f"{self._lost_starts} worker processes in a row ended before they could load the model, the last one "
                f"{worker.how_it_ended}, as when memory runs out. Render with fewer workers, or in this process, with "
                "workers=0."
            )

    def _time_out(self, worker: "_Worker") -> FileRecord | None:
        worker.kill()
        self._workers.remove(worker)
        if worker.attempt is None:  # it was done in the last moment
            return None
        item = worker.attempt.task.item
        late = RenderError(
            f"It took longer than {self._timeout_seconds:g} s, the limit for a file, and was stopped. "
            "Give it more time (file_timeout_seconds), or see whether the model ever ends."
        )
        return failure(FileRecord(item.input, item.output, "failed"), late)

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
        self.given_at = 0.0
        self._process: BaseProcess = context.Process(target=_serve, args=(theirs, job), daemon=True)
        with _without_interruptions():
            self._process.start()
        theirs.close()  # so that the end of the process is the end of the pipe

    @property
    def was_killed(self) -> bool:
        """Whether a signal ended it."""
        return (self._process.exitcode or 0) < 0

    def is_late(self, limit_seconds: float | None) -> bool:
        """Whether its file takes longer than that."""
        if limit_seconds is None or self.attempt is None:
            return False
        return time.monotonic() - self.given_at >= limit_seconds

    @property
    def how_it_ended(self) -> str:
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit code {code}"

    def give(self, attempt: _Attempt) -> None:
        self.attempt, self.is_idle, self.given_at = attempt, False, time.monotonic()
        with suppress(OSError):  # it died meanwhile, which is noticed when it is listened to
            self.connection.send(attempt.task)

    def hang_up(self) -> None:
        """Tell it to stop: the pipe's end does, between two chunks of audio too."""
        self.connection.close()

    def end(self, until: float) -> None:
        """Wait until it has stopped, or at that time make it, and leave nothing half done."""
        self.connection.close()
        self._process.join(max(0.0, until - time.monotonic()))
        self.kill()

    def kill(self) -> None:
        """End it now, and leave nothing half done."""
        self.connection.close()
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        if self.attempt is not None:
            remove_leftovers(self.attempt.task.outputs)


@contextmanager
def _without_interruptions() -> Iterator[None]:
    """Ctrl-C reaches all processes of a terminal; a worker that is started here doesn't hear it, from its first moment
    on, and this one hears it when the block has ended.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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
