"""The verb ``render``: what it takes."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from neutone_like.cli.arguments import MAXIMUM_RATE
from neutone_like.cli.common import ARTIFACT_HELP, MODEL, AllowOperators, AsJson, Param, operators_of
from neutone_like.cli.rendering import render_many, render_one

MIX = "The mix"
FILE = "The output"
MANY = "Many files"
NOTHING = "-"  # where INPUT stands, for a model without inputs


def render(
    model: Annotated[Path, typer.Argument(metavar="MODEL", exists=True, help=ARTIFACT_HELP)],
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="An audio file, a folder, a pattern in quotes, or with --list a list of files; - for no input.",
        ),
    ],
    target: Annotated[
        str,
        typer.Argument(metavar="OUTPUT", help="The file to write; its ending chooses the format. Or a folder."),
    ],
    param: Param = None,
    automation: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FILE.csv",
            help="Let a parameter follow a curve: lines of seconds,value.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="A further input, for a model that has several.", rich_help_panel=MODEL),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="How much to generate, with a model that generates sound in blocks.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="DEVICE",
            help="Where an offline model runs, such as cuda [default: cpu].",
            rich_help_panel=MODEL,
        ),
    ] = None,
    backend: Annotated[
        Literal["auto", "compiled", "torchscript"],
        typer.Option(
            metavar="auto|compiled|torchscript",
            help="What plays the model: its compiled form where there is one, else TorchScript.",
            rich_help_panel=MODEL,
        ),
    ] = "auto",
    wet: Annotated[
        float | None,
        typer.Option(
            metavar="0..1",
            help="How much of the model's output is heard [default: the artifact's].",
            rich_help_panel=MIX,
        ),
    ] = None,
    dry: Annotated[
        float | None,
        typer.Option(
            metavar="0..1", help="How much of the input is heard [default: the artifact's].", rich_help_panel=MIX
        ),
    ] = None,
    input_gain_db: Annotated[
        float | None,
        typer.Option(
            metavar="DB", help="Gain before the model, -30..30 dB [default: the artifact's].", rich_help_panel=MIX
        ),
    ] = None,
    output_gain_db: Annotated[
        float | None,
        typer.Option(
            metavar="DB", help="Gain of the output, -30..30 dB [default: the artifact's].", rich_help_panel=MIX
        ),
    ] = None,
    out_sample_rate: Annotated[
        int | None,
        typer.Option(
            metavar="HZ",
            min=1,
            max=MAXIMUM_RATE,
            help="Rate of the output [default: the input's].",
            rich_help_panel=FILE,
        ),
    ] = None,
    bit_depth: Annotated[
        int | None,
        typer.Option(metavar="BITS", help="Of WAV (32 is floating point), AIFF and FLAC.", rich_help_panel=FILE),
    ] = None,
    encoding_quality: Annotated[
        str | None,
        typer.Option(metavar="QUALITY", help="Of MP3 and Ogg Vorbis, such as V2, 320 or best.", rich_help_panel=FILE),
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="ENDING", help="Of the outputs, such as flac [default: as INPUT].", rich_help_panel=FILE
        ),
    ] = None,
    listed: Annotated[
        bool,
        typer.Option("--list", help="INPUT is a text file with one path or URL a line.", rich_help_panel=MANY),
    ] = False,
    root: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help="Where the tree of inputs begins that is repeated in OUTPUT [default: INPUT].",
            rich_help_panel=MANY,
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Leave out what the manifest says is finished.", rich_help_panel=MANY),
    ] = False,
    manifest: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The record of what is finished [default: manifest.jsonl in the folder OUTPUT].",
            rich_help_panel=MANY,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="How many processes render; 0 renders in this one [default: one a processor].",
            rich_help_panel=MANY,
        ),
    ] = None,
    retries: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="How often to try a file again whose worker died or whose store did not answer [default: 2].",
            rich_help_panel=MANY,
        ),
    ] = None,
    file_timeout: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="A file that takes longer is stopped, and has failed [default: no limit].",
            rich_help_panel=MANY,
        ),
    ] = None,
    engine: Annotated[
        Literal["processes", "dask"] | None,
        typer.Option(
            metavar="processes|dask",
            help="Render on this machine, or on a Dask cluster [default: processes].",
            rich_help_panel=MANY,
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Address of the Dask scheduler, such as tcp://host:8786.",
            rich_help_panel=MANY,
        ),
    ] = None,
    progress: Annotated[bool, typer.Option("--progress/--no-progress", help="Draw a progress bar on stderr.")] = True,
    allow_operators: AllowOperators = "",
    quality: Annotated[str | None, typer.Option(hidden=True, help="The old name of --encoding-quality.")] = None,
    as_json: AsJson = False,
) -> None:
    """Play files through an artifact.

    INPUT is a file; or a folder, a pattern or a list, whose tree OUTPUT then repeats. An output is as long as its input
    and aligned with it. INPUT and OUTPUT may be URLs that fsspec knows. A model with several outputs writes
    OUTPUT.LABEL.wav for each.

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
        "quality": encoding_quality or quality,
        "progress": progress,
        "backend": backend,
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
    artifact = (model, operators_of(allow_operators))
    if source == NOTHING or also or seconds is not None:
        inputs = [] if source == NOTHING else [Path(each) for each in (source, *(also or []))]
        alone = {**settings, "seconds": seconds, "device": device}
        render_one(artifact, inputs, Path(target), assignments, alone, as_json)
        return
    given = {name: value for name, value in of_a_job.items() if value is not None}
    into_folder = target.endswith(("/", os.sep)) or os.path.isdir(target)
    if given or into_folder or not os.path.isfile(source) or "://" in target:
        render_many(artifact, source, target, assignments, {**settings, **given}, as_json)
    else:
        render_one(artifact, [Path(source)], Path(target), assignments, settings, as_json)
