"""What the command line draws: tables on stdout, the present step on stderr."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape

PIPE_WIDTH = 160  # a file or a pipe has no width of its own; this keeps a check on one line


def print_tables(*tables: Any) -> None:
    """One below the other."""
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    for table in tables:
        console.print(table)


@contextmanager
def status_line() -> Iterator[Callable[[str], None]]:
    """A function that shows what is being done now."""
    with Console(stderr=True).status("Loading") as status:
        yield lambda text: status.update(escape(text))
