"""What the amp examples are trained on, and how: the same task for every kind of network.

Dry audio comes from our own synthesiser, wet audio from a rig of pedalboard plugins. Three sets are kept apart. A
network learns from riffs of random notes, drums, sweeps and noise at many levels. After every epoch its error on the
*validation* riff is measured, and the best epoch is kept. The number that is printed at the end and written beside the
weights comes from the *held-out* riff, which is looked at once: it is made of notes (C sharp, F sharp and G sharp) that
are in neither of the other two.

The error is the error-to-signal ratio, ``sum((target - output)^2) / sum(target^2)``: 0.01 is an error 20 dB below the
signal. Training minimises it after a pre-emphasis filter, as ears weigh high partials more than their power says, plus
the same ratio of the mean (Wright and Valimaki, "Perceptual Loss Function for Neural Modelling of Audio Systems",
2020).
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress
from torch import Tensor, nn

from neutone_like.artifact.writing.sample_audio import Strum, drum_loop, play_strums
from neutone_like.extras import import_extra

SAMPLE_RATE = 48000
HELD_OUT_PITCH_CLASSES = (1, 6, 8)
LOWEST_NOTE, HIGHEST_NOTE = 38, 69
SEGMENT_SAMPLES = SAMPLE_RATE // 2
PRE_EMPHASIS = 0.85

Run = Callable[[Tensor], Tensor]
"""A network's way with a whole recording from silence: ``[1, N]`` to ``[1, N]``."""


@dataclass(frozen=True)
class Pair:
    """What goes into the rig and what comes out: float32 ``[1, N]`` each."""

    dry: Tensor
    wet: Tensor


def guitar_rig(dry: Tensor, sample_rate: int = SAMPLE_RATE) -> Tensor:
    """The device to be learned: a tight low end, drive, and a cabinet that rounds the top off. ``[1, N]`` to same."""
    pedalboard = import_extra("pedalboard", extra="render", purpose="Making the wet audio")
    board = pedalboard.Pedalboard(
        [
            pedalboard.HighpassFilter(cutoff_frequency_hz=120.0),
            pedalboard.Distortion(drive_db=20.0),
            pedalboard.LowpassFilter(cutoff_frequency_hz=4500.0),
            pedalboard.PeakFilter(cutoff_frequency_hz=2200.0, gain_db=5.0, q=0.9),
            pedalboard.PeakFilter(cutoff_frequency_hz=150.0, gain_db=3.0, q=0.7),
            pedalboard.LowpassFilter(cutoff_frequency_hz=6000.0),
            pedalboard.Gain(gain_db=-8.0),
        ]
    )
    return torch.from_numpy(board(dry.numpy(), sample_rate, reset=True))


