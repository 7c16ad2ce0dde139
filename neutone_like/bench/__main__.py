"""``python -m neutone_like.bench``: the package's own benchmark, as tables."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from neutone_like.bench.batch import FILES, batch_tables, measure_batch
from neutone_like.bench.compiled import compiled_tables
from neutone_like.bench.conversions import conversions_table
from neutone_like.bench.engine_tables import engine_tables
from neutone_like.bench.fidelity import fidelity_tables
from neutone_like.bench.identity import identity_table
from neutone_like.bench.latency_matrix import latency_matrix_table, measure_matrix
from neutone_like.bench.machine import conditions_line, machine_conditions
from neutone_like.bench.peer import FOLDER
from neutone_like.bench.render_memory import render_memory_table
from neutone_like.bench.start_up import start_up_table
from neutone_like.bench.streaming_cost import streaming_tables
from neutone_like.runtime.native_module import native_module
from neutone_like.torch_threads import one_thread

PARTS = (
    "start",
    "identity",
    "latency",
    "fidelity",
    "conversions",
    "memory",
    "engine",
    "batch",
    "streaming",
    "compiled",
)


def main(
    parts: Annotated[list[str] | None, typer.Argument(help=f"Which tables: {', '.join(PARTS)} [default: all].")] = None,
    peer: Annotated[bool, typer.Option("--peer/--no-peer", help="Install and time neutone-sdk beside.")] = True,
    peer_folder: Annotated[Path, typer.Option(help="The peer's own environment; made if missing.")] = Path(FOLDER),
    minutes: Annotated[float, typer.Option(help="Length of the file in the memory table.")] = 60.0,
    files: Annotated[int, typer.Option(min=1, help="How many files the batch tables are of.")] = FILES,
    seconds: Annotated[float, typer.Option(help="Real time of each row in the engine's tables.")] = 3.0,
    kernels: Annotated[str, typer.Option(help="What compiled models play with [default: the best].")] = "",
) -> None:
    """Print what this package costs and how exact it is, beside others where they can be had.

    Example: python -m neutone_like.bench identity fidelity
    """
    unknown = [part for part in parts or () if part not in PARTS]
    if unknown:
        raise typer.BadParameter(f"there is no table {unknown[0]!r}; there are {', '.join(PARTS)}")
    there = native_module().compiled_kernels()
    if kernels and kernels not in there:
        raise typer.BadParameter(f"this processor has no kernels {kernels!r}; it has {', '.join(there)}")
    chosen = parts or list(PARTS)
    console = Console(width=None if Console().is_terminal else 180)
    console.print(conditions_line(machine_conditions()))
    with one_thread():
        if "start" in chosen:
            console.print(start_up_table())
        if "identity" in chosen:
            console.print(identity_table(peer_folder, with_peer=peer))
        if "latency" in chosen:
            console.print(latency_matrix_table(list(measure_matrix())))
        if "fidelity" in chosen:
            console.print(*fidelity_tables())
        if "conversions" in chosen:
            console.print(conversions_table())
        if "memory" in chosen:
            console.print(render_memory_table(minutes))
        if "batch" in chosen:
            console.print(*batch_tables(measure_batch(files)))
        if "streaming" in chosen:
            console.print(*streaming_tables())
        if "compiled" in chosen:
            console.print(*compiled_tables(kernels=kernels))
        if "engine" in chosen:
            for table in engine_tables(seconds):
                console.print(table)


if __name__ == "__main__":
    typer.run(main)
