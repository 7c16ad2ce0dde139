"""The verb ``check-callback``."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from neutone_like.cli.common import (
    FELL_SHORT,
    AllowOperators,
    AsJson,
    operators_of,
    print_json,
    print_tables,
    wrong_use,
)
from neutone_like.errors import ArtifactError, RuntimeEngineError


def check_callback(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH", exists=True, help="A .so with your callback; or a .nm, or its folder, played by the engine."
        ),
    ],
    callbacks: Annotated[
        int | None, typer.Option(metavar="N", min=1000, help="How many callbacks to count [default: 100000].")
    ] = None,
    wake: Annotated[
        Literal["event", "poll"] | None,
        typer.Option(
            metavar="event|poll",
            help="event allows one futex wake-up a callback [default: event for an artifact, poll for a .so].",
        ),
    ] = None,
    wait_fraction: Annotated[
        float | None,
        typer.Option(
            metavar="FRACTION",
            min=0.0,
            max=0.99,
            help="Let an artifact's callback wait for its worker, for this part of a block; more is an offence.",
        ),
    ] = None,
    allow_operators: AllowOperators = "",
    as_json: AsJson = False,
) -> None:
    """Count what an audio callback must not do.

    Allocations, locks, page faults and system calls: of your own callback, or of an artifact in the native engine. Exit
    code 1 means that something was counted, 2 that nothing could be judged.

    \b
    Example: neutone-like check-callback my_callback.so
    Example: neutone-like check-callback exported/overdrive/model.nm --callbacks 10000
    """
    count_offences(path, as_json, callbacks, wake, wait_fraction, operators_of(allow_operators))


def count_offences(
    path: Path,
    as_json: bool,
    callbacks: int | None,
    wake: str | None,
    wait_fraction: float | None = None,
    allowed: tuple[str, ...] = (),
) -> None:
    """Check, print the report, and exit with 1 where it did not pass.

    Raises:
        typer.BadParameter: Nothing could be judged; the message says why.
    """
    from neutone_like.realtime_safety import check_realtime_safety

    given = {
        "callbacks": callbacks,
        "wake": wake,
        "wait_fraction": wait_fraction,
        "allow_operators": allowed or None,
    }
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    try:
        report = check_realtime_safety(path, **chosen)
    except (ArtifactError, RuntimeEngineError) as error:
        raise wrong_use(error, "PATH") from error
    if as_json:
        print_json(report.to_dict())
    else:
        print_tables(*report.tables())
    if not report.passed:
        raise typer.Exit(FELL_SHORT)
