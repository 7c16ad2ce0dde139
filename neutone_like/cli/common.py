"""What the verbs of the command line share."""

import json
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from neutone_like.errors import NeutoneLikeError
from neutone_like.printing import printable as printable

FELL_SHORT = 1

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else.")]
ARTIFACT_HELP = "A .nm file, or the folder that holds model.nm."
ArtifactPath = Annotated[Path, typer.Argument(metavar="PATH", exists=True, help=ARTIFACT_HELP)]
MODEL = "The model"  # a panel of options
Param = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="Set a parameter, in its own unit or by label.", rich_help_panel=MODEL),
]
AllowOperators = Annotated[
    str,
    typer.Option(
        metavar="NAME,...",
        help="What the model may use although artifacts may not, such as aten::save. It then can do all that "
        "these can: for models of people you trust.",
    ),
]


def operators_of(text: str) -> tuple[str, ...]:
    """The names that ``--allow-operators`` gives.

    Raises:
        typer.BadParameter: One is no ``namespace::name``.
    """
    names = tuple(each.strip() for each in text.split(",") if each.strip())
    wrong = [name for name in names if not re.fullmatch(r"\w+::[\w.]+", name)]
    if wrong or (text and not names):
        raise wrong_use(f"takes names such as aten::save, got {(wrong or [text])[0]!r}", "--allow-operators")
    return names


def print_json(content: Any) -> None:
    """Write data to stdout. Names of files that are no text are escaped, as JSON can."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    if re.search("[\\ud800-\\udfff]", text):
        text = json.dumps(content, indent=2, allow_nan=False)
    typer.echo(text)


def wrong_use(error: Exception | str, where: str | None = None) -> typer.BadParameter:
    """What to raise where the command line asks for something that can't be."""
    return typer.BadParameter(printable(str(error)), param_hint=where)


@contextmanager
def writing_to(place: Path) -> Iterator[None]:
    """What the system refuses is said.

    Raises:
        NeutoneLikeError: In the place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise NeutoneLikeError(
            f"Can't write {place}: {error.strerror or error}. "
            "Choose a folder that you may write to, on a disk with room."
        ) from error


def present_step() -> Any:
    """A context whose value shows what is being done now, on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        return nullcontext(lambda text: None)
    from neutone_like.cli.output import status_line

    return status_line()


def print_tables(*tables: Any) -> None:
    """One below the other."""
    from neutone_like.cli.output import print_tables

    print_tables(*tables)


class AskedToEnd(SystemExit):
    """The system, or whoever runs this program, wants it to end."""


def interrupt_behind(error: BaseException) -> KeyboardInterrupt | AskedToEnd | None:
    """What an error began with, if that was Ctrl-C or a request to end: cleaning up may have failed on top of it."""
    seen, waiting = set[int](), list[BaseException | None]([error])
    while waiting:
        each = waiting.pop()
        if isinstance(each, (KeyboardInterrupt, AskedToEnd)):
            return each
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            waiting += [each.__context__, each.__cause__]
    return None


def _ask_to_end(number: int, _: object) -> None:
    raise AskedToEnd(128 + number)


@contextmanager
def ending_in_order() -> Iterator[None]:
    """A request to end the process, or a terminal that is closed, lets it clean up what is half done.

    What ignores such a request, as under ``nohup``, goes on doing so.
    """
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield
        return
    wanted = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    handlers = {each: signal.getsignal(each) for each in wanted}
    # None: another library's own, which can't be put back.
    before = {each: handler for each, handler in handlers.items() if handler not in (signal.SIG_IGN, None)}
    for each in before:
        signal.signal(each, _ask_to_end)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
