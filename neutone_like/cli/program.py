"""The command line: parses, calls, prints. What takes long to import is imported by the verb that needs it."""

import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from neutone_like.cli.arguments import MAXIMUM_BLOCK, MAXIMUM_RATE, numbers_of
from neutone_like.cli.common import FELL_SHORT, AsJson, print_json
from neutone_like.cli.realtime_safety import Callbacks, RealTimeSafety, WakeUp, validate_realtime_safety
from neutone_like.cli.render import render
from neutone_like.cli.user_file import load_object, split_source
from neutone_like.errors import NeutoneLikeError

app = typer.Typer(
    name="neutone-like",
    help="From a PyTorch audio model to an artifact that any host plays.",
    epilog="Exit codes: 0 good, 1 the artifact or model fell short, 2 wrong use.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

ArtifactPath = Annotated[
    Path, typer.Argument(metavar="PATH", exists=True, help="A .nm file, or the folder that holds model.nm.")
]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    if debug:  # allowed anywhere
        given = ["--debug", *(each for each in given if each != "--debug")]
    try:
        app(args=given, prog_name="neutone-like")
    except NeutoneLikeError as error:
        if debug:
            raise
        typer.echo(f"Error: {error}", err=True)
    except Exception as error:
        if debug:
            raise
        typer.echo(f"Unexpected error: {type(error).__name__}: {error}\nAdd --debug for the details.", err=True)
    sys.exit(FELL_SHORT)


def _print_version(wanted: bool) -> None:
    if wanted:
        from neutone_like.version import __version__

        typer.echo(f"neutone-like {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,
) -> None:
    """What stands before the verb."""


@app.command()
def export(
    source: Annotated[
        str, typer.Argument(metavar="FILE.py[:callable]", help="What makes the model; build_model unless named.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The folder to write.", file_okay=False)],
    validate: Annotated[bool, typer.Option("--validate/--no-validate", help="Run every check first.")] = True,
    samples: Annotated[
        bool, typer.Option("--samples/--no-samples", help="Render a riff and a drum loop beside the model.")
    ] = True,
    mp3_samples: Annotated[bool, typer.Option("--mp3-samples", help="Put sounds into the .nm, as MP3.")] = False,
    allow_failed_validation: Annotated[
        bool, typer.Option("--allow-failed-validation", help="Write the artifact even if a check fails.")
    ] = False,
    quality: Annotated[str, typer.Option(help="Of the resampler: high, or fast with half its delay.")] = "high",
    report: Annotated[bool, typer.Option("--report/--no-report", help="Draw report.html from the validation.")] = True,
    as_json: AsJson = False,
) -> None:
    """Build a model, export it and validate the artifact.

    \b
    Example: neutone-like export examples/overdrive.py --out exported/overdrive
    """
    if quality not in ("high", "fast"):
        raise typer.BadParameter(f"allowed is high or fast, got {quality}.", param_hint="--quality")
    try:
        path, name = split_source(source)
        with redirect_stdout(sys.stderr):  # what the user's file prints
            model = load_object(path, name)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="FILE.py[:callable]") from error
    from neutone_like.export import export_model

    with _status() as show, redirect_stdout(sys.stderr):
        result = export_model(
            model,
            out,
            validate=validate,
            render_samples=samples,
            mp3_samples=mp3_samples,
            allow_failed_validation=allow_failed_validation,
            quality=quality,
            report=report,
            progress=show,
        )
    beside = (result.metadata_path, result.validation_path, result.report_path)
    written = [result.model_path, *beside, *result.sample_paths]
    files = [str(each) for each in written if each is not None]
    if as_json:
        validation = None if result.validation is None else result.validation.to_dict()
        print_json({"directory": str(result.directory), "files": files, "validation": validation})
        return
    if result.validation is not None:
        _print_tables(result.validation.table())
    typer.echo("\n".join(["Written:", *(f"  {each}" for each in files)]))


@app.command()
def inspect(path: ArtifactPath, as_json: AsJson = False) -> None:
    """Show an artifact's metadata, without running anything in it.

    \b
    Example: neutone-like inspect exported/overdrive/model.nm
    """
    from neutone_like.artifact import read_metadata

    metadata = read_metadata(path)
    if as_json:
        typer.echo(metadata.to_json())
        return
    from neutone_like.cli.inspect import metadata_tables

    _print_tables(*metadata_tables(metadata))


@app.command()
def validate(
    path: ArtifactPath,
    as_json: AsJson = False,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer host settings; leaves out the slowest checks.")] = False,
    report: Annotated[bool, typer.Option("--report", help="Write report.html beside the .nm, to look at.")] = False,
    report_to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report to this file.", dir_okay=False)
    ] = None,
    real_time_safety: RealTimeSafety = False,
    callbacks: Callbacks = None,
    wake: WakeUp = None,
) -> None:
    """Run every check on an artifact; or count what a callback does that it may not do.

    \b
    Example: neutone-like validate exported/overdrive/model.nm
             neutone-like validate --real-time-safety my_callback.so
    """
    if real_time_safety:
        if quick or report or report_to is not None:
            raise typer.BadParameter("is not for --quick, --report or --report-to", param_hint="--real-time-safety")
        validate_realtime_safety(path, as_json, callbacks, wake)
        return
    if callbacks is not None or wake is not None:
        raise typer.BadParameter("belongs to --real-time-safety", param_hint="--callbacks or --wake")
    from neutone_like.validate import validate_artifact, write_report

    page: Path | None = None
    with _status() as show, redirect_stdout(sys.stderr):
        validation = validate_artifact(path, quick=quick, progress=show)
        if report or report_to is not None:
            show("Drawing the report")
            beside = path if path.is_dir() else path.parent
            page = write_report(path, validation, report_to or beside)
    if as_json:
        print_json(validation.to_dict())
    else:
        _print_tables(validation.table())
    if page is not None:
        typer.echo(f"Report: {page}", err=True)
    if not validation.passed:
        raise typer.Exit(FELL_SHORT)


app.command()(render)


@app.command()
def bench(
    path: ArtifactPath,
    rates: Annotated[str | None, typer.Option(help="Host rates in Hz, such as 44100,48000.")] = None,
    blocks: Annotated[str | None, typer.Option(help="Host blocks in samples, such as 64,128,512.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure an artifact: time per block, and the latency, reported beside measured.

    \b
    Example: neutone-like bench exported/overdrive/model.nm --rates 44100,48000 --blocks 64,512
    """
    chosen: dict[str, Any] = {}
    try:
        if rates is not None:
            chosen["sample_rates"] = numbers_of("--rates", rates, MAXIMUM_RATE)
        if blocks is not None:
            chosen["block_sizes"] = numbers_of("--blocks", blocks, MAXIMUM_BLOCK)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    from neutone_like.artifact import load_artifact
    from neutone_like.bench import bench_artifact

    with redirect_stdout(sys.stderr):
        report = bench_artifact(load_artifact(path), **chosen)
    if as_json:
        print_json(report.to_dict())
    else:
        _print_tables(*report.tables())


def _status() -> Any:
    """A context whose value shows what is being done now, on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        return nullcontext(lambda text: None)
    from neutone_like.cli.output import status_line

    return status_line()


def _print_tables(*tables: Any) -> None:
    from neutone_like.cli.output import print_tables

    print_tables(*tables)