def random_riff(generator: torch.Generator, seconds: float, *, held_out: bool) -> Tensor:
    """Random notes and power chords at levels from -24 to 0 dB, ``[1, N]``; ``held_out`` chooses whose notes."""

    def draw(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    allowed = [note for note in range(LOWEST_NOTE, HIGHEST_NOTE) if (note % 12 in HELD_OUT_PITCH_CLASSES) == held_out]
    bars = []
    for _ in range(math.ceil(seconds / 4.0)):
        strums, beat = [], 0.0
        while beat < 8.0:
            length = (0.25, 0.5, 0.5, 1.0, 1.5)[int(draw(0, 5))]
            root = allowed[int(draw(0, len(allowed)))]
            chord = tuple(note for note in (root, root + 7, root + 12) if note in allowed)
            notes = chord if draw(0, 1) < 0.4 else (root,)
            level = 10.0 ** (draw(-24.0, 0.0) / 20.0)
            strums.append(Strum(beat, notes, length, 2.2 * level / len(notes), muted=draw(0, 1) < 0.25))
            beat += length
        bars.append(play_strums(tuple(strums), SAMPLE_RATE, 4.0))
    return torch.cat(bars, dim=1)[:, : round(seconds * SAMPLE_RATE)].clamp(-1.0, 1.0)


def sweep(seconds: float) -> Tensor:
    """A sine from 30 Hz to 12 kHz, each octave as long as the next, while its level breathes. ``[1, N]``."""
    t = torch.arange(round(seconds * SAMPLE_RATE), dtype=torch.float64) / SAMPLE_RATE
    octaves_per_second = math.log2(12_000.0 / 30.0) / seconds
    phase = 30.0 * (2.0 ** (octaves_per_second * t) - 1.0) / (octaves_per_second * math.log(2.0))
    level = 10.0 ** (-(1.0 - torch.cos(2.0 * math.pi * 1.7 * t)))
    return (level * torch.sin(2.0 * math.pi * phase)).to(torch.float32).unsqueeze(0)


def noise(generator: torch.Generator, seconds: float) -> Tensor:
    """Noise whose level wanders over 40 dB, ``[1, N]``."""
    total = round(seconds * SAMPLE_RATE)
    steps = torch.rand(1, 1, max(2, round(8 * seconds)), generator=generator)
    level = 10.0 ** (-2.0 * torch.nn.functional.interpolate(steps, size=total, mode="linear")[0])
    return 0.5 * level * torch.randn(1, total, generator=generator)


def training_pair(seconds: float, seed: int = 0) -> Pair:
    """What the network learns from: seven tenths riffs, the rest drums, sweeps and noise."""
    generator = torch.Generator().manual_seed(seed)
    drums = drum_loop(SAMPLE_RATE, 0.1 * seconds).mean(dim=0, keepdim=True)
    fade = torch.logspace(-1.0, 0.0, drums.size(1))
    dry = torch.cat(
        (
            random_riff(generator, 0.7 * seconds, held_out=False),
            drums * fade,
            sweep(0.1 * seconds),
            noise(generator, 0.1 * seconds).clamp(-1.0, 1.0),
        ),
        dim=1,
    )
    return Pair(dry, guitar_rig(dry))


def riff_pair(seconds: float, seed: int, *, held_out: bool) -> Pair:
    """A riff that is not in the training set, from notes that are (``held_out=False``) or are not."""
    dry = random_riff(torch.Generator().manual_seed(seed), seconds, held_out=held_out)
    return Pair(dry, guitar_rig(dry))


def held_out_pair() -> Pair:
    """The audio behind the published error: 12 s of notes that training never heard."""
    return riff_pair(12.0, seed=2_000_029, held_out=True)


def error_to_signal_ratio(output: Tensor, target: Tensor) -> Tensor:
    """``sum((target - output)^2) / sum(target^2)`` over everything."""
    return (target - output).square().sum() / target.square().sum().clamp(min=1e-9)


def loss_function(output: Tensor, target: Tensor) -> Tensor:
    """ESR after pre-emphasis plus the ESR of the mean; ``[batch, samples, 1]`` each."""
    sharp = [x[:, 1:] - PRE_EMPHASIS * x[:, :-1] for x in (output, target)]
    offset = (target.mean(dim=1) - output.mean(dim=1)).square().sum() / target.square().mean(dim=1).sum().clamp(
        min=1e-9
    )
    return error_to_signal_ratio(sharp[0], sharp[1]) + offset


def segments(pair: Pair) -> Pair:
    """Cut into ``[count, SEGMENT_SAMPLES, 1]``, leaving the remainder out."""
    count = pair.dry.size(1) // SEGMENT_SAMPLES
    cut = [x[0, : count * SEGMENT_SAMPLES].reshape(count, SEGMENT_SAMPLES, 1) for x in (pair.dry, pair.wet)]
    return Pair(cut[0], cut[1])


def fit(network: nn.Module, run: Run, train_epoch: Callable[[], None], epochs: int) -> float:
    """Call ``train_epoch`` ``epochs`` times; the network ends with the weights of its best epoch.

    Returns:
        That epoch's error on the validation riff.
    """
    validation = riff_pair(8.0, seed=1_000_003, held_out=False)
    best, best_esr = _copy_of_weights(network), math.inf
    with Progress() as progress:
        task = progress.add_task("training", total=epochs)
        for _ in range(epochs):
            train_epoch()
            esr = float(error_to_signal_ratio(run(validation.dry), validation.wet))
            if esr < best_esr:
                best, best_esr = _copy_of_weights(network), esr
            progress.update(task, advance=1, description=f"validation ESR {esr:.4f}, best {best_esr:.4f}")
    network.load_state_dict(best)
    return best_esr


def _copy_of_weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def write_weights(network: nn.Module, run: Run, out: Path, report: dict[str, Any], *, started: float) -> None:
    """Measure on the held-out riff, write weights and report, and print the error.

    Args:
        out: The weights file; the report goes beside it, as ``.json``.
        report: How the network was made; the held-out error, time taken and versions are added.
        started: ``time.perf_counter()`` when training began.
    """
    held_out = held_out_pair()
    held_out_esr = float(error_to_signal_ratio(run(held_out.dry), held_out.wet))
    took_seconds = round(time.perf_counter() - started, 1)
    full = {"held_out_esr": held_out_esr, **report, "took_seconds": took_seconds, "torch_version": torch.__version__}
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), out)
    out.with_suffix(".json").write_text(json.dumps(full, indent=2) + "\n", encoding="utf-8")
    print(f"Held-out error-to-signal ratio {held_out_esr:.4f} ({10 * math.log10(held_out_esr):.1f} dB). Wrote {out}")
