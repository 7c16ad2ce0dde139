"""The child process: started with the interposer in it, and ended when it does not end by itself."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from neutone_like.child_process import child_process

MOST_OUTPUT_CHARACTERS = 2000


@dataclass(frozen=True)
class ChildResult:
    """What a child left. ``exit_code`` is None when it had to be stopped, and negative for a signal."""

    exit_code: int | None
    report: str
    output: str

    @property
    def signal_name(self) -> str:
        """The signal that ended it, or nothing."""
        if self.exit_code is None or self.exit_code >= 0:
            return ""
        return signal_name(-self.exit_code)


def signal_name(number: int) -> str:
    """As in the manual's section 7."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def run_child(command: Callable[[int], Sequence[str]], *, interposer: str, timeout_seconds: float) -> ChildResult:
    """Run a command whose last words depend on the number of the file it reports to.

    Both its report and what it prints go to files, so that neither can make it wait.
    """
    with (
        _preloadable(interposer) as first,
        tempfile.TemporaryFile("w+b") as report,
        tempfile.TemporaryFile("w+b") as output,
    ):
        preloaded = ":".join(filter(None, (first, os.environ.get("LD_PRELOAD"))))
        with child_process(
            command(report.fileno()),
            env={**os.environ, "LD_PRELOAD": preloaded},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(report.fileno(),),
        ) as process:
            try:
                exit_code: int | None = process.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                exit_code = None
        return ChildResult(exit_code, _text(report), _text(output)[-MOST_OUTPUT_CHARACTERS:].strip())


@contextmanager
def _preloadable(path: str) -> Iterator[str]:
    """A path as LD_PRELOAD can have it: spaces and colons would end it."""
    if not set(path) & {" ", ":"}:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="neutone_like_") as folder:
        link = Path(folder, Path(path).name)
        link.symlink_to(path)
        yield str(link)


def _text(file: BinaryIO) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")
