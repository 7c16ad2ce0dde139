"""The verb ``web``."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from neutone_like.cli.common import FELL_SHORT, ArtifactPath, AsJson, print_json
from neutone_like.errors import CompileError


def web(
    path: ArtifactPath,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder to write [default: web beside the model].")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a page that plays a live model in a browser.

    The folder goes onto any web server as it is. Exit code 1 means that the model can't be played so; the message says
    why.

    \b
    Example: neutone-like web exported/tcn_amp --out page
    """
    from neutone_like.plugin.web_page import write_web_page
    from neutone_like.validate.html.web_link import WEB_FOLDER

    home = path if path.is_dir() else path.parent
    try:
        files = write_web_page(path, out or home / WEB_FOLDER)
    except CompileError as error:
        typer.echo(f"There is no page of {path}: {error}", err=True)
        raise typer.Exit(FELL_SHORT) from error
    index, size_bytes = files[-1], sum(file.stat().st_size for file in files)
    if as_json:
        print_json({"page": str(index), "folder_bytes": size_bytes})
        return
    typer.echo(f"{index}: {size_bytes / 1000:.0f} kB in all")
    typer.echo(
        f"See it: python -m http.server --directory {shlex.quote(str(index.parent))}, then http://localhost:8000"
    )
