"""The verb ``render``: what it takes."""

import os
from pathlib import Path
from typing import Annotated

import typer

from neutone_like.cli.arguments import MAXIMUM_RATE
from neutone_like.cli.common import AsJson
from neutone_like.cli.rendering import render_many, render_one

NOTHING = "-"  # where INPUT stands, for a model without inputs


def render(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", exists=True, help="A .nm file, or the folder that holds model.nm.")
    ],
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT", help="An audio file, a folder, a glob in quotes, or a list (--list); - for none."
        ),
    ],
    target: Annotated[
        str, typer.Argument(metavar="OUTPUT", help="The file to write, whose ending chooses the format; or a folder.")
    ],
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A parameter in its own unit, or a label.")
    ] = None,
    automation: Annotated[
        list[str] | None, typer.Option(metavar="NAME=FILE.csv", help="A parameter's curve: lines of seconds,value.")
    ] = None,
    wet: Annotated[float | None, typer.Option(help="The model's share, 0..1 [default: the artifact's].")] = None,
    dry: Annotated[float | None, typer.Option(help="The input's share, 0..1 [default: the artifact's].")] = None,
    input_gain_db: Annotated[float | None, typer.Option(help="-30..30 dB [default: the artifact's].")] = None,
    output_gain_db: Annotated[float | None, typer.Option(help="-30..30 dB [default: the artifact's].")] = None,
    out_sample_rate: Annotated[
        int | None, typer.Option(min=1, max=MAXIMUM_RATE, help="In Hz [default: the input's].")
    ] = None,
    bit_depth: Annotated[int | None, typer.Option(help="Of WAV (32 is floating point), AIFF and FLAC.")] = None,
    quality: Annotated[str | None, typer.Option(help="Of MP3 and Ogg Vorbis, such as V2, 320 or best.")] = None,
    also: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="A further input, of a model that has several.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="Of a model that generates sound in blocks.")] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="INPUT is a text file with the path or URL of one input a line.")
    ] = False,
    root: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Where the tree begins that OUTPUT repeats [default: INPUT].")
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option("--format", metavar="ENDING", help="Of the outputs, such as flac [default: as INPUT]."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Leave out what the manifest says is finished.")] = False,
    manifest: Annotated[
        str | None, typer.Option(metavar="FILE", help="Where it is [default: manifest.jsonl in the folder OUTPUT].")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes; 0 for none but this [default: one a processor].")
    ] = None,
    retries: Annotated[
        int | None, typer.Option(min=0, help="For a file whose worker died or whose store did not answer [default: 2].")
    ] = None,
    file_timeout: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", help="A file that takes longer is stopped, and has failed [default: no limit]."
        ),
    ] = None,
    engine: Annotated[str | None, typer.Option(help="processes or dask [default: processes].")] = None,
    scheduler: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Of the Dask cluster.")] = None,
    device: Annotated[
        str | None, typer.Option(help="Of a model that is not real-time, such as cuda [default: cpu].")
    ] = None,
    progress: Annotated[bool, typer.Option("--progress/--no-progress", help="A bar on stderr.")] = True,
    as_json: AsJson = False,
) -> None:
    """Render audio through an artifact: a file, or a folder, a glob or a list, whose tree OUTPUT then repeats.

    An output is as long as its input and aligned with it. INPUT and OUTPUT may be URLs that fsspec knows. A model with
    several outputs writes OUTPUT.LABEL.wav for each.

    \b
    Example: neutone-like render exported/overdrive/model.nm in.wav out.wav --param drive=24
    Example: neutone-like render exported/overdrive/model.nm recordings rendered --format flac --resume
    """
    settings = {
        "wet": wet,
        "dry": dry,
        "input_gain_db": input_gain_db,
        "output_gain_db": output_gain_db,
        "out_sample_rate": out_sample_rate,
        "bit_depth": bit_depth,
        "quality": quality,
        "progress": progress,
    }
    of_a_job = {
        "listed": listed or None,
        "root": root,
        "file_format": file_format,
        "resume": resume or None,
        "manifest": manifest,
        "workers": workers,
        "retries": retries,
        "file_timeout_seconds": file_timeout,
        "engine": engine,
        "scheduler": scheduler,
        "device": device,
    }
    assignments = (param or [], automation or [])
    if source == NOTHING or also or seconds is not None:
        inputs = [] if source == NOTHING else [Path(each) for each in (source, *(also or []))]
        alone = {**settings, "seconds": seconds, "device": device}
        render_one(model, inputs, Path(target), assignments, alone, as_json)
        return
    given = {name: value for name, value in of_a_job.items() if value is not None}
    into_folder = target.endswith(("/", os.sep)) or Path(target).is_dir()
    if given or into_folder or not Path(source).is_file() or "://" in target:
        render_many(model, source, target, assignments, {**settings, **given}, as_json)
    else:
        render_one(model, [Path(source)], Path(target), assignments, settings, as_json)
