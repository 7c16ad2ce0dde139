"""The verb ``export``."""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from neutone_like.cli.common import AllowOperators, AsJson, operators_of, present_step, print_json, printable, wrong_use
from neutone_like.cli.user_file import load_from_file

WRITTEN = "What is written"
CHECKED = "What is checked"


def export(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE.py[:callable] or FILE.nam",
            help="What makes the model; build_model() unless named. Or a Neural Amp Modeler file.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write.", file_okay=False)],
    validate: Annotated[
        bool,
        typer.Option(
            "--validate/--no-validate", help="Run every check before anything is written.", rich_help_panel=CHECKED
        ),
    ] = True,
    allow_failed_validation: Annotated[
        bool,
        typer.Option(
            "--allow-failed-validation", help="Write the artifact even if a check fails.", rich_help_panel=CHECKED
        ),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show the details of every check.", rich_help_panel=CHECKED)
    ] = False,
    capture: Annotated[
        Literal["auto", "script", "graph"],
        typer.Option(
            metavar="auto|script|graph",
            help="The way into TorchScript: what works, compiling alone, or from a captured graph.",
            rich_help_panel=WRITTEN,
        ),
    ] = "auto",
    resampler: Annotated[
        Literal["high", "fast"] | None,
        typer.Option(
            metavar="high|fast",
            help="Quality of the rate conversion inside: fast has half the delay [default: high].",
            rich_help_panel=WRITTEN,
        ),
    ] = None,
    formats: Annotated[
        str,
        typer.Option(
            metavar="nm,nlc,onnx,litert,executorch,openvino,pt2",
            help="What is written: for other engines too, each with a sidecar that names its states.",
            rich_help_panel=WRITTEN,
        ),
    ] = "nm,nlc",
    samples: Annotated[
        bool,
        typer.Option(
            "--samples/--no-samples",
            help="Write a guitar riff and a drum loop, played through the model.",
            rich_help_panel=WRITTEN,
        ),
    ] = True,
    mp3_samples: Annotated[
        bool,
        typer.Option("--mp3-samples", help="Put these sounds into the .nm too, as MP3.", rich_help_panel=WRITTEN),
    ] = False,
    report: Annotated[
        bool,
        typer.Option(
            "--report/--no-report", help="Draw report.html, a page to look at and listen to.", rich_help_panel=WRITTEN
        ),
    ] = True,
    allow_operators: AllowOperators = "",
    quality: Annotated[str | None, typer.Option(hidden=True, help="The old name of --resampler.")] = None,
    as_json: AsJson = False,
) -> None:
    """Turn a model into a validated artifact.

    \b
    Example: neutone-like export examples/overdrive.py --out exported/overdrive
    """
    if quality not in (None, "high", "fast"):
        raise wrong_use(f"allowed is high or fast, got {quality}.", "--quality")
    allowed = operators_of(allow_operators)
    model = _load(source)
    from neutone_like.export import export_model

    with present_step() as show, redirect_stdout(sys.stderr):
        result = export_model(
            model,
            out,
            validate=validate,
            render_samples=samples,
            mp3_samples=mp3_samples,
            allow_failed_validation=allow_failed_validation,
            quality=resampler or quality or "high",
            report=report,
            progress=show,
            allow_operators=allowed,
            capture=capture,
            formats=[each.strip() for each in formats.split(",") if each.strip()],
        )
    _print(result, verbose, as_json)


def _load(source: str) -> Any:
    if source.lower().endswith(".nam"):
        from neutone_like.importers import load_nam

        return load_nam(source)
    return load_from_file(source)


def _print(result: Any, verbose: bool, as_json: bool) -> None:
    beside = (result.metadata_path, result.validation_path, result.report_path)
    others = [path for each in result.formats for path in (each.path, *each.more_paths, each.sidecar_path)]
    written = (result.model_path, result.compiled_path, *others, *beside, *result.sample_paths)
    files = [str(each) for each in written if each is not None]
    if as_json:
        validation = None if result.validation is None else result.validation.to_dict()
        print_json(
            {
                "directory": str(result.directory),
                "files": files,
                "way_in": result.way_in,
                "hosts": result.hosts,
                "formats": {each.format: _format_facts(each) for each in result.formats},
                "validation": validation,
            }
        )
        return
    if result.validation is not None:
        from neutone_like.cli.check_lines import print_checks

        print_checks(result.validation, verbose)
    typer.echo(printable(f"Way in: {result.way_in}"))
    if result.hosts:
        typer.echo(printable(f"Hosts: {result.hosts}"))
    for each in result.formats:
        typer.echo(printable(each.line()))
    typer.echo(printable("\n".join(["Written:", *(f"  {each}" for each in files)])))


def _format_facts(written: Any) -> dict[str, Any]:
    return {
        "file": str(written.path),
        "sidecar": str(written.sidecar_path),
        "block_samples": written.block_samples,
        "error": written.accuracy.error,
        "eager_error": written.accuracy.eager_error,
        "allowed": written.accuracy.allowed,
    }
