"""How far a render is: a bar on stderr, or a function of the user's."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from neutone_like.arguments import as_flag
from neutone_like.errors import AudioError

ProgressFunction = Callable[[int, int], None]  # samples done, samples in all


@contextmanager
def showing(
    progress: bool | ProgressFunction | None, label: str, samples: int, sample_rate: int
) -> Iterator[ProgressFunction]:
    """A function to call now and then with the samples done so far and the samples in all.

    A bar is drawn where stderr is a terminal, with the speed in seconds of audio a second and the time left.
    """
    if callable(progress):
        yield progress
    elif progress is None or not as_flag(progress, "progress", AudioError) or not sys.stderr.isatty():
        yield lambda done, total: None
    else:
        yield from _bar(label, samples, sample_rate)


def _bar(label: str, samples: int, sample_rate: int) -> Iterator[ProgressFunction]:
    from rich.console import Console  # here, since a library that draws nothing needs no rich
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        Task,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Speed(ProgressColumn):
        """Seconds of audio rendered a second."""

        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed / sample_rate:.1f} x real time")

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), Speed(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(label), total=samples)
        yield lambda done, total: bar.update(task, completed=done, total=total)
