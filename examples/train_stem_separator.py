"""Train the stem separator on random music.

    python examples/train_stem_separator.py                        # some minutes on a CPU
    python examples/train_stem_separator.py --steps 20 --out build/quick.pt

Each step mixes notes and drums that are drawn from a pool, at levels that differ by up to 12 dB, and asks for both. The
error is the signal-to-noise ratio of each stem. What is printed in the end, and written beside the weights, is measured
through the wrapper, overlap-add and resampling included, on a mix that training has nothing of: the guitar riff and the
drum loop of ``neutone_like.artifact.writing.sample_audio``, at 44.1 kHz.
"""

import json
import math
import time
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from random_music import SAMPLE_RATE, Dice, random_drums, random_notes
from rich.progress import Progress
from stem_separator import WEIGHTS, StemSeparator, build_network
from torch import Tensor

from neutone_like import NonRealtimeSampleQueueWrapper
from neutone_like.artifact.writing.sample_audio import drum_loop, guitar_riff

SEGMENT_SECONDS = 1.5
BATCH_SIZE = 6
HIGHEST_LEARNING_RATE = 3e-3
HELD_OUT_RATE = 44100
CEILING_DB = 30.0  # what is better than this already is not to be trained further


def si_sdr_db(estimate: Tensor, target: Tensor) -> float:
    """Scale-invariant signal-to-distortion ratio (J. Le Roux et al., "SDR - Half-Baked or Well Done?", 2019)."""
    estimate, target = estimate.double().flatten(), target.double().flatten()
    wanted = torch.dot(estimate, target) / torch.dot(target, target) * target
    return 10.0 * math.log10(float(wanted.square().sum() / (estimate - wanted).square().sum()))


def held_out_stems(seconds: float = 8.0) -> tuple[Tensor, Tensor]:
    """Drums and guitar at 44.1 kHz, ``[2, N]`` each and equally loud."""
    stems = (drum_loop(HELD_OUT_RATE, seconds), guitar_riff(HELD_OUT_RATE, seconds).expand(2, -1))
    drums, guitar = (0.1 * stem / stem.square().mean().sqrt() for stem in stems)
    return drums, guitar


def improvements_db(network: Any, drums: Tensor, rest: Tensor, sample_rate: int) -> tuple[float, float]:
    """By how much each stem is nearer to what it should be than the mix was, in dB of SI-SDR."""
    wrapper = NonRealtimeSampleQueueWrapper(StemSeparator(network))
    wrapper.set_daw_sample_rate_and_buffer_size(sample_rate, 512)
    mix = drums + rest
    first, second = wrapper.forward([mix])
    return (
        si_sdr_db(first, drums) - si_sdr_db(mix, drums),
        si_sdr_db(second, rest) - si_sdr_db(mix, rest),
    )


def loss_function(stems: Tensor, targets: Tensor) -> Tensor:
    """Minus the signal-to-noise ratio in dB, up to about :data:`CEILING_DB`; ``[batch, 2, N]`` each."""
    power = targets.square().sum(2)
    error = (stems - targets).square().sum(2) + 10.0 ** (-CEILING_DB / 10.0) * power
    return (10.0 * torch.log10(error / power)).mean()


def train(steps: int, pool: int, seed: int) -> Any:
    """The network after ``steps`` steps on ``pool`` segments of each stem."""
    dice = Dice(seed)
    drums = torch.stack([random_drums(dice, SEGMENT_SECONDS) for _ in range(pool)])
    notes = torch.stack([random_notes(dice, SEGMENT_SECONDS) for _ in range(pool)])
    network = build_network(seed)
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, HIGHEST_LEARNING_RATE, total_steps=steps)
    with Progress() as progress:
        task = progress.add_task("training", total=steps)
        for _ in range(steps):
            chosen = torch.randint(pool, (2, BATCH_SIZE), generator=dice.generator)
            levels = 10.0 ** (torch.rand(2, BATCH_SIZE, 1, generator=dice.generator) * 0.6 - 0.3)
            targets = torch.stack((levels[0] * drums[chosen[0]], levels[1] * notes[chosen[1]]), 1)
            mix = targets.sum(1, keepdim=True)
            stems = network(mix)
            loss = loss_function(stems + 0.5 * (mix - stems.sum(1, keepdim=True)), targets)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            progress.update(task, advance=1, description=f"{-loss.item():.1f} dB")
    return network.requires_grad_(False).eval()


def main(
    steps: Annotated[int, typer.Option(min=4, help="Optimizer steps.")] = 2000,
    pool: Annotated[int, typer.Option(min=2, help="Segments of 1.5 s of each stem.")] = 600,
    out: Annotated[Path, typer.Option(help="Weights file; the report goes beside it, as .json.")] = WEIGHTS,
    seed: Annotated[int, typer.Option(help="The same seed gives the same weights on the same machine.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 2,
) -> None:
    """Train, measure on sounds that training has nothing of, write the weights and what they reach."""
    torch.set_num_threads(threads)
    started = time.perf_counter()
    network = train(steps, pool, seed)
    drums_db, rest_db = improvements_db(network, *held_out_stems(), HELD_OUT_RATE)
    report = {
        "held_out_si_sdr_improvement_db": {"drums": round(drums_db, 2), "rest": round(rest_db, 2)},
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
    print(f"SI-SDR improvement: drums {drums_db:.1f} dB, rest {rest_db:.1f} dB. Wrote {out}")


if __name__ == "__main__":
    typer.run(main)
