"""The C++ compiler for every platform: that of the ``ziglang`` package."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from neutone_like.child_process import run_process
from neutone_like.errors import CompileError
from neutone_like.extras import import_extra

_SHOWN_LINES = 20


def require_zig(purpose: str = "neutone-like compile --target") -> None:
    """Raise MissingExtraError where the compiler is not installed, which is needed for this purpose."""
    import_extra("ziglang", extra="compile", purpose=purpose)


def compile_with_zig(triple: str, arguments: Sequence[str | Path], folder: Path) -> None:
    """Compile for a platform, in a folder.

    Raises:
        CompileError: The compiler failed; with the end of what it said.
    """
    command = [sys.executable, "-m", "ziglang", "c++", "-target", triple, *map(str, arguments)]
    done = run_process(command, cwd=folder, text=True, errors="replace", start_new_session=os.name == "posix")
    if done.returncode == 0:
        return
    said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-_SHOWN_LINES:])
    raise CompileError(
        f"The compiler of the ziglang package failed for {triple} with exit code {done.returncode}:\n{said}\n"
        'If it is damaged, install it again: pip install --force-reinstall "neutone-like[compile]"'
    )
