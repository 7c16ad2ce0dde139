"""The verb ``bench``."""

import sys
from contextlib import redirect_stdout
from typing import Annotated, Any

import typer

from neutone_like.cli.arguments import MAXIMUM_BLOCK, MAXIMUM_RATE, numbers_of
from neutone_like.cli.common import (
    AllowOperators,
    ArtifactPath,
    AsJson,
    operators_of,
    print_json,
    print_tables,
    wrong_use,
)


def bench(
    path: ArtifactPath,
    rates: Annotated[str | None, typer.Option(metavar="HZ,...", help="Host rates in Hz, such as 44100,48000.")] = None,
    blocks: Annotated[
        str | None, typer.Option(metavar="SAMPLES,...", help="Host blocks in samples, such as 64,128,512.")
    ] = None,
    backends: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...|all",
            help="Beside each other in the native engine: compiled, torchscript, onnxruntime, litert.",
        ),
    ] = None,
    budget: Annotated[
        bool,
        typer.Option(
            "--budget", help="What fits playing live (10 ms), voice (50 ms), tools (100 ms) and streams (1 s)."
        ),
    ] = False,
    allow_operators: AllowOperators = "",
    as_json: AsJson = False,
) -> None:
    """Measure an artifact's time and latency.

    Time per block, and the latency that is reported beside the one that is measured. With --backends, the time of a
    host block in each of them, by turns; what is missing is named with the line that brings it. With --budget,
    what is early enough for which use, at which block and with which backend, and what to change otherwise.

    \b
    Example: neutone-like bench exported/overdrive/model.nm --rates 44100,48000 --blocks 64,512
    Example: neutone-like bench exported/overdrive/model.nm --backends all --blocks 128
    Example: neutone-like bench exported/overdrive/model.nm --budget
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
    from neutone_like.bench import bench_artifact, bench_backends

    artifact = load_artifact(path, allow_operators=operators_of(allow_operators))
    if budget:
        return _print_budget(artifact, backends, chosen, as_json)
    with redirect_stdout(sys.stderr):
        if backends is None:
            report = bench_artifact(artifact, **chosen)
        else:
            report = bench_backends(artifact, _names(backends), **chosen)
    if as_json:
        print_json(report.to_dict())
    else:
        print_tables(*report.tables())


def _names(text: str) -> Any:
    """Backends by name, each once.

    Raises:
        typer.Exit: One that is not known.
    """
    from neutone_like.bench.backend_bench import BACKENDS

    names = BACKENDS if text.strip() == "all" else tuple(dict.fromkeys(each.strip() for each in text.split(",")))
    unknown = [name for name in names if name not in BACKENDS]
    if unknown:
        raise wrong_use(f"--backends takes all, or some of {', '.join(BACKENDS)}; got {', '.join(map(repr, unknown))}.")
    return names


def _print_budget(artifact: Any, backends: str | None, chosen: dict[str, Any], as_json: bool) -> None:
    from neutone_like.bench.budget_bench import bench_budget, budget_tables

    if backends is not None:
        chosen["backends"] = _names(backends)
    with redirect_stdout(sys.stderr):
        found = bench_budget(artifact, **chosen)
    if as_json:
        print_json(found.to_dict())
    else:
        print_tables(*budget_tables(found, artifact.metadata.model_name))
