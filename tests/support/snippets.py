"""Runs what a page of documentation tells its reader to run, in the page's order."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import soundfile

from neutone_like.cli import main

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"<!-- not run: (.+?) -->\n\Z")


@dataclass(frozen=True)
class Snippet:
    """A fenced block: its language, its text, the line of its first line, and why it is not run, if so."""

    language: str
    text: str
    line: int
    not_run: str | None


def snippets(page: str) -> list[Snippet]:
    """Every fenced block of a Markdown page."""
    found: list[Snippet] = []
    for match in FENCE.finditer(page):
        reason = NOT_RUN.search(page[: match.start()])
        line = page.count("\n", 0, match.start(2)) + 1
        found.append(Snippet(match[1], match[2], line, reason[1] if reason else None))
    return found


def prepare(folder: Path, project: Path) -> None:
    """What a reader has at hand: the checkout's examples, and a recording called in.wav."""
    shutil.copytree(project / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (44100, 2))
    soundfile.write(folder / "in.wav", noise, 44100, subtype="FLOAT")


def run_page(page: Path, folder: Path, command: Callable[[list[str], Path], None] | None = None) -> int:
    """Run a page's Python blocks in one module, and its ``neutone-like`` lines, inside ``folder``; returns how many.

    Each line is a process of its own, or a call of ``command(words, folder)``.

    TorchScript reads the source from disk, so the module's file is the page with everything but its Python blanked out:
    line numbers in errors are those of the page.
    """
    blocks = snippets(page.read_text(encoding="utf-8"))
    python = [block for block in blocks if block.language == "python" and block.not_run is None]
    module = ModuleType(f"page_{page.stem.replace('-', '_')}")
    module.__file__ = str(folder / f"{module.__name__}.py")
    Path(module.__file__).write_text(_padded(python), encoding="utf-8")
    sys.modules[module.__name__] = module
    count = 0
    try:
        for block in blocks:
            if block in python:
                exec(compile(_padded([block]), module.__file__, "exec"), module.__dict__)
                count += 1
            elif block.language == "bash" and block.not_run is None:
                count += _run_commands(block.text, folder, command or in_a_process)
    finally:
        del sys.modules[module.__name__]
    return count


def _padded(blocks: list[Snippet]) -> str:
    text = ""
    for block in blocks:
        text += "\n" * (block.line - 1 - text.count("\n")) + block.text
    return text


def in_a_process(words: list[str], folder: Path) -> None:
    """Run ``neutone-like`` as people do."""
    command = [sys.executable, "-c", "from neutone_like.cli import main; main()", *words]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, f"{words}\n{run.stdout}\n{run.stderr}"


def in_this_process(words: list[str], folder: Path) -> None:
    """Run ``neutone-like`` without the seconds in which torch starts, and forget the reader's modules afterwards."""
    path, loaded = sys.path.copy(), set(sys.modules)
    try:
        main(words)
    except SystemExit as end:
        if end.code:
            raise AssertionError(f"{words} ended with {end.code}") from end
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - loaded:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(folder)):
                del sys.modules[name]


def _run_commands(text: str, folder: Path, command: Callable[[list[str], Path], None]) -> int:
    count = 0
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["neutone-like"]:
            command(words[1:], folder)
            count += 1
    return count
