"""What the verbs of the command line share."""

import json
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

FELL_SHORT = 1

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")]


_STEERS_TERMINALS = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]")


def print_json(content: Any) -> None:
    """Write data to stdout. Names of files that are no text are escaped, as JSON can."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    if re.search("[\\ud800-\\udfff]", text):
        text = json.dumps(content, indent=2, allow_nan=False)
    typer.echo(text)


def printable(text: str) -> str:
    """Text from a file, or a file's name, as a terminal may show it: what steers a terminal becomes ``\\x1b``."""
    return _STEERS_TERMINALS.sub(lambda found: ascii(found[0])[1:-1], text)


@contextmanager
def ending_in_order() -> Iterator[None]:
    """A request to end the process lets it clean up what is half done."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
