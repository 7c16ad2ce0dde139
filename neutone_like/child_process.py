"""Processes that end with the block that they are started for, whatever ends it and whenever."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from neutone_like.uninterrupted import uninterrupted


@contextmanager
def child_process(command: Sequence[str | Path], **options: Any) -> "Iterator[subprocess.Popen[Any]]":
    """A process, killed at the end if it still runs; with its children, where it starts a session of its own.

    Args:
        command: Its program and arguments.
        options: As of ``subprocess.Popen``.

    Raises:
        OSError: It does not start.
    """
    # Known before it starts: of one that is interrupted between fork and return, Popen would forget the number.
    process: Any = subprocess.Popen.__new__(subprocess.Popen)
    try:
        uninterrupted(lambda: process.__init__(list(command), **options))
        yield process
    finally:
        try:
            _end(process, bool(options.get("start_new_session")))
        finally:  # again, where Ctrl-C came in the middle
            _end(process, bool(options.get("start_new_session")))


def run_process(command: Sequence[str | Path], **options: Any) -> "subprocess.CompletedProcess[Any]":
    """As ``subprocess.run(capture_output=True)``, and nothing is left running however early it is interrupted.

    Raises:
        OSError: It does not start.
    """
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with child_process(command, **{**pipes, **options}) as process:
        output, errors = process.communicate()
    return subprocess.CompletedProcess(list(command), process.returncode, output, errors)


def _end(process: Any, with_children: bool) -> None:
    """Twice does nothing."""
    if getattr(process, "pid", None) is not None and process.returncode is None:
        if with_children:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
    for pipe in (getattr(process, name, None) for name in ("stdin", "stdout", "stderr")):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
