"""The verb ``validate``."""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from neutone_like.cli.check_callback import count_offences
from neutone_like.cli.common import (
    FELL_SHORT,
    AllowOperators,
    ArtifactPath,
    AsJson,
    operators_of,
    present_step,
    print_json,
    printable,
    wrong_use,
)


def validate(
    path: ArtifactPath,
    quick: Annotated[
        bool, typer.Option("--quick", help="Try fewer host settings, and leave out the slowest checks.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the details of every check.")] = False,
    report: Annotated[bool, typer.Option("--report", help="Write report.html beside the .nm, to look at.")] = False,
    report_to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report to this file.", dir_okay=False)
    ] = None,
    allow_operators: AllowOperators = "",
    as_json: AsJson = False,
    real_time_safety: Annotated[
        bool, typer.Option("--real-time-safety", hidden=True, help="The old name of check-callback.")
    ] = False,
    callbacks: Annotated[int | None, typer.Option(min=1000, hidden=True, help="Of --real-time-safety.")] = None,
    wake: Annotated[str | None, typer.Option(hidden=True, help="Of --real-time-safety.")] = None,
) -> None:
    """Check an artifact.

    Every check prints a line; what to change stands below those that failed.

    \b
    Example: neutone-like validate exported/overdrive/model.nm
    """
    if real_time_safety:
        if quick or report or report_to is not None or allow_operators:
            raise wrong_use(
                "is not for --quick, --report or --report-to, nor for --allow-operators", "--real-time-safety"
            )
        count_offences(path, as_json, callbacks, wake)
        return
    if callbacks is not None or wake is not None:
        raise wrong_use("belongs to --real-time-safety; better, use check-callback", "--callbacks or --wake")
    _validate(path, quick, verbose, report, report_to, operators_of(allow_operators), as_json)


def _validate(
    path: Path,
    quick: bool,
    verbose: bool,
    report: bool,
    report_to: Path | None,
    allowed: tuple[str, ...],
    as_json: bool,
) -> None:
    from neutone_like.artifact import load_artifact
    from neutone_like.validate import validate_artifact, write_report

    page: Path | None = None
    with present_step() as show, redirect_stdout(sys.stderr):
        artifact = load_artifact(path, allow_operators=allowed)
        validation = validate_artifact(artifact, quick=quick, progress=show)
        if report or report_to is not None:
            show("Drawing the report")
            beside = path if path.is_dir() else path.parent
            page = write_report(artifact, validation, report_to or beside)
    if as_json:
        print_json(validation.to_dict())
    else:
        from neutone_like.cli.check_lines import print_checks

        print_checks(validation, verbose)
    if page is not None:
        typer.echo(printable(f"Report: {page}"), err=True)
    if not validation.passed:
        raise typer.Exit(FELL_SHORT)
