"""Train the diffusion denoiser on random music in noise.

    python examples/train_diffusion_denoiser.py                        # a quarter of an hour on a CPU
    python examples/train_diffusion_denoiser.py --steps 20 --out build/quick.pt

Each step draws music from a pool, noise of a drawn colour and level, and a point of the way between the two, and asks
the network for the music. What is printed in the end, and written beside the weights, is measured through the wrapper,
resampling included, on sounds that training has nothing of: the riff and the drums of
``neutone_like.artifact.writing.sample_audio`` in white noise, at 44.1 kHz.
"""

import json
import math
import time
from pathlib import Path
from typing import Annotated

import torch
import typer
from diffusion_denoiser import ADDED_NOISE, SAMPLE_RATE, STEPS, WEIGHTS, CleanEstimate, DiffusionDenoiser, Spectrum
from random_music import Dice, random_drums, random_notes
from rich.progress import Progress
from torch import Tensor

from neutone_like import NonRealtimeSampleQueueWrapper
from neutone_like.artifact.writing.sample_audio import drum_loop, guitar_riff

SEGMENT_SECONDS = 1.5
BATCH_SIZE = 6
HIGHEST_LEARNING_RATE = 5e-3
HELD_OUT_RATE = 44100
HELD_OUT_SNR_DB = 5.0
LOWEST_SNR_DB, HIGHEST_SNR_DB = -2.0, 18.0
CEILING_DB = 25.0  # what is better than this already is not to be trained further


def snr_db(sound: Tensor, clean: Tensor) -> float:
    """Signal-to-noise ratio of a sound whose clean version is known."""
    return 10.0 * math.log10(float(clean.square().sum() / (sound - clean).square().sum()))


def audible(sound: Tensor) -> Tensor:
    """At :data:`HELD_OUT_RATE`, without what the model's own rate can't hold: ``[channels, N]``."""
    inside = torch.fft.rfftfreq(sound.size(1), 1.0 / HELD_OUT_RATE) < 0.45 * SAMPLE_RATE
    return torch.fft.irfft(torch.fft.rfft(sound) * inside, n=sound.size(1))


def in_noise(clean: Tensor, ratio_db: float, seed: int = 0) -> Tensor:
    """At :data:`HELD_OUT_RATE`, with audible white noise at a signal-to-noise ratio in dB."""
    noise = audible(torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed)))
    return clean + noise * (clean.square().mean() / noise.square().mean()).sqrt() * 10.0 ** (-ratio_db / 20.0)


def held_out_music(seconds: float = 3.0) -> Tensor:
    """Riff and drums together, ``[2, N]``."""
    return audible(0.5 * (guitar_riff(HELD_OUT_RATE, seconds) + drum_loop(HELD_OUT_RATE, seconds)))


def improvement_db(network: CleanEstimate, clean: Tensor, noisy: Tensor, steps: str) -> float:
    """By how much it raises the signal-to-noise ratio, through the wrapper."""
    wrapper = NonRealtimeSampleQueueWrapper(DiffusionDenoiser(network))
    wrapper.set_daw_sample_rate_and_buffer_size(HELD_OUT_RATE, 512)
    (clean_again,) = wrapper.forward([noisy], torch.tensor([[STEPS.index(steps) / (len(STEPS) - 1)], [0.0]]))
    return snr_db(clean_again, clean) - snr_db(noisy, clean)


def held_out_improvement_db(network: CleanEstimate, steps: str) -> float:
    """The number that is published for so many steps."""
    clean = held_out_music()
    return improvement_db(network, clean, in_noise(clean, HELD_OUT_SNR_DB), steps)


def music(dice: Dice, count: int) -> Tensor:
    """Notes, drums, or both, ``[count, N]``."""
    drawn: list[Tensor] = []
    for index in range(count):
        notes = random_notes(dice, SEGMENT_SECONDS) if index % 4 != 0 else torch.zeros(())
        drums = random_drums(dice, SEGMENT_SECONDS) if index % 4 != 1 else torch.zeros(())
        drawn.append(dice.ratio(0.5, 2.0) * notes + drums)
    return torch.stack(drawn)


