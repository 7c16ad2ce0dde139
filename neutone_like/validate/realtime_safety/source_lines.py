"""File and line of a stack's frames, from binutils' addr2line where it is installed."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from neutone_like.validate.realtime_safety.report import Frame

LARGEST_OBJECT_BYTES = 64 << 20  # reading the symbols of libtorch takes longer than the whole check
LONGEST_SECONDS = 20.0


def with_source_lines(frames: Sequence[Frame]) -> tuple[Frame, ...]:
    """The same frames, with what is known of their functions' names and source lines."""
    program = shutil.which("addr2line")
    found = list(frames)
    if program is None:
        return tuple(found)
    for path in sorted({frame.object_path for frame in frames}):
        if not _is_readable(Path(path)):
            continue
        indices = [index for index, frame in enumerate(frames) if frame.object_path == path]
        answers = _ask(program, path, [frames[index].offset for index in indices])
        for index, (function, source) in zip(indices, answers, strict=False):
            known = frames[index]
            name = function if function != "??" else known.function
            line = "" if source.startswith("??") else source.split(" (discriminator")[0]
            found[index] = replace(known, function=name, source=line)
    return tuple(found)


def _is_readable(path: Path) -> bool:
    return path.is_absolute() and path.is_file() and path.stat().st_size <= LARGEST_OBJECT_BYTES


def _ask(program: str, path: str, offsets: Sequence[int]) -> list[tuple[str, str]]:
    """Function and ``file:line`` for each offset; nothing where the program fails."""
    command = [program, "-C", "-f", "-e", path, *(hex(offset) for offset in offsets)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return []  # the names that the loader knows remain
    lines = done.stdout.splitlines()
    return list(zip(lines[::2], lines[1::2], strict=False))
