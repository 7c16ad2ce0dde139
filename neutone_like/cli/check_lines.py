"""A validation as text: a line a check, and what to change under those that failed."""

import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import typer

from neutone_like.cli.output import PIPE_WIDTH
from neutone_like.printing import printable

_MARKS = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}
_COLOURS = {"passed": "green", "failed": "red", "skipped": "yellow"}
_INDENT = "        "


def print_checks(report: Any, verbose: bool) -> None:
    """Print a ``ValidationReport``."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else PIPE_WIDTH
    names = max((len(check.name) for check in report.checks), default=0)
    for check in report.checks:
        mark = typer.style(f"{_MARKS[check.status]:<8}", fg=_COLOURS[check.status])
        room = max(20, width - len(_INDENT) - names - 2)
        typer.echo(f"{mark}{printable(f'{check.name:<{names}}  {_shortened(check.measured, room)}')}")
        for line in _details(check, width) if verbose or check.status == "failed" else ():
            typer.echo(f"{_INDENT}{line}")
    typer.echo(printable(f"{report.artifact}: {report.summary()}"))


def _shortened(text: str, room: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= room else f"{line[: room - 3]}..."


def _details(check: Any, width: int) -> Iterator[str]:
    """All that was measured, what was allowed, and what to change."""
    advice = [f"what to change: {check.advice}"] if check.status == "failed" and check.advice else []
    for text in (f"measured: {check.measured}", *check.information, f"allowed: {check.allowed}", *advice):
        yield from textwrap.wrap(printable(text), max(40, width - len(_INDENT)), subsequent_indent="  ")
