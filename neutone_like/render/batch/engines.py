"""What can render tasks: this process, others on this machine, or a Dask cluster."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Literal, Protocol

from neutone_like.extras import import_extra
from neutone_like.render.batch.locations import StoreError
from neutone_like.render.batch.player import Player
from neutone_like.render.batch.pool import ProcessPool
from neutone_like.render.batch.records import FileRecord
from neutone_like.render.batch.rendering import Task, render_task

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


class InThisProcess:
    """No workers: for a debugger, a notebook, or a store that lives in this process."""

    def __init__(self, player: Player, retries: int) -> None:
        self._player = player
        self._retries = retries

    def __enter__(self) -> "InThisProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def run(self, tasks: Iterable[Task]) -> Iterator[FileRecord]:
        return (self._record_of(task) for task in tasks)

    def _record_of(self, task: Task) -> FileRecord:
        for _ in range(self._retries):
            with suppress(StoreError):
                return render_task(self._player, task, raise_store_errors=True)
        return render_task(self._player, task)


def open_engine(
    player: Player, scheduler: str | None, workers: int, retries: int, file_timeout_seconds: float | None
) -> Engine:
    """The cluster of a scheduler; or so many worker processes; or, of none, this process.

    Raises:
        MissingExtraError: Dask is not installed.
    """
    if scheduler is not None:
        import_extra("distributed", extra="dask", purpose="Rendering on a Dask cluster")
        from neutone_like.render.batch.dask_engine import DaskEngine

        return DaskEngine(player.job, scheduler, retries)
    if workers:
        return ProcessPool(player.job, workers, retries, file_timeout_seconds)
    return InThisProcess(player, retries)
