"""What vocoders reach and cost: quality on sounds that training had nothing of, time as played, and what seams do.

- **Quality** is of levels: the mel bands of ``neutone_like.optimise.quality``. Two ways without a network are beside
  it: the same mel spectra with random phases, and Griffin and Lim's 60 rounds, which are offline.
- **Cost** is that of the artifact in the engine, inline, on one thread, at the model's own rate: on average, and for
  the callback that has most to do. A model of long blocks is idle in most callbacks and busy in one.
- **Seams**: overlap-add of the same network without memory, beside the network on the whole sound.
"""

import math
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from random_music import SAMPLE_RATE, Dice, random_drums, random_notes
from torch import Tensor
from vocoder import Vocoder, build_model, build_overlap_added
from vocoder_networks import FFT_SAMPLES, HOP_SAMPLES, KINDS, TITLES, WEIGHTS, Analysis, Resynthesis, load_network

from neutone_like.artifact import Artifact, load_artifact, write_artifact
from neutone_like.artifact.writing.sample_audio import drum_loop, guitar_riff
from neutone_like.optimise import quality
from neutone_like.optimise.played_cost import PlayedCost, played_costs
from neutone_like.runtime import Engine, HostConfig
from neutone_like.runtime.compiling import compile_artifact
from neutone_like.streaming import OverlapAddCrossfade

HELD_OUT_SEED = 1_000_003
BLOCK_SIZES = (64, 256, 1024)
ROUNDS = 60
GRIFFIN_LIM_ROUNDS = 60
SEAMS = ((8, 0), (8, 2), (16, 0), (16, 4), (32, 4), (32, 16))  # hops of a window, and of its fade
PLAYED_SEAM = (16, 4)


def held_out(seconds: float = 4.0) -> list[Tensor]:
    """Music of another seed, a riff and drums of another synthesiser: ``[1, samples]``, whole hops."""
    dice = Dice(HELD_OUT_SEED)
    music = [random_notes(dice, seconds), random_drums(dice, seconds), random_notes(dice, seconds)]
    music[2] = 0.7 * (music[2] + random_drums(dice, seconds))
    others = [guitar_riff(SAMPLE_RATE, seconds)[0], drum_loop(SAMPLE_RATE, seconds).mean(0)]
    samples = round(seconds * SAMPLE_RATE) // HOP_SAMPLES * HOP_SAMPLES
    return [sound[:samples].unsqueeze(0) for sound in (*music, *others)]


# Quality


def with_phases(sound: Tensor, rounds: int) -> Tensor:
    """What mel spectra of ``[1, samples]`` sound like with random phases, after rounds of Griffin and Lim (1984)."""
    analysis = Analysis()
    levels = analysis(sound.unsqueeze(0))[0, :, 1:]
    mel = analysis.logarithm.quietest * torch.exp(4.0 * levels)
    wanted = (torch.linalg.pinv(analysis.filters) @ mel).clamp(min=0.0)
    wanted = torch.cat((wanted, wanted[:, -1:]), 1)
    phases = torch.rand(wanted.shape, generator=torch.Generator().manual_seed(0)) * 2.0 * math.pi
    made = torch.istft(
        torch.polar(wanted, phases), FFT_SAMPLES, HOP_SAMPLES, window=analysis.window, length=sound.size(1)
    )
    for _ in range(rounds):
        spectra = torch.stft(made, FFT_SAMPLES, HOP_SAMPLES, window=analysis.window, return_complex=True)
        spectra = torch.polar(wanted, spectra.angle())
        made = torch.istft(spectra, FFT_SAMPLES, HOP_SAMPLES, window=analysis.window, length=sound.size(1))
    return made.unsqueeze(0)


@torch.no_grad()
def quality_rows(weights: Path, sounds: list[Tensor]) -> list[dict[str, Any]]:
    """A row for each network and for each way without."""
    ways: list[tuple[str, Callable[[Tensor], Tensor]]] = [
        ("random phases", lambda sound: with_phases(sound, 0)),
        (f"Griffin-Lim, {GRIFFIN_LIM_ROUNDS} rounds, offline", lambda sound: with_phases(sound, GRIFFIN_LIM_ROUNDS)),
    ]
    for kind in KINDS:
        whole = Resynthesis(load_network(kind, weights))
        ways.append((TITLES[kind], lambda sound, whole=whole: whole(sound.unsqueeze(0))[0]))
    return [{"name": name, **_quality(sounds, [way(sound) for sound in sounds])} for name, way in ways]


def _quality(sounds: list[Tensor], made: list[Tensor]) -> dict[str, Any]:
    found = quality([each.numpy() for each in sounds], [each.numpy() for each in made], sample_rate=SAMPLE_RATE)
    return {
        "log_mel_distance_db": found.log_mel_distance_db,
        "spectral_distance": found.spectral_distance,
        "frechet_distance": found.frechet_distance,
        "loudness_difference_lu": found.loudness_difference_lu,
    }


# Cost


def cost_rows(weights: Path) -> list[dict[str, Any]]:
    """Each network live, and by overlap-add, compiled and in TorchScript: all of them by turns."""
    models: list[tuple[str, Vocoder]] = []
    for kind in KINDS:
        models.append((TITLES[kind], build_model(kind, weights)))
        models.append((f"{TITLES[kind]}, overlap-add", build_overlap_added(kind, *PLAYED_SEAM, weights)))
    with tempfile.TemporaryDirectory(prefix="vocoders_") as folder:
        named: list[tuple[str, Artifact]] = []
        for number, (name, model) in enumerate(models):
            named += [(name, each) for each in _both(model, Path(folder) / str(number))]
        costs = played_costs([artifact for _, artifact in named], SAMPLE_RATE, BLOCK_SIZES, rounds=ROUNDS)
        return [_cost_row(name, artifact, cost) for (name, artifact), cost in zip(named, costs, strict=True)]


