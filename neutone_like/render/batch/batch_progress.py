"""How far a job is: a bar on stderr, or a function of the user's."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from neutone_like.render.batch.records import FileRecord

FilesFunction = Callable[[int, int], None]  # files finished, files in all


@contextmanager
def showing_files(progress: bool | FilesFunction, total: int) -> Iterator[Callable[[FileRecord], None]]:
    """A function to call with every record.

    A bar is drawn where stderr is a terminal, with files a second, seconds of audio a second, failures, and time left.
    """
    if callable(progress):
        yield _counting(progress, total)
    elif not progress or not sys.stderr.isatty():
        yield lambda record: None
    else:
        yield from _bar(total)


def _counting(function: FilesFunction, total: int) -> Callable[[FileRecord], None]:
    finished = 0

    def count(record: FileRecord) -> None:
        nonlocal finished
        finished += 1
        function(finished, total)

    return count


def _bar(total: int) -> Iterator[Callable[[FileRecord], None]]:
    from rich.console import Console  # here, since a library that draws nothing needs no rich
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column
    from rich.text import Text

    class Rate(ProgressColumn):
        """Files a second, and seconds of audio a second."""

        def render(self, task: Task) -> Text:
            if not task.speed or not task.elapsed:
                return Text("")
            return Text(f"{task.speed:.1f} files/s, {task.fields['audio_seconds'] / task.elapsed:.1f} x real time")

    one_line = Column(no_wrap=True)  # the bar takes what is left of the terminal's width
    failures = TextColumn("[red]{task.fields[failed]}", table_column=one_line)
    columns = (BarColumn(bar_width=None), MofNCompleteColumn(), Rate(one_line), TimeRemainingColumn(), failures)
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as bar:
        task = bar.add_task("", total=total, audio_seconds=0.0, failed="")
        failed, seconds = 0, 0.0

        def show(record: FileRecord) -> None:
            nonlocal failed, seconds
            failed += record.status == "failed"
            if record.status == "done" and record.audio is not None:
                seconds += float(record.audio["audio_seconds"])
            bar.update(task, advance=1, audio_seconds=seconds, failed=f"{failed} failed" if failed else "")

        yield show
