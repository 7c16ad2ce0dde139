"""The file of results: a line of JSON each, written as it is measured, so that a run can be killed and gone on with.

The first line of each run says where and with what it measured. Every further one is a cell with what was found, or
with the reason why it could not be measured. Nothing is ever taken out.
"""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neutone_like.errors import BenchError
from neutone_like.printing import InNotebooks

FORMAT = "neutone-like bench-suite"
VERSION = 2


@dataclass(frozen=True)
class SuiteResults(InNotebooks):
    """What a file holds.

    Attributes:
        runs: Where, when and with what was measured: one for each time that the suite was started.
        rows: What was found, in the order of measuring.
        whole_bytes: How much of the file is whole lines.
        cut_off: What stands behind them: a line that was being written when the run was killed; usually empty.
    """

    runs: tuple[Mapping[str, Any], ...]
    rows: tuple[Mapping[str, Any], ...]
    whole_bytes: int
    cut_off: str = ""
    done: frozenset[str] = field(default=frozenset(), repr=False)


def read_results(path: Path) -> SuiteResults:
    """Read a file of results.

    Raises:
        BenchError: It can't be read, is of another version, is none, or is damaged before its last line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BenchError(f"{path} can't be read: {error.strerror or error}.") from error
    whole = content.rfind(b"\n") + 1
    lines = content[:whole].split(b"\n")[:-1]
    cut_off = content[whole:].decode("utf-8", "replace")
    records = [_record(path, number, line) for number, line in enumerate(lines, 1)]
    if not records and cut_off.startswith('{"format"'):  # killed in its very first line
        return SuiteResults((), (), 0, cut_off)
    if not records or records[0].get("format") != FORMAT:
        raise BenchError(
            f"{path} holds no results of the benchmark suite: its first line should say "
            f'"format": "{FORMAT}". Give another file, or a name that does not exist yet.'
        )
    runs = tuple(record for record in records if "format" in record)
    for run in runs:
        if run.get("version") != VERSION:
            raise BenchError(
                f"{path} was written by version {run.get('version')!r} of the suite's results, and this is version "
                f"{VERSION}. Read it with the neutone-like that wrote it, and measure into a new file with this one."
            )
    rows = tuple(record for record in records if "format" not in record)
    return SuiteResults(runs, rows, whole, cut_off, frozenset(row["cell"] for row in rows))


def _record(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise BenchError(
            f"{path}: line {number} is damaged ({error}). Only the last line of a file may be cut off; take this one "
            "out, and it will be measured again."
        ) from error
    if not isinstance(record, dict) or not ("format" in record or isinstance(record.get("cell"), str)):
        raise BenchError(f"{path}: line {number} is no result: expected an object with a cell, got {line[:80]!r}.")
    return record


class ResultsFile:
    """Appends to a file of results; each line is on the disk before the next is measured.

    Args:
        path: A new file, or one of the same machine, which goes on.
        run: What this run says of itself.

    Raises:
        BenchError: As :func:`read_results`; or results of another machine; or a file that can't be written, or that
            another run writes.
    """

    def __init__(self, path: Path, run: Mapping[str, Any]) -> None:
        self.path = path
        self.earlier = SuiteResults((), (), 0)
        try:
            self._file = path.open("ab")
        except OSError as error:
            raise BenchError(f"{path} can't be written: {error.strerror or error}.") from error
        try:
            _claim(self._file.fileno(), path)
            if path.stat().st_size > 0:
                self.earlier = read_results(path)
                _require_same_machine(path, self.earlier.runs, run)
            self._file.truncate(self.earlier.whole_bytes)
            self.write({"format": FORMAT, "version": VERSION, **run})
        except OSError as error:
            self._file.close()
            raise BenchError(f"{path} can't be written: {error.strerror or error}.") from error
        except BenchError:
            self._file.close()
            raise

    def write(self, record: Mapping[str, Any]) -> None:
        """Add a line.

        Raises:
            BenchError: It can't be written; what was measured before stays.
        """
        try:
            self._file.write(json.dumps(record, allow_nan=False).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise BenchError(
                f"{self.path} can't be written: {error.strerror or error}. What was measured before stays; make room, "
                "and start the suite again with the same file to go on."
            ) from error

    def close(self) -> None:
        """Nothing more comes."""
        with suppress(OSError):  # of what could not be written before, which was told
            self._file.close()


def _claim(descriptor: int, path: Path) -> None:
    """For this run, until its file is closed: a second one would take its last line for one that was cut off."""
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise BenchError(f"Another run is writing {path}. Wait until it has ended, or give another file.") from error
    except OSError:  # a file system without locks
        pass


def _require_same_machine(path: Path, runs: tuple[Mapping[str, Any], ...], run: Mapping[str, Any]) -> None:
    for earlier in runs:
        if earlier.get("machine") != run.get("machine"):
            raise BenchError(
                f"{path} was measured on {earlier.get('machine')}, and this is {run.get('machine')}: times of two "
                "machines don't belong into one file. Give another name."
            )
