"""File and line of a stack's frames, from binutils' addr2line where it is installed."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from neutone_like.realtime_safety.report import Frame

LARGEST_OBJECT_BYTES = 64 << 20  # reading the symbols of libtorch takes longer than the whole check
LONGEST_SECONDS = 20.0


def with_source_lines(frames: Sequence[Frame]) -> tuple[Frame, ...]:
    """The same stack, with what is known of functions' names and source lines, and a frame for each inlined call."""
    program = shutil.which("addr2line")
    if program is None:
        return tuple(frames)
    known: dict[tuple[str, int], list[tuple[str, str]]] = {}
    for path in {frame.object_path for frame in frames}:
        if _is_readable(Path(path)):
            offsets = sorted({frame.offset for frame in frames if frame.object_path == path})
            answers = _ask(program, path, offsets)
            known |= {(path, offset): answer for offset, answer in zip(offsets, answers, strict=False)}
    return tuple(
        each for frame in frames for each in _expanded(frame, known.get((frame.object_path, frame.offset), []))
    )


def _is_readable(path: Path) -> bool:
    return path.is_absolute() and path.is_file() and path.stat().st_size <= LARGEST_OBJECT_BYTES


def _ask(program: str, path: str, offsets: Sequence[int]) -> list[list[tuple[str, str]]]:
    """For each offset functions with ``file:line``, the inlined ones first; nothing where the program fails."""
    command = [program, "-a", "-i", "-C", "-f", "-e", path, *(hex(offset) for offset in offsets)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return []  # the names that the loader knows remain
    answers: list[list[tuple[str, str]]] = []
    lines = iter(done.stdout.splitlines())
    for line in lines:
        if line.startswith("0x"):
            answers.append([])
        else:
            answers[-1].append((line, next(lines).split(" (discriminator")[0]))
    return answers


def _expanded(frame: Frame, answers: Sequence[tuple[str, str]]) -> list[Frame]:
    """One frame or, with calls that were inlined into it, several.

    Without a line the program's answer is the nearest name it has, which may be that of any function before.
    """
    known = [replace(frame, function=name, source=line) for name, line in answers if not line.endswith(("?", ":0"))]
    return known or [frame]