def _both(model: Vocoder, folder: Path) -> list[Artifact]:
    """Compiled, and without what is compiled."""
    written = write_artifact(model, folder / "compiled", render_samples=False)
    shutil.copytree(folder / "compiled", folder / "torchscript")
    artifact = load_artifact(written.model_path)
    compile_artifact(artifact, model=model).write(written.model_path.with_name("model.nlc"))
    return [load_artifact(folder / name) for name in ("compiled", "torchscript")]


def _cost_row(name: str, artifact: Artifact, cost: PlayedCost) -> dict[str, Any]:
    own = artifact.block_sizes[0]
    share = {block: cost.block_us[block] * 1e-6 * SAMPLE_RATE / block for block in BLOCK_SIZES}
    busiest = {block: share[block] * math.lcm(own, block) / block for block in BLOCK_SIZES}
    with Engine() as engine, engine.open(artifact, HostConfig(SAMPLE_RATE, 64, channels=1), mode="inline") as session:
        latency_samples = session.latency_samples
    return {
        "name": name,
        "backend": cost.backend,
        "rtf": {str(block): value for block, value in share.items()},
        "busiest_callback": {str(block): value for block, value in busiest.items()},
        "latency_ms": 1000.0 * latency_samples / SAMPLE_RATE,
        "file_bytes": cost.file_bytes,
    }


# Seams


@torch.no_grad()
def seam_rows(weights: Path, sounds: list[Tensor]) -> list[dict[str, Any]]:
    """Each network in windows, beside the whole: error to signal, the worst hop's, and what it costs in time."""
    rows: list[dict[str, Any]] = []
    for kind in KINDS:
        whole = Resynthesis(load_network(kind, weights))
        for window, fade in SEAMS:
            errors = [_seams(whole, sound.unsqueeze(0), window, fade) for sound in sounds]
            rows.append(
                {
                    "name": TITLES[kind],
                    "window_hops": window,
                    "fade_hops": fade,
                    "error_to_signal_ratio": float(np.mean([each for each, _ in errors])),
                    "worst_log_mel_db": float(np.mean([each for _, each in errors])),
                    "computed": window / (window - fade),
                    "delay_ms": 1000.0 * window * HOP_SAMPLES / SAMPLE_RATE,
                }
            )
    return rows


def _seams(whole: Resynthesis, sound: Tensor, window: int, fade: int) -> tuple[float, float]:
    step, late = (window - fade) * HOP_SAMPLES, fade * HOP_SAMPLES
    count = sound.size(2) // step
    layer = OverlapAddCrossfade(whole, window * HOP_SAMPLES, fade * HOP_SAMPLES)
    made = layer(sound[:, :, : count * step])[:, :, late:]
    wanted = whole(sound)[:, :, : made.size(2)]
    error = float((made - wanted).square().sum() / wanted.square().sum())
    return error, _level_error_db(made, wanted)


def _level_error_db(made: Tensor, wanted: Tensor) -> float:
    """By how much the mel bands of the hundredth of frames that is worst differ, in dB."""
    first, second = (8.6858896 * 4.0 * Analysis()(each)[0] for each in (made, wanted))
    return float((first - second).square().mean(0).sqrt().quantile(0.99))


# Tables


def measure(weights: Path = WEIGHTS, seconds: float = 4.0) -> dict[str, Any]:
    """All three."""
    sounds = held_out(seconds)
    return {"quality": quality_rows(weights, sounds), "cost": cost_rows(weights), "seams": seam_rows(weights, sounds)}


def as_markdown(found: dict[str, Any]) -> str:
    """Three tables."""
    return "\n\n".join((_quality_table(found["quality"]), _cost_table(found["cost"]), _seam_table(found["seams"])))


def _quality_table(rows: list[dict[str, Any]]) -> str:
    lines = ["| Vocoder | Log-mel, dB | Spectral distance | Frechet | Loudness, LU |", "|---|---|---|---|---|"]
    for row in rows:
        lines.append(
            f"| {row['name']} | {row['log_mel_distance_db']:.2f} | {row['spectral_distance']:.2f} | "
            f"{row['frechet_distance']:.1f} | {row['loudness_difference_lu']:+.1f} |"
        )
    return "\n".join(lines)


def _cost_table(rows: list[dict[str, Any]]) -> str:
    lines = [
        f"| Vocoder | Played by | {' | '.join(f'RTF, {block}' for block in BLOCK_SIZES)} | Busiest callback of 64 | "
        "Latency, ms | kB |",
        "|---|---|" + "---|" * (len(BLOCK_SIZES) + 3),
    ]
    for row in rows:
        factors = " | ".join(f"{row['rtf'][str(block)]:.4f}" for block in BLOCK_SIZES)
        lines.append(
            f"| {row['name']} | {row['backend']} | {factors} | {row['busiest_callback']['64']:.0%} | "
            f"{row['latency_ms']:.1f} | {row['file_bytes'] / 1000:.0f} |"
        )
    return "\n".join(lines)


def _seam_table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| Vocoder | Window, hops | Fade, hops | Error to signal | Worst frames, dB | Computed | Delay, ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['name']} | {row['window_hops']} | {row['fade_hops']} | {row['error_to_signal_ratio']:.3f} | "
            f"{row['worst_log_mel_db']:.1f} | x {row['computed']:.2f} | {row['delay_ms']:.0f} |"
        )
    return "\n".join(lines)
