"""The verb ``plugin``."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from neutone_like.cli.common import FELL_SHORT, ArtifactPath, AsJson, print_json, wrong_use
from neutone_like.errors import CompileError

_FORMATS = ("clap", "vst3", "lv2")


def plugin(
    path: ArtifactPath,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the plugins go.", file_okay=False)],
    formats: Annotated[
        str,
        typer.Option("--format", metavar="NAMES", help="clap, vst3, lv2; several with commas between them."),
    ] = ",".join(_FORMATS),
    worker: Annotated[
        bool | None,
        typer.Option(
            "--worker/--inline",
            help="Play the model on a thread of its own, 20 ms later, or in the host's callback [default: on a thread "
            "where it takes more than a third of a short block here].",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make plugins for DAWs of an artifact.

    A plugin holds all it needs. Exit code 1 means that the model can't be one; the message says why, and what to do.

    \b
    Example: neutone-like plugin exported/overdrive --out plugins
    Example: neutone-like plugin model.nm --out ~/.clap --format clap
    """
    wanted = [name.strip().lower() for name in formats.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in _FORMATS]
    if unknown or not wanted:
        raise wrong_use(f"takes {', '.join(_FORMATS)}, got {unknown[0] if unknown else formats!r}", "--format")
    from neutone_like.plugin.building import build_plugin

    try:
        result = build_plugin(path, out, wanted, worker=worker)
    except CompileError as error:
        typer.echo(f"{path} does not become a plugin: {error}", err=True)
        raise typer.Exit(FELL_SHORT) from error
    if as_json:
        print_json(_told(result))
    else:
        typer.echo(str(result))


def _told(result: Any) -> dict[str, Any]:
    return {
        "identity": asdict(result.identity),
        "model_bytes": result.model_bytes,
        "worker": result.worker,
        "load": asdict(result.load) | {"part": result.load.part},
        "files": [{"format": each.format, "path": str(each.path), "bytes": each.size_bytes} for each in result.files],
    }
