"""Children that end with their block, also where Ctrl-C comes while they start."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from neutone_like.child_process import child_process, run_process
from support.interrupts import Ended, interrupt_sent_by

interrupt = pytest.fixture(interrupt_sent_by)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
SLEEPING = [sys.executable, "-S", "-c", "import sys; sys.stdin.read()"]


@pytest.mark.parametrize("options", [{}, {"start_new_session": True}])
def test_one_whose_start_is_interrupted_ends(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch, interrupt: Callable[[], None]
) -> None:
    """Between its first moment and the one in which its number is known."""
    started: list[int] = []
    module: Any = subprocess
    where, name = (module, "_fork_exec") if hasattr(module, "_fork_exec") else (module._posixsubprocess, "fork_exec")
    ordinary = getattr(where, name)

    def fork_exec(*given: Any) -> int:
        started.append(ordinary(*given))
        interrupt()
        return started[0]

    monkeypatch.setattr(where, name, fork_exec)
    with pytest.raises(Ended), child_process(SLEEPING, stdin=subprocess.PIPE, **options):
        raise AssertionError("the block is not begun")
    assert len(started) == 1
    with pytest.raises(ProcessLookupError):  # it is not even left to be waited for
        os.kill(started[0], 0)


def test_it_ends_with_its_block() -> None:
    with child_process(SLEEPING, stdin=subprocess.PIPE) as process:
        assert process.poll() is None
    assert process.returncode == -signal.SIGKILL
    assert process.stdin is not None
    assert process.stdin.closed


def test_its_children_end_too() -> None:
    """Which hold the pipe open as long as they live."""
    read, write = os.pipe()
    command = ["sh", "-c", "sleep 300 & wait"]
    with child_process(command, start_new_session=True, pass_fds=(write,)):
        os.close(write)
    with os.fdopen(read) as pipe:
        assert pipe.read() == ""


def test_it_says_what_it_said() -> None:
    done = run_process([sys.executable, "-S", "-c", "import sys; print(7); print(8, file=sys.stderr)"], text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "7\n", "8\n")


def test_one_that_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run_process([tmp_path / "nothing"])
