"""The verb ``compile``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from neutone_like.cli.common import (
    FELL_SHORT,
    AllowOperators,
    ArtifactPath,
    AsJson,
    operators_of,
    print_json,
    writing_to,
    wrong_use,
)
from neutone_like.errors import CompileError
from neutone_like.printing import whole_text


def compile(
    path: ArtifactPath,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Where to write [default: model.nlc beside the model; with --target or --source a folder, targets].",
        ),
    ] = None,
    rate: Annotated[
        int | None,
        typer.Option(metavar="HZ", help="For this rate alone [default: each that the model is prepared anew for]."),
    ] = None,
    target: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Make a library for each of these platforms: x86_64-linux, aarch64-linux, x86_64-windows, "
            "aarch64-macos, wasm32; several with commas between them.",
        ),
    ] = "",
    source: Annotated[
        bool, typer.Option("--source", help="Write the model as C++ source that needs nothing else.")
    ] = False,
    plan: Annotated[bool, typer.Option("--plan", help="List the steps that a block takes, and write nothing.")] = False,
    allow_operators: AllowOperators = "",
    as_json: AsJson = False,
) -> None:
    """Compile an artifact's model.

    The result plays without PyTorch. It is played beside the model before it is written. Exit code 1 means that the
    model can't be compiled; the message says which operation, and what to do. TorchScript plays it all the same.

    \b
    Example: neutone-like compile exported/tcn_amp/model.nm
    Example: neutone-like compile exported/tcn_amp --target x86_64-linux,wasm32
    """
    allowed = operators_of(allow_operators)
    if target or source:
        if plan:
            raise wrong_use("is for the compiled model alone; leave --target and --source out.", "--plan")
        platforms = [name.strip() for name in target.split(",") if name.strip()]
        _libraries(path, out, rate, platforms, source, allowed, as_json)
        return
    from neutone_like.artifact import load_artifact
    from neutone_like.runtime.compiling import compile_model, plan_artifact

    artifact = load_artifact(path, allow_operators=allowed)
    try:
        if plan:
            typer.echo(str(plan_artifact(artifact, sample_rate=rate)))
            return
        with writing_to(out or artifact.path.parent):
            compiled = compile_model(artifact, path=out, sample_rate=rate)
    except CompileError as error:
        typer.echo(f"{path} does not compile: {error}", err=True)
        raise typer.Exit(FELL_SHORT) from error
    if as_json:
        print_json(_told(compiled))
    else:
        typer.echo(whole_text(compiled))
        if compiled.report is not None:
            typer.echo(whole_text(compiled.report))


def _libraries(
    path: Path,
    out: Path | None,
    rate: int | None,
    names: list[str],
    source: bool,
    allowed: tuple[str, ...],
    as_json: bool,
) -> None:
    from neutone_like.targets import build_targets
    from neutone_like.targets.compiled_of import compiled_of

    try:
        model, folder = compiled_of(path, rate, allowed)
    except CompileError as error:
        typer.echo(f"{path} does not compile: {error}", err=True)
        raise typer.Exit(FELL_SHORT) from error
    out = out or folder / "targets"
    with writing_to(out):
        made = build_targets(model, out, names, source=source)
    if as_json:
        print_json({"made": [str(each) for each in made]})
    else:
        typer.echo("\n".join(map(str, made)))


def _told(compiled: Any) -> dict[str, Any]:
    report = compiled.report
    return {
        "path": str(compiled.path),
        "granules": list(compiled.granules),
        "steps": report.steps,
        "file_bytes": report.file_bytes,
        "memory_bytes": report.memory_bytes,
        "sample_rates": list(report.sample_rates),
        "left_out": list(report.left_out),
        "error": report.accuracy.error,
        "allowed_error": report.accuracy.allowed,
        "peak": report.accuracy.peak,
    }
