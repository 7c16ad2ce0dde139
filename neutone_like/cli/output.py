"""What the command line draws: tables on stdout, the present step on stderr."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.segment import Segment

from neutone_like.printing import printable

PIPE_WIDTH = 160  # a file or a pipe has no width of its own; this keeps a check on one line


class _Harmless:
    """Something to draw, whose texts may come out of a file and must not steer the terminal."""

    def __init__(self, drawn: Any) -> None:
        self._drawn = drawn

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Segment]:
        for segment in console.render(self._drawn, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)


def print_tables(*tables: Any) -> None:
    """One below the other."""
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    for table in tables:
        console.print(_Harmless(table))


@contextmanager
def status_line() -> Iterator[Callable[[str], None]]:
    """A function that shows what is being done now."""
    with Console(stderr=True).status("Loading") as status:
        yield lambda text: status.update(escape(printable(text)))