def colour(noise: Tensor, dice: Dice) -> Tensor:
    """Another slope in each row, from falling by 4.5 dB an octave to rising by 1.5; RMS 1."""
    hertz = torch.arange(noise.size(1) // 2 + 1).clamp(min=20.0)
    slopes = torch.rand(noise.size(0), 1, generator=dice.generator) - 0.75
    shaped = torch.fft.irfft(torch.fft.rfft(noise) * hertz**slopes, n=noise.size(1))
    return shaped / shaped.square().mean(1, keepdim=True).sqrt()


def train(steps: int, pool: int, seed: int) -> CleanEstimate:
    """The network after ``steps`` steps on ``pool`` segments of music."""
    dice = Dice(seed)
    clean_pool = music(dice, pool)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = CleanEstimate()
    spectrum = Spectrum()
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, HIGHEST_LEARNING_RATE, total_steps=steps)
    with Progress() as progress:
        task = progress.add_task("training", total=steps)
        for _ in range(steps):
            clean = clean_pool[torch.randint(pool, (BATCH_SIZE,), generator=dice.generator)]
            draws = torch.rand(2, BATCH_SIZE, 1, generator=dice.generator)
            ratio_db = LOWEST_SNR_DB + (HIGHEST_SNR_DB - LOWEST_SNR_DB) * draws[0]
            power = clean.square().mean(1, keepdim=True)
            noise = colour(torch.randn(clean.shape, generator=dice.generator), dice)
            noisy = clean + noise * power.sqrt() * 10.0 ** (-ratio_db / 20.0)
            rms = noisy.square().mean(1, keepdim=True).sqrt()
            clean, noisy = clean / rms, noisy / rms
            start = noisy + ADDED_NOISE * torch.randn(clean.shape, generator=dice.generator)
            wanted = spectrum(clean)
            estimate = network(spectrum(torch.lerp(clean, start, draws[1])), spectrum(noisy), draws[1])
            loss = loss_function(estimate, wanted)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            progress.update(task, advance=1, description=f"{-loss.item():.1f} dB")
    return network.requires_grad_(False).eval()


def loss_function(estimate: Tensor, wanted: Tensor) -> Tensor:
    """Minus the signal-to-noise ratio in dB, up to about :data:`CEILING_DB`; spectra of a batch."""
    power = wanted.abs().square().sum((1, 2))
    error = torch.view_as_real(estimate - wanted).square().sum((1, 2, 3)) + 10.0 ** (-CEILING_DB / 10.0) * power
    return (10.0 * torch.log10(error / power)).mean()


def main(
    steps: Annotated[int, typer.Option(min=4, help="Optimizer steps.")] = 1500,
    pool: Annotated[int, typer.Option(min=4, help="Segments of 1.5 s of music.")] = 800,
    out: Annotated[Path, typer.Option(help="Weights file; the report goes beside it, as .json.")] = WEIGHTS,
    seed: Annotated[int, typer.Option(help="The same seed gives the same weights on the same machine.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 2,
) -> None:
    """Train, measure on sounds that training has nothing of, write the weights and what they reach."""
    torch.set_num_threads(threads)
    started = time.perf_counter()
    network = train(steps, pool, seed)
    improvements = {count: round(held_out_improvement_db(network, count), 2) for count in STEPS}
    report = {
        "held_out_snr_db": HELD_OUT_SNR_DB,
        "held_out_improvement_db_by_steps": improvements,
        "training_seconds": pool * SEGMENT_SECONDS,
        "steps": steps,
        "batch_size": BATCH_SIZE,
        "sample_rate": SAMPLE_RATE,
        "seed": seed,
        "took_seconds": round(time.perf_counter() - started, 1),
        "torch_version": torch.__version__,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), out)
    out.with_suffix(".json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"From {HELD_OUT_SNR_DB:.0f} dB, by steps: {improvements}. Wrote {out}")


if __name__ == "__main__":
    typer.run(main)
