"""How far training is: a bar on stderr, where that is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def showing(wanted: bool, label: str) -> Iterator[Callable[[float, str], None]]:
    """A function that is told how much is done, 0..1, and how it stands."""
    if not wanted or not sys.stderr.isatty():
        yield lambda done, text: None
        return
    from rich.console import Console  # here, since whoever draws nothing needs no rich
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=1.0)
        yield lambda done, text: bar.update(task, completed=done, description=f"{label}: {text}")
