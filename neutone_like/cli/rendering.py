"""What the verb ``render`` does, says and exits with."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import typer

from neutone_like.cli.arguments import read_points, split_assignments, typed_value
from neutone_like.cli.commands import INTERRUPTED
from neutone_like.cli.common import FELL_SHORT, print_json, printable, wrong_use
from neutone_like.errors import AudioError, ParameterError

_SHOWN_FAILURES = 20

Assignments = tuple[list[str], list[str]]  # of --param, of --automation
Model = tuple[Path, tuple[str, ...]]  # where it lies, and what it may use although artifacts may not


def render_one(
    model: Model, sources: list[Path], target: Path, assignments: Assignments, settings: dict[str, Any], as_json: bool
) -> None:
    """A file to a file; of a model with several inputs, or none, so many of them."""
    from neutone_like.artifact import load_artifact
    from neutone_like.audio import require_writable
    from neutone_like.render import render_file

    try:
        for source in sources or (None,):
            require_writable(target, source)
    except AudioError as error:
        raise wrong_use(error, "OUTPUT") from error
    artifact = load_artifact(model[0], allow_operators=model[1])
    with _refusing_wrong_use(), _interruptible(f"{target} was not written"), redirect_stdout(sys.stderr):
        params = _parameters(artifact, *assignments)
        in_path = sources if len(sources) > 1 else sources[0] if sources else None
        result = render_file(artifact, in_path, target, params=params, **settings)
    if as_json:
        print_json(result.to_dict())
    else:
        typer.echo(printable(result.summary()))
    _warn(result.warnings())
    if result.nonfinite_samples:
        raise typer.Exit(FELL_SHORT)


def render_many(
    model: Model, source: str, target: str, assignments: Assignments, settings: dict[str, Any], as_json: bool
) -> None:
    """Files into a folder."""
    from neutone_like.artifact import load_artifact
    from neutone_like.render import render_files

    artifact = load_artifact(model[0], allow_operators=model[1])
    with _refusing_wrong_use(), _interruptible("Nothing was rendered"), redirect_stdout(sys.stderr):
        result = render_files(artifact, source, target, params=_parameters(artifact, *assignments), **settings)
    if as_json:
        print_json(result.to_dict())
    else:
        typer.echo(printable(result.summary()))
    _warn(result.warnings())
    _list_failures(result)
    if result.failed or result.poisoned:
        raise typer.Exit(FELL_SHORT)


def _list_failures(result: Any) -> None:
    for record in result.failed[:_SHOWN_FAILURES]:
        place = "" if record.input in record.error else f"{record.input}: "
        typer.echo(printable(f"Failed: {place}{record.error}"), err=True)
    more = len(result.failed) - _SHOWN_FAILURES
    if more > 0:
        typer.echo(printable(f"Failed: {more} more, see {result.manifest}"), err=True)


def _warn(warnings: list[str]) -> None:
    for warning in warnings:
        typer.echo(printable(f"Warning: {warning}"), err=True)


@contextmanager
def _refusing_wrong_use() -> Iterator[None]:
    from neutone_like.audio import EncodingError
    from neutone_like.render.batch import PlanError
    from neutone_like.render.offline_inputs import InputCountError

    try:
        yield
    except (ParameterError, EncodingError, InputCountError, PlanError) as error:
        raise wrong_use(error) from error


@contextmanager
def _interruptible(nothing_done: str) -> Iterator[None]:
    """Ctrl-C ends with a sentence that says how to go on."""
    from neutone_like.render.batch import RenderInterrupted

    try:
        yield
    except KeyboardInterrupt as error:
        if not isinstance(error, RenderInterrupted):
            typer.echo(printable(f"Interrupted: {nothing_done}."), err=True)
        elif error.result.manifest is None:
            typer.echo(printable(str(error)), err=True)
        else:
            typer.echo(printable(f"{error} To go on, give the same command with --resume."), err=True)
        raise typer.Exit(INTERRUPTED) from error


def _parameters(artifact: Any, params: list[str], automations: list[str]) -> dict[str, Any]:
    """What ``--param`` and ``--automation`` say, by name.

    Raises:
        typer.BadParameter: Not ``name=value``, a name twice, or a file that holds no curve.
        ParameterError: An unknown name.
    """
    from neutone_like.model.parameter_values import check_names

    try:
        constants, curves = split_assignments(params, automations)
        check_names(artifact.parameters, {**constants, **curves})
        by_name = {parameter.name: parameter for parameter in artifact.parameters}
        values: dict[str, Any] = {name: typed_value(by_name[name], text) for name, text in constants.items()}
        for name, file in curves.items():
            values[name] = [(seconds, typed_value(by_name[name], text)) for seconds, text in read_points(Path(file))]
    except ValueError as error:
        raise wrong_use(error) from error
    return values
