"""Runs an example as a program, in this process: ``python examples/x.py`` without the seconds in which torch starts."""

import runpy
import sys
from pathlib import Path

import pytest

from support.places import EXAMPLES


def run_here(name: str, arguments: list[str], folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Run it in ``folder``, as ``__main__``.

    Raises:
        SystemExit: It ended itself, and not as one that is done.
    """
    program = str(EXAMPLES / f"{name}.py")
    patch.chdir(folder)
    patch.setattr(sys, "argv", [program, *arguments])
    patch.setattr(sys, "path", [str(EXAMPLES), *sys.path])
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise
