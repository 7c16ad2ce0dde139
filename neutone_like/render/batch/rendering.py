"""One file of a job, from its input to its record: the same in every engine."""

import errno
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from neutone_like.errors import AudioError, NeutoneLikeError
from neutone_like.file_owner import is_abandoned
from neutone_like.render.batch.locations import (
    StoreError,
    byte_count,
    is_url,
    local_copy,
    name_of,
    publish,
    sha256_of,
    suffix_of,
)
from neutone_like.render.batch.planning import Item
from neutone_like.render.batch.player import Player
from neutone_like.render.batch.records import FileRecord, WrittenFile
from neutone_like.render.file_rendering import RenderResult
from neutone_like.whole_file import parts_of_temporary, temporary_stem

_FULL = (errno.ENOSPC, errno.EDQUOT)


class Cancelled(BaseException):
    """Nobody waits for the file any more."""


@dataclass(frozen=True)
class Task:
    """A file to render.

    Attributes:
        item: What, and to where.
        outputs: The locations that come out of it.
        earlier: The record of an earlier run that finished it, if any.
    """

    item: Item
    outputs: tuple[str, ...]
    earlier: FileRecord | None = None


def render_task(
    player: Player, task: Task, *, cancelled: Callable[[], bool] = lambda: False, raise_store_errors: bool = False
) -> FileRecord:
    """Render a file, or find that an earlier run has; an error becomes part of the record.

    Args:
        player: The model.
        task: What to render.
        cancelled: Asked after every chunk of audio; see :class:`Cancelled`.
        raise_store_errors: Raise a ``StoreError``, so that the engine tries again.

    Raises:
        Cancelled: No trace of the output is left.
        StoreError: If so told.
    """
    start = time.perf_counter()
    record = FileRecord(task.item.input, task.item.output, "failed", worker=worker_name())
    try:
        record = _rendered(player, task, record, cancelled)
    except StoreError as error:
        if raise_store_errors:
            raise
        record = failure(record, error)
    except Exception as error:
        record = failure(record, error)
    return record if record.status == "skipped" else replace(record, seconds=time.perf_counter() - start)


def failure(record: FileRecord, error: Exception) -> FileRecord:
    """The record of a file that an error kept from being rendered."""
    expected = isinstance(error, NeutoneLikeError)
    message = str(error) if expected else f"Unexpected error: {type(error).__name__}: {error}"
    full = _is_full_disk(error)
    if full:
        message = f"{message} Make room, and resume."
    return replace(record, status="failed", error=message, error_kind=type(error).__name__, disk_full=full)


def remove_leftovers(outputs: Iterable[str]) -> None:
    """Remove the temporary files that dead processes have left beside these outputs; others' stay."""
    folders: dict[str, set[str]] = {}
    for output in outputs:
        if not is_url(output):
            path = os.path.realpath(output)
            folders.setdefault(os.path.dirname(path), set()).add(temporary_stem(os.path.basename(path)))
    for folder, names in folders.items():
        for entry in os.listdir(folder) if os.path.isdir(folder) else ():
            temporary = parts_of_temporary(entry)
            if temporary is None or temporary.stem not in names:
                continue
            if is_abandoned(temporary.owner_mark, Path(folder, entry)):
                with suppress(FileNotFoundError):
                    os.unlink(os.path.join(folder, entry))


def worker_name() -> str:
    """This process, as the manifest names it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _rendered(player: Player, task: Task, record: FileRecord, cancelled: Callable[[], bool]) -> FileRecord:
    item, job = task.item, player.job
    with local_copy(item.input, job.scratch) as source:
        before = _state(source)
        input_sha256 = sha256_of(source)
        key = job.key(input_sha256, suffix_of(item.output))
        if task.earlier is not None and task.earlier.key == key and _is_intact(task.earlier):
            return task.earlier.skipped()

        _require_no_links(task.outputs)

        def report(done: int, total: int) -> None:
            if cancelled():
                raise Cancelled
            _require_unchanged(item.input, source, before)

        with _local_target(item.output, job.scratch) as target:
            result = player.play(source, target, seed=int(input_sha256[:15], 16), progress=report)
            if _state(source) != before:
                for file in result.out_paths:  # of an input that nobody knows
                    file.unlink(missing_ok=True)
            _require_unchanged(item.input, source, before)
            written = _publish(result.out_paths, task.outputs)
    return replace(
        record, status="done", key=key, input_sha256=input_sha256, written=written, audio=_audio_fields(result)
    )


def _require_no_links(outputs: Iterable[str]) -> None:
    """What a link in the output folder points to, such as somebody's original, is not ours to replace."""
    for output in outputs:
        if not is_url(output) and os.path.islink(output):
            raise AudioError(
                f"{output} is a link to {os.path.realpath(output)}, which would be replaced. "
                "Remove the link, or choose another folder for the outputs."
            )


@contextmanager
def _local_target(output: str, scratch: Path) -> Iterator[Path]:
    """The local file to write: the output itself, or a temporary one of the same name."""
    if is_url(output):
        with TemporaryDirectory(dir=scratch) as folder:
            yield Path(folder, name_of(output))
        return
    target = Path(output)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudioError(f"The folder {target.parent} can't be made: {error.strerror or error}.") from error
    yield target


def _publish(files: Sequence[Path], outputs: Sequence[str]) -> tuple[WrittenFile, ...]:
    """Put what was written where it belongs."""
    written: list[WrittenFile] = []
    for file, output in zip(files, outputs, strict=True):
        if is_url(output):
            publish(file, output)
        written.append(WrittenFile(output, sha256_of(file), file.stat().st_size))
    return tuple(written)


def _audio_fields(result: RenderResult) -> dict[str, object]:
    return {name: value for name, value in result.to_dict().items() if not name.endswith(("_path", "_paths"))}


def _require_unchanged(location: str, source: Path, before: tuple[int, int, int]) -> None:
    if _state(source) != before:
        raise AudioError(f"{location} was changed while it was rendered. Render it again.")


def _state(file: Path) -> tuple[int, int, int]:
    try:
        status = file.stat()
    except FileNotFoundError as error:
        raise AudioError(f"There is no file {file}.") from error
    except OSError as error:
        raise AudioError(f"{file} can't be read: {error.strerror or error}.") from error
    return status.st_ino, status.st_size, status.st_mtime_ns


def _is_intact(record: FileRecord) -> bool:
    """Whether what a record says was written is still there. What is in a remote store is not fetched to see that."""
    for file in record.written:
        if byte_count(file.location) != file.byte_count:
            return False
        if not is_url(file.location) and sha256_of(Path(file.location)) != file.sha256:
            return False
    return bool(record.written)


def _is_full_disk(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        error = error.__cause__ or error.__context__
    return False
