"""The verb ``bench``."""

import sys
from contextlib import redirect_stdout
from typing import Annotated, Any

import typer

from neutone_like.cli.arguments import MAXIMUM_BLOCK, MAXIMUM_RATE, numbers_of
from neutone_like.cli.common import ArtifactPath, AsJson, print_json, print_tables, wrong_use


def bench(
    path: ArtifactPath,
    rates: Annotated[str | None, typer.Option(metavar="HZ,...", help="Host rates in Hz, such as 44100,48000.")] = None,
    blocks: Annotated[
        str | None, typer.Option(metavar="SAMPLES,...", help="Host blocks in samples, such as 64,128,512.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure an artifact's time and latency.

    Time per block, and the latency that is reported beside the one that is measured.

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
        raise wrong_use(error) from error
    from neutone_like.artifact import load_artifact
    from neutone_like.bench import bench_artifact

    with redirect_stdout(sys.stderr):
        report = bench_artifact(load_artifact(path), **chosen)
    if as_json:
        print_json(report.to_dict())
    else:
        print_tables(*report.tables())
