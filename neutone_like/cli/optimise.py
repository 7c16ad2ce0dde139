"""The verb ``optimise``."""

import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer

from neutone_like.cli.arguments import MAXIMUM_BLOCK, MAXIMUM_RATE, numbers_of
from neutone_like.cli.common import (
    FELL_SHORT,
    AllowOperators,
    AsJson,
    operators_of,
    present_step,
    print_json,
    print_tables,
    printable,
    wrong_use,
)
from neutone_like.cli.user_file import load_from_file

HOST, TRIED = "The host", "What is tried"


def optimise(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE.py[:callable] or FILE.nam or PATH",
            help="What makes the model; build_model() unless named. Or a Neural Amp Modeler file, or a .nm.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write.", file_okay=False)],
    budget: Annotated[
        float, typer.Option(metavar="RATIO", min=0.001, help="The most time of a block, over the original's.")
    ] = 0.5,
    quality: Annotated[
        float,
        typer.Option(
            metavar="RATIO", min=0.0, help="The most error-to-signal ratio against the original: 0.01 is 20 dB."
        ),
    ] = 0.02,
    audio: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            exists=True,
            help="Sound to learn from and be judged by: folder or file; may be given again [default: generated].",
        ),
    ] = None,
    rate: Annotated[
        int | None,
        typer.Option(metavar="HZ", min=1, max=MAXIMUM_RATE, help="Where the model has several.", rich_help_panel=HOST),
    ] = None,
    blocks: Annotated[
        str, typer.Option(metavar="SAMPLES,...", help="The budget holds in each.", rich_help_panel=HOST)
    ] = "64,256",
    methods: Annotated[
        str,
        typer.Option(metavar="NAME,...", help="Some of quantise, prune and distil.", rich_help_panel=TRIED),
    ] = "quantise,prune,distil",
    seconds: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0.1, help="Of CPU time for each training.", rich_help_panel=TRIED),
    ] = 60.0,
    students: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=100, help="How many are trained, of those that fit.", rich_help_panel=TRIED
        ),
    ] = 2,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Of audio, weights and training.", rich_help_panel=TRIED)
    ] = 0,
    allow_operators: AllowOperators = "",
    as_json: AsJson = False,
) -> None:
    """Make a model smaller and faster, and measure its cost.

    Weights of fewer bits, fewer channels, and students that learn from it: each result is an artifact, timed beside the
    original as it is played and compared with it on sound that nothing was trained on. report.json and front.png have
    all of them. Exit code 1 means that nothing meets both limits; the nearest is told. Called again after a kill it
    goes on.

    \b
    Example: neutone-like optimise examples/lstm_amp.py --budget 0.5 --quality 0.02 --out build/small
    Example: neutone-like optimise amp.nam --budget 0.5 --quality 0.09 --seconds 300 --out build/small
    """
    try:
        sizes = numbers_of("--blocks", blocks, MAXIMUM_BLOCK)
    except ValueError as error:
        raise wrong_use(error) from error
    names: list[Any] = [each.strip() for each in methods.split(",") if each.strip()]
    unknown = [each for each in names if each not in ("quantise", "prune", "distil")]
    if unknown or not names:
        raise wrong_use(f"takes some of quantise, prune and distil, got {methods!r}.", "--methods")
    allowed = operators_of(allow_operators)
    model = _load(source)
    from neutone_like.optimise import search_budget

    with present_step() as show, redirect_stdout(sys.stderr):
        report = search_budget(
            model,
            out,
            _sounds(audio),
            budget=budget,
            error_to_signal_ratio=quality,
            sample_rate=rate,
            block_sizes=sizes,
            methods=names,
            seconds=seconds,
            students=students,
            seed=seed,
            progress=show,
            allow_operators=allowed,
        )
    if as_json:
        print_json(report.to_dict())
    else:
        print_tables(*report.tables())
        typer.echo(printable("\n".join(report.remarks())))
    if report.best is None:
        raise typer.Exit(FELL_SHORT)


def _sounds(audio: list[Path] | None) -> Any:
    if not audio:
        return None
    return audio[0] if len(audio) == 1 else audio


def _load(source: str) -> Any:
    if Path(source).suffix.lower() in (".nam", ".nm") or os.path.isdir(source):
        return source
    return load_from_file(source)
