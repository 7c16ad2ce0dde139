"""Do the gains multiply? Distilled, quantised, a better architecture and four steps: each alone, and all together.

    python examples/compounding.py                                   # seven minutes of one core
    python examples/compounding.py --recordings FOLDER --page PAGE.md
    python examples/compounding.py --updates 4 --pool 4 --count 1 --seconds 1 --rounds 1 --many 5 --work build/quick

It is often said that such steps make a generator 50 to 100 times faster together. Here they are tried on two diffusion
models that are trained: the denoiser (offline, rendered by TorchScript) and the live textures (compiled, in the engine
with blocks of 64 and 256 samples). Whatever comes out is written, as a table and as ``result.json``.

All variants of a model are timed by turns on one thread. The quality beside each time is that of what was played, on
sounds that training has nothing of. Killed, it goes on where it was when called again with the same arguments:
checkpoints are in ``--work``; only what is measured is measured anew.
"""

import json
import math
import time
from pathlib import Path
from typing import Annotated, Any

import compounding_denoiser as denoiser
import compounding_textures as textures
import torch
import typer
from page_tables import replace_tables

from neutone_like.whole_file import write_whole

CHANGES, ALL = slice(1, 5), 5  # the rows of single changes, and of all of them


def denoiser_table(rows: list[dict[str, Any]]) -> str:
    """Of the offline model."""
    lines = [
        "| Denoiser | RTF | Faster | File, kB | SI-SDR gained, dB | Log-mel distance, dB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        lines.append(
            f"| {row['name']} | {row['time']:.4f} | {rows[0]['time'] / row['time']:.1f} x | "
            f"{row['file_bytes'] / 1000:.0f} | {row['si_sdr_gained_db']:+.2f} | {row['log_mel_distance_db']:.2f} |"
        )
    return "\n".join(lines)


def texture_table(rows: list[dict[str, Any]]) -> str:
    """Of the live model."""
    lines = [
        "| Live textures | us for 64 | Faster | us for 256 | Faster | File, kB | Frechet | Log-mel distance, dB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        times = " | ".join(
            f"{row['block_us'][block]:.1f} | {rows[0]['block_us'][block] / row['block_us'][block]:.1f} x"
            for block in ("64", "256")
        )
        lines.append(
            f"| {row['name']} | {times} | {row['file_bytes'] / 1000:.0f} | {row['frechet_distance']:.1f} | "
            f"{row['log_mel_distance_db']:.2f} |"
        )
    return "\n".join(lines)


def product(times: list[float]) -> float:
    """Of the factors of the single changes, were each worth beside the others what it is worth alone."""
    return math.prod(times[0] / each for each in times[CHANGES])


def report(result: dict[str, Any]) -> str:
    """Both tables, and what the factors would multiply to."""
    first, second = result["denoiser"], result["textures"]
    at = [row["time"] for row in first], [row["block_us"]["64"] for row in second]
    told = [
        f"Multiplied, the four factors are {product(times):.0f} x; together they gave {times[0] / times[ALL]:.0f} x."
        for times in at
    ]
    return "\n\n".join((denoiser_table(first), told[0], texture_table(second), told[1]))


def main(
    updates: Annotated[int, typer.Option(min=4, help="To teach each of the denoiser's students.")] = 200,
    texture_updates: Annotated[int, typer.Option(min=4, help="To teach each of the textures' students.")] = 4000,
    pool: Annotated[int, typer.Option(min=4, help="Segments of 1.5 s of music.")] = 100,
    count: Annotated[int, typer.Option(min=1, help="Textures of 8 s of each kind.")] = 24,
    recordings: Annotated[
        Path | None, typer.Option(help="Folder of recordings to take noise out of; none: a riff with drums.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.5, help="Of each sound that is measured.")] = 3.0,
    many: Annotated[int, typer.Option(min=5, help="Steps of what is compared with.")] = 50,
    rounds: Annotated[int, typer.Option(min=1, help="Of timing; the engine has 50 times as many.")] = 4,
    page: Annotated[Path | None, typer.Option(exists=True, help="A page to put the tables into.")] = None,
    work: Annotated[Path, typer.Option(help="Folder for checkpoints, models and the result.")] = Path(
        "build/compounding"
    ),
    seed: Annotated[int, typer.Option(help="The same seed gives the same weights on the same machine.")] = 0,
) -> None:
    """Teach, halve, round, play, measure, write."""
    torch.set_num_threads(1)
    started = time.process_time()
    sounds = denoiser.held_out(recordings, seconds)
    restorers = denoiser.variants(many, updates, pool, seed, work)
    generators = textures.variants(many, texture_updates, count, seed, work)
    result: dict[str, Any] = {
        "denoiser": denoiser.measured(restorers, sounds, rounds, work),
        "textures": textures.measured(generators, 2.0 * seconds, 2, seed, 50 * rounds, work),
        "arguments": {
            "updates": updates, "texture_updates": texture_updates, "pool": pool, "count": count, "seconds": seconds,
            "sounds": len(sounds), "many": many, "seed": seed,
        },
        "torch_version": torch.__version__,
    }  # fmt: skip
    result["took_cpu_seconds"] = round(time.process_time() - started, 1)
    work.mkdir(parents=True, exist_ok=True)
    write_whole(work / "result.json", (json.dumps(result, indent=2) + "\n").encode())
    text = report(result)
    print(text)
    if page is not None:
        replace_tables(page, "compounding", text)
    print(f"Wrote {work / 'result.json'} after {result['took_cpu_seconds']:.0f} s of CPU time")


if __name__ == "__main__":
    typer.run(main)
