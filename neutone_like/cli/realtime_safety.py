"""``validate --real-time-safety``: what it takes, prints and exits with."""

from pathlib import Path
from typing import Annotated, Any

import typer

from neutone_like.cli.common import FELL_SHORT, print_json
from neutone_like.errors import RuntimeEngineError

RealTimeSafety = Annotated[
    bool,
    typer.Option(
        "--real-time-safety",
        help="Count allocations, locks, page faults and system calls on the audio thread instead: of an artifact in "
        "the native engine, or of your own callback in a .so.",
    ),
]
Callbacks = Annotated[
    int | None, typer.Option(min=1000, help="With --real-time-safety: how many [default: 100000].", metavar="N")
]
WakeUp = Annotated[
    str | None,
    typer.Option(
        metavar="event|poll",
        help="With --real-time-safety: event allows one futex wake-up a callback [default: event for an artifact, "
        "poll for a .so].",
    ),
]


def validate_realtime_safety(path: Path, as_json: bool, callbacks: int | None, wake: str | None) -> None:
    """Check, print the report, and exit with 1 where it did not pass.

    Raises:
        typer.BadParameter: Nothing could be judged; the message says why.
    """
    from neutone_like.realtime_safety import check_realtime_safety

    given = {"callbacks": callbacks, "wake": wake}
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    try:
        report = check_realtime_safety(path, **chosen)
    except RuntimeEngineError as error:
        raise typer.BadParameter(str(error), param_hint="--real-time-safety") from error
    if as_json:
        print_json(report.to_dict())
    else:
        from neutone_like.cli.output import print_tables

        print_tables(*report.tables())
    if not report.passed:
        raise typer.Exit(FELL_SHORT)
