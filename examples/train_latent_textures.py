"""Train the codec and the networks of the texture generators, for many and for few steps, and write what each costs.

    python examples/train_latent_textures.py                              # some minutes on a CPU
    python examples/train_latent_textures.py --updates 50 --out build/quick.pt
    python examples/train_latent_textures.py --table                      # only measures what is there

Killed, it goes on where it was when called again with the same arguments: checkpoints are in ``--work``.

The table has, for each sampler and number of steps, how near the latents come to those of 256 steps of the teacher from
the same noise (in dB), how far the levels of what is made are from those of textures that training has nothing of
(Frechet distance; the teacher's own with 256 steps is the floor), and the time of a piece of 171 ms on this machine.
"""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from latent_textures import (
    BANDS,
    CONTEXT,
    DIFFUSION,
    KINDS,
    LATENTS,
    PIECE,
    PIECE_SAMPLES,
    SAMPLE_RATE,
    STEPS,
    WEIGHTS,
    Codec,
    NextPiece,
    band_levels,
    load_networks,
    random_texture,
)
from random_music import Dice
from torch import Tensor

from neutone_like.optimise import frechet_distance
from neutone_like.optimise.diffusion import (
    Sampler,
    ddim,
    distil_progressively,
    distil_whole_way,
    dpm_solver,
    sample,
    train_diffusion,
)
from neutone_like.optimise.diffusion.training import train
from neutone_like.whole_file import appearing_whole

SECONDS = 8.0  # of a texture
BATCH_SIZE = 128
HALVINGS = (32, 16, 8, 4, 2, 1)
MANY_STEPS = 256
HELD_OUT = 6  # textures of each kind that training has nothing of
NO_CONTEXT = 0.1  # of the pieces begin a sound


