"""The manifest of a job: one line of JSON for every run and every file, written as soon as the file is finished.

A line goes to the disk in one piece, behind all others. A process that is killed leaves at most one line that is torn,
the last, and a power failure zeros behind it; both are cut off when the manifest is next opened, and the file counts as
not rendered.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from neutone_like.errors import RenderError
from neutone_like.render.batch.locations import is_url, read_bytes, write_bytes
from neutone_like.render.batch.records import FileRecord

VERSION = 1
_START = b'{"kind": "'
# A store of whole objects can't append: the manifest is written anew, at most this often.
STORE_SECONDS = 5.0


class Manifest:
    """An open manifest. Make one with :func:`open_manifest`.

    Attributes:
        location: A path or a URL.
        done: The last finished record of every output, by output.
    """

    def __init__(self, location: str, content: bytes) -> None:
        self.location = location
        self.done: dict[str, FileRecord] = {}
        content = content.rstrip(b"\0")  # a power failure may leave zeros where the last of it was to be written
        self.whole_bytes = content.rfind(b"\n") + 1
        lines = content[: self.whole_bytes].splitlines()
        for number, line in enumerate(lines, start=1):
            self._read(line, number)
        torn = content[self.whole_bytes :]
        if torn[: len(_START)] != _START[: len(torn)]:
            raise self._refused(len(lines) + 1, "it ends without a line break")

    def append(self, kind: str, fields: dict[str, Any]) -> None:
        """Write one line.

        Raises:
            RenderError: It can't be written.
        """
        entry = {"kind": kind, "time": _now(), **fields}
        self._write(json.dumps(entry, allow_nan=False).encode() + b"\n")

    def add(self, record: FileRecord, run: str) -> None:
        """Write what became of a file."""
        self.append("file", {"run": run, **record.to_dict()})

    def close(self) -> None:
        """Write what is not written yet."""

    def _write(self, line: bytes) -> None:
        raise NotImplementedError

    def _read(self, line: bytes, number: int) -> None:
        try:
            entry = json.loads(line)
            kind, version = entry.pop("kind"), entry.pop("version", VERSION)
            if number == 1 and kind != "run":
                raise ValueError("it does not begin with a run")
            if version != VERSION:
                raise ValueError(f"its version is {version}, and this program writes {VERSION}")
            if kind == "file" and entry["status"] == "done":
                fields = {name: value for name, value in entry.items() if name not in ("time", "run")}
                self.done[entry["output"]] = FileRecord.from_dict(fields)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise self._refused(number, error) from error

    def _refused(self, number: int, reason: object) -> RenderError:
        return RenderError(
            f"Line {number} of {self.location} is not one of a render's manifest: {reason}. "
            "Give another name for the manifest; or take the line out, and its file is rendered again."
        )


class _LocalManifest(Manifest):
    def __init__(self, path: str, descriptor: int) -> None:
        self._descriptor = descriptor
        with os.fdopen(os.dup(descriptor), "rb") as file:
            content = file.read()
        super().__init__(path, content)
        if self.whole_bytes < len(content):  # and only now: it is a manifest
            os.ftruncate(descriptor, self.whole_bytes)

    def _write(self, line: bytes) -> None:
        size = os.fstat(self._descriptor).st_size
        try:
            if os.write(self._descriptor, line) == len(line):
                return
            reason = "No space left on device"
        except OSError as error:
            reason = error.strerror or str(error)
        os.ftruncate(self._descriptor, size)
        raise RenderError(f"The manifest {self.location} can't be written: {reason}. Make room, and resume.")


class _StoredManifest(Manifest):
    def __init__(self, url: str) -> None:
        content = read_bytes(url) or b""
        super().__init__(url, content)
        self._content = bytearray(content[: self.whole_bytes])
        self._written_at = -STORE_SECONDS

    def _write(self, line: bytes) -> None:
        self._content += line
        if time.monotonic() - self._written_at >= STORE_SECONDS:
            self.close()

    def close(self) -> None:
        write_bytes(self.location, bytes(self._content))
        self._written_at = time.monotonic()


@contextmanager
def open_manifest(location: str) -> Iterator[Manifest]:
    """Open a manifest, made if missing. Only one process at a time may have a local one open.

    Raises:
        RenderError: It is not a manifest, is in use, or can't be written.
    """
    if is_url(location):
        stored = _StoredManifest(location)
        try:
            yield stored
        finally:
            stored.close()
        return
    try:
        os.makedirs(os.path.dirname(location), exist_ok=True)
        descriptor = os.open(location, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        raise RenderError(f"The manifest {location} can't be written: {error.strerror or error}.") from error
    try:
        _lock(descriptor, location)
        yield _LocalManifest(location, descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, location: str) -> None:
    """The lock ends with the process, however that ends."""
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise RenderError(
            f"Another render is writing to {location}. Wait until it has ended, or choose another output folder."
        ) from error


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
