"""The verb ``plugin``."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from neutone_like.cli.common import ARTIFACT_HELP, FELL_SHORT, AsJson, print_json, wrong_use
from neutone_like.errors import CompileError
from neutone_like.printing import whole_text

_FORMATS = ("clap", "vst3", "lv2")


def plugin(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the plugins go.", file_okay=False)],
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="PATH",
            exists=True,
            help=f"{ARTIFACT_HELP} With --player what it begins with; may be left out.",
        ),
    ] = None,
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
    target: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="For other platforms, each in a folder of its name: x86_64-linux, aarch64-linux, x86_64-windows, "
            "aarch64-macos; several with commas between them [default: for this machine].",
        ),
    ] = "",
    player: Annotated[
        bool,
        typer.Option("--player", help="Make one plugin that plays whichever artifact you choose in the host."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make plugins for DAWs, or the player of any artifact.

    A plugin holds all it needs; the player reads artifacts from where they lie. Exit code 1 means that the model can't
    be one; the message says why, and what to do.

    \b
    Example: neutone-like plugin exported/overdrive --out plugins
    Example: neutone-like plugin model.nm --out ~/.clap --format clap
    Example: neutone-like plugin exported/overdrive --out plugins --target x86_64-windows
    Example: neutone-like plugin --player --out plugins
    """
    wanted = [name.strip().lower() for name in formats.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in _FORMATS]
    if unknown or not wanted:
        raise wrong_use(f"takes {', '.join(_FORMATS)}, got {unknown[0] if unknown else formats!r}", "--format")
    if player and worker is not None:
        raise wrong_use("is for a plugin of one model: the player decides for each that it opens", "--worker/--inline")
    if path is None and not player:
        raise wrong_use("is missing: which artifact becomes a plugin? (Of any of them: --player)", "PATH")
    try:
        result = _made(path, out, wanted, target=target, worker=worker, player=player)
    except CompileError as error:
        typer.echo(f"{'The player' if path is None else path} does not become a plugin: {error}", err=True)
        raise typer.Exit(FELL_SHORT) from error
    if as_json:
        print_json(_told(result))
    else:
        typer.echo(whole_text(result))


def _made(path: Path | None, out: Path, formats: list[str], *, target: str, worker: bool | None, player: bool) -> Any:
    targets = [name.strip() for name in target.split(",") if name.strip()]
    if player or path is None:
        from neutone_like.plugin.player import build_player_plugin

        return build_player_plugin(out, formats, artifact=path, targets=targets)
    from neutone_like.plugin.building import build_plugin

    return build_plugin(path, out, formats, worker=worker, targets=targets)


def _told(result: Any) -> dict[str, Any]:
    files = [
        {"format": each.format, "path": str(each.path), "bytes": each.size_bytes, "target": each.target}
        for each in result.files
    ]
    told: dict[str, Any] = {"identity": asdict(result.identity), "files": files}
    if hasattr(result, "artifact"):
        return told | {"artifact": None if result.artifact is None else str(result.artifact)}
    load = asdict(result.load) | {"part": result.load.part}
    tail = None if result.tail is None else asdict(result.tail) | {"seconds": result.tail.seconds}
    return told | {"model_bytes": result.model_bytes, "worker": result.worker, "load": load, "tail": tail}
