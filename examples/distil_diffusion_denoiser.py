"""Halve the diffusion denoiser's steps, from 32 to 4, 2 and 1, train each's together, and write how near they come.

    python examples/distil_diffusion_denoiser.py                       # some minutes on a CPU
    python examples/distil_diffusion_denoiser.py --updates 4 --pool 6 --out build/quick.pt

Killed, it goes on where it was when called again with the same arguments: checkpoints are in ``--work``.

What is written beside the weights is measured on sounds that training has nothing of, as
``train_diffusion_denoiser.py`` measures: for 50 steps of the teacher, for few of them, by DDIM and by DPM-Solver++, and
for the distilled networks, how near the spectra come to those of 256 steps from the same noise, by how much the
signal-to-noise ratio rises, and the CPU time of a second of mono sound.
"""

import json
import math
import time
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from diffusion_denoiser import ADDED_NOISE, SAMPLE_RATE, CleanEstimate, Spectrum
from diffusion_denoiser import build_model as teacher_model
from few_step_denoiser import DIFFUSION, STEPS, WEIGHTS, load_networks
from random_music import Dice
from torch import Tensor, nn
from train_diffusion_denoiser import HELD_OUT_RATE, HELD_OUT_SNR_DB, colour, held_out_music, music, snr_db

from neutone_like.optimise.diffusion import Sampler, ddim, distil_progressively, distil_whole_way, dpm_solver, sample
from neutone_like.whole_file import appearing_whole

HALVINGS = (16, 8, 4, 2, 1)
MANY_STEPS = 256
SAMPLES = 16384  # of each of a batch
BATCH_SIZE = 4
LOWEST_SNR_DB, HIGHEST_SNR_DB = -2.0, 18.0