class Reconstruction:
    """The codec's loss: the error of the levels it gives back, from latents that noise has touched."""

    def __call__(self, codec: Any, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        (levels,) = batch
        normal = (levels - codec.mean) / codec.deviation
        latents = codec.encoder(normal)
        touched = latents + 0.05 * torch.randn(latents.shape, generator=generator)
        return (codec.decoder(touched) - normal).square().mean() + 1e-3 * (
            latents.square().mean(0) - 1.0
        ).square().mean()


class Textures:
    """The levels of textures of each kind, and their latents when there is a codec."""

    def __init__(self, seed: int, count: int) -> None:
        dice = Dice(seed)
        self.levels = [[band_levels(random_texture(dice, kind, SECONDS)) for _ in range(count)] for kind in KINDS]

    def paired(self) -> Tensor:
        """All levels of two frames each, ``[N, 48]``."""
        every = [levels[: len(levels) // 2 * 2].reshape(-1, 2 * BANDS) for kind in self.levels for levels in kind]
        return torch.cat(every)

    def pieces(self, codec: Codec) -> "Pieces":
        with torch.no_grad():
            return Pieces(torch.stack([torch.stack([codec.encode(each) for each in kind]) for kind in self.levels]))


class Pieces:
    """Draws ``(piece, noise, what was before, kind)`` from latents ``[kinds, count, N, latents]``."""

    def __init__(self, latents: Tensor) -> None:
        self.latents = latents

    def __call__(self, generator: torch.Generator, batch: int = BATCH_SIZE) -> tuple[Tensor, ...]:
        kinds, count, length, _ = self.latents.shape
        kind = torch.randint(kinds, (batch,), generator=generator)
        which = torch.randint(count, (batch,), generator=generator)
        start = torch.randint(length - PIECE - CONTEXT + 1, (batch,), generator=generator)
        places = start[:, None] + torch.arange(CONTEXT + PIECE)
        drawn = self.latents[kind[:, None], which[:, None], places].flatten(1)
        begins = torch.rand(batch, 1, generator=generator) < NO_CONTEXT
        before = drawn[:, : CONTEXT * LATENTS].masked_fill(begins, 0.0)
        noise = torch.randn(batch, PIECE * LATENTS, generator=generator)
        return drawn[:, CONTEXT * LATENTS :], noise, before, torch.nn.functional.one_hot(kind, kinds).float()


def train_all(updates: int, count: int, seed: int, work: Path) -> dict[str, dict[str, Tensor]]:
    """The codec's and the networks' states, in half precision."""
    textures = Textures(seed, count)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        codec, network = Codec(), NextPiece()
    paired = textures.paired()
    codec.mean, codec.deviation = paired.mean(0), paired.std(0)

    def levels(generator: torch.Generator) -> tuple[Tensor]:
        return (paired[torch.randint(len(paired), (BATCH_SIZE,), generator=generator)],)

    print("codec")
    train(codec, Reconstruction(), levels, updates, learning_rate=3e-3, seed=seed, checkpoint=work / "codec.pt")
    with torch.no_grad():
        codec.scale = codec.encoder((paired - codec.mean) / codec.deviation).std(0)
    draw = textures.pieces(codec)
    print("many steps")
    teacher = train_diffusion(
        network, DIFFUSION, draw, 4 * updates, learning_rate=3e-3, seed=seed, checkpoint=work / "teacher.pt"
    )
    print(f"halving to {HALVINGS} steps")
    students = distil_progressively(
        teacher, DIFFUSION, draw, HALVINGS, updates, learning_rate=1e-3, seed=seed, folder=work
    )
    for steps in (4, 2, 1):
        print(f"{steps} steps together")
        distil_whole_way(
            students[steps],
            DIFFUSION,
            draw,
            2 * updates,
            steps=steps,
            teacher=teacher,
            seed=seed,
            checkpoint=work / f"whole-{steps}.pt",
        )
    modules = {"codec": codec, f"steps-{STEPS[-1]}": teacher, **{f"steps-{each}": students[each] for each in (4, 2, 1)}}
    return {name: {key: value.half() for key, value in module.state_dict().items()} for name, module in modules.items()}


# What it reached


def samplers() -> list[tuple[str, int, Sampler, int]]:
    """Name, steps, sampler, and whose network plays it."""
    teacher = int(STEPS[-1])
    return [
        *(("DDIM", steps, ddim(DIFFUSION, steps), teacher) for steps in (1, 2, 4, 8, 16)),
        *(("DDIM, log SNR", steps, ddim(DIFFUSION, steps, spacing="log_snr"), teacher) for steps in (4, 8)),
        *(("DPM-Solver++", steps, dpm_solver(DIFFUSION, steps), teacher) for steps in (4, 8, 16)),
        *(
            ("DPM-Solver++, log SNR", steps, dpm_solver(DIFFUSION, steps, spacing="log_snr"), teacher)
            for steps in (4, 8, 16)
        ),
        *(("progressive", steps, ddim(DIFFUSION, steps), steps) for steps in (1, 2, 4)),
    ]


def nearness_db(found: Tensor, wanted: Tensor) -> float:
    """How far the error lies below what is wanted."""
    return 10.0 * math.log10(float(wanted.square().mean() / (found - wanted).square().mean()))


def table(
    codec: Codec, networks: dict[int, NextPiece], seed: int, pieces: int = 1024, textures: int = HELD_OUT
) -> list[dict[str, Any]]:
    """A row for each sampler and number of steps."""
    draw = Textures(seed + 1, textures).pieces(codec)
    _, noise, before, kind = draw(torch.Generator().manual_seed(seed), pieces)
    real = draw(torch.Generator().manual_seed(seed + 1), pieces)[0]

    def levels(latents: Tensor) -> Any:
        return codec(latents.reshape(-1, LATENTS)).reshape(-1, BANDS).double().numpy()

    def played(network: NextPiece, sampler: Sampler) -> Tensor:
        return sample(network, sampler, noise, before, kind)

    teacher = networks[int(STEPS[-1])]
    many = played(teacher, ddim(DIFFUSION, MANY_STEPS))
    rows = [{"sampler": "DDIM", "steps": MANY_STEPS, "frechet_distance": frechet_distance(levels(real), levels(many))}]
    for name, steps, sampler, whose in samplers():
        found = played(networks[whose], sampler)
        one = (noise[:1], before[:1], kind[:1])
        rows.append(
            {
                "sampler": name,
                "steps": steps,
                "nearness_db": nearness_db(found, many),
                "level_db": 10.0 * math.log10(float(found.square().mean() / many.square().mean())),
                "frechet_distance": frechet_distance(levels(real), levels(found)),
                "piece_us": least_us(lambda n=networks[whose], s=sampler, o=one: sample(n, s, *o)),
            }
        )
    return rows


def least_us(call: Callable[[], object]) -> float:
    """The shortest of 50 calls, in microseconds: what other programs take is not counted."""
    times: list[float] = []
    for _ in range(50):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return 1e6 * min(times)


def codec_error_db(codec: Codec, seed: int, textures: int = HELD_OUT) -> float:
    """RMS error of the levels that come back, on textures that training has nothing of."""
    paired = Textures(seed + 1, textures).paired()
    with torch.no_grad():
        error = codec(codec.encoder((paired - codec.mean) / codec.deviation) / codec.scale) - paired
    return 10.0 / math.log(10.0) * float(error.square().mean().sqrt())


def as_markdown(rows: list[dict[str, Any]]) -> str:
    """The table, with the share of real time that a piece takes."""
    lines = [
        "| Sampler | Steps | Nearness, dB | Level, dB | Frechet | us a piece | Load |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if "nearness_db" not in row:
            lines.append(f"| {row['sampler']} | {row['steps']} | | | {row['frechet_distance']:.2f} | | |")
            continue
        load = row["piece_us"] * 1e-6 * SAMPLE_RATE / PIECE_SAMPLES
        lines.append(
            f"| {row['sampler']} | {row['steps']} | {row['nearness_db']:.1f} | {row['level_db']:+.1f} | "
            f"{row['frechet_distance']:.2f} | {row['piece_us']:.0f} | {load:.2%} |"
        )
    return "\n".join(lines)


def main(
    updates: Annotated[
        int,
        typer.Option(
            min=4, help="For the codec and each halving; 4 times more for the teacher, twice for few steps together."
        ),
    ] = 1200,
    count: Annotated[int, typer.Option(min=1, help="Textures of 8 s of each kind.")] = 24,
    pieces: Annotated[int, typer.Option(min=48, help="Of each sampler, for the table.")] = 1024,
    out: Annotated[Path, typer.Option(help="Weights file; the report goes beside it, as .json.")] = WEIGHTS,
    work: Annotated[Path, typer.Option(help="Folder for checkpoints.")] = Path("build/latent_textures"),
    seed: Annotated[int, typer.Option(help="The same seed gives the same weights on the same machine.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
    only_table: Annotated[bool, typer.Option("--table", help="Measure the weights that are there.")] = False,
) -> None:
    """Train, halve, measure, write."""
    torch.set_num_threads(threads)
    started = time.process_time()
    if not only_table:
        states = train_all(updates, count, seed, work)
        out.parent.mkdir(parents=True, exist_ok=True)
        with appearing_whole(out) as file:  # a full disk leaves what was there
            torch.save(states, file)
    took_seconds = time.process_time() - started
    codec, networks = load_networks(out)
    rows = table(codec, networks, seed, pieces, min(count, HELD_OUT))
    print(as_markdown(rows))
    if only_table:
        return
    report = {
        "codec_error_db": round(codec_error_db(codec, seed, min(count, HELD_OUT)), 2),
        "table": [
            {key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()} for row in rows
        ],
        "updates": updates,
        "textures": count,
        "seed": seed,
        "took_cpu_seconds": round(took_seconds, 1),
        "torch_version": torch.__version__,
    }
    out.with_suffix(".json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"Codec: {report['codec_error_db']} dB. Wrote {out} after {took_seconds:.0f} s of CPU time")


if __name__ == "__main__":
    typer.run(main)