class InOrder(nn.Module):
    """The denoiser's network with its arguments as samplers give them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, point: Tensor, time: Tensor, noisy: Tensor) -> Tensor:
        return self.network(point, noisy, time)


class Recordings:
    """Draws ``(clean, start, noisy)``, complex spectra each."""

    def __init__(self, pool: int, seed: int) -> None:
        self.pool = music(Dice(seed), pool)
        self.spectrum = Spectrum()

    def __call__(self, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        dice = Dice(0)
        dice.generator = generator
        chosen = torch.randint(len(self.pool), (BATCH_SIZE,), generator=generator)
        start = int(torch.randint(self.pool.size(1) - SAMPLES, (1,), generator=generator))
        clean = self.pool[chosen, start : start + SAMPLES]
        ratio_db = LOWEST_SNR_DB + (HIGHEST_SNR_DB - LOWEST_SNR_DB) * torch.rand(BATCH_SIZE, 1, generator=generator)
        noise = colour(torch.randn(clean.shape, generator=generator), dice)
        power = clean.square().mean(1, keepdim=True) + 1e-8
        noisy = clean + noise * power.sqrt() * 10.0 ** (-ratio_db / 20.0)
        rms = noisy.square().mean(1, keepdim=True).sqrt()
        added = ADDED_NOISE * torch.randn(clean.shape, generator=generator)
        clean, noisy = clean / rms, noisy / rms
        return self.spectrum(clean), self.spectrum(noisy + added), self.spectrum(noisy)


def held_out(seconds: float = 2.0) -> tuple[Tensor, Tensor, Tensor]:
    """``(clean, start, noisy)`` of some seconds of riff and drums at the model's rate, at the published ratio."""
    clean = held_out_music(seconds)[:1, :: HELD_OUT_RATE // SAMPLE_RATE]
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(2, *clean.shape, generator=generator)
    noisy = clean + noise[0] * clean.square().mean().sqrt() * 10.0 ** (-HELD_OUT_SNR_DB / 20.0)
    rms = noisy.square().mean().sqrt()
    spectrum = Spectrum()
    return spectrum(clean / rms), spectrum(noisy / rms + ADDED_NOISE * noise[1]), spectrum(noisy / rms)


def spectral_snr_db(found: Tensor, wanted: Tensor) -> float:
    """As :func:`snr_db`, of spectra."""
    return snr_db(torch.view_as_real(found), torch.view_as_real(wanted))


def table(networks: dict[int, CleanEstimate], seconds: float = 2.0) -> list[dict[str, Any]]:
    """A row for each sampler and number of steps."""
    clean, start, noisy = held_out(seconds)
    teacher = InOrder(teacher_model().model)
    many = sample(teacher, ddim(DIFFUSION, MANY_STEPS), start, noisy)
    before_db = spectral_snr_db(noisy, clean)
    played: list[tuple[str, nn.Module, Sampler]] = [
        *(("DDIM", teacher, ddim(DIFFUSION, steps)) for steps in (50, 8, 4, 2, 1)),
        *(("DPM-Solver++", teacher, dpm_solver(DIFFUSION, steps)) for steps in (8, 4, 2)),
        *(("progressive", InOrder(networks[steps]), ddim(DIFFUSION, steps)) for steps in (4, 2, 1)),
    ]
    rows: list[dict[str, Any]] = []
    for name, network, sampler in played:
        started = time.process_time()
        found = sample(network, sampler, start, noisy)
        took = time.process_time() - started
        rows.append(
            {
                "sampler": name,
                "steps": sampler.steps,
                "nearness_db": round(spectral_snr_db(found, many), 2),
                "improvement_db": round(spectral_snr_db(found, clean) - before_db, 2),
                "log_spectral_distance_db": round(log_spectral_distance_db(found, clean), 2),
                "cpu_seconds_a_second": round(took / seconds, 4),
            }
        )
    return rows


def log_spectral_distance_db(found: Tensor, clean: Tensor) -> float:
    """Root mean square of the levels' differences, down to 60 dB below a recording of RMS 1."""
    levels = [torch.log10(each.abs().square() + 1e-6) for each in (found, clean)]
    return 10.0 * math.sqrt(float((levels[0] - levels[1]).square().mean()))


def as_markdown(rows: list[dict[str, Any]]) -> str:
    """The table."""
    lines = [
        "| Sampler | Steps | Nearness, dB | SNR gained, dB | Log spectrum, dB | RTF |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['sampler']} | {row['steps']} | {row['nearness_db']:.1f} | {row['improvement_db']:.2f} | "
            f"{row['log_spectral_distance_db']:.2f} | {row['cpu_seconds_a_second']:.3f} |"
        )
    return "\n".join(lines)


def main(
    updates: Annotated[int, typer.Option(min=1, help="For each halving.")] = 80,
    together: Annotated[int, typer.Option(min=1, help="For each number of steps, trained as one.")] = 60,
    pool: Annotated[int, typer.Option(min=1, help="Segments of 1.5 s of music.")] = 100,
    seconds: Annotated[float, typer.Option(min=0.1, help="Of sound for the table.")] = 2.0,
    out: Annotated[Path, typer.Option(help="Weights file; the report goes beside it, as .json.")] = WEIGHTS,
    work: Annotated[Path, typer.Option(help="Folder for checkpoints.")] = Path("build/few_step_denoiser"),
    seed: Annotated[int, typer.Option(help="The same seed gives the same weights on the same machine.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
) -> None:
    """Halve, measure, write."""
    torch.set_num_threads(threads)
    started = time.process_time()
    teacher = InOrder(teacher_model().model)
    teacher.requires_grad_(True)
    draw = Recordings(pool, seed)
    students = distil_progressively(
        teacher, DIFFUSION, draw, HALVINGS, updates, learning_rate=1e-3, seed=seed, folder=work
    )
    for steps in map(int, STEPS):
        print(f"{steps} steps together", flush=True)
        distil_whole_way(
            students[steps], DIFFUSION, draw, together, steps=steps, teacher=teacher, seed=seed,
            checkpoint=work / f"whole-{steps}.pt",
        )  # fmt: skip
    states = {
        f"steps-{steps}": {
            name.removeprefix("network."): value.half() for name, value in students[int(steps)].state_dict().items()
        }
        for steps in STEPS
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    with appearing_whole(out) as file:  # a full disk leaves what was there
        torch.save(states, file)
    took_seconds = time.process_time() - started
    rows = table(load_networks(out), seconds)
    report = {
        "held_out_snr_db": HELD_OUT_SNR_DB,
        "table": rows,
        "updates": updates,
        "updates_together": together,
        "training_seconds": pool * 1.5,
        "seed": seed,
        "took_cpu_seconds": round(took_seconds, 1),
        "torch_version": torch.__version__,
    }
    out.with_suffix(".json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(as_markdown(rows))
    print(f"Wrote {out} after {took_seconds:.0f} s of CPU time")


if __name__ == "__main__":
    typer.run(main)
