"""The denoiser for ``compounding.py``: 50 steps of a network, and what makes that cheaper, alone and together."""

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from diffusion_denoiser import DILATIONS, CleanEstimate
from diffusion_denoiser import build_model as teacher_model
from distil_diffusion_denoiser import InOrder, Recordings
from few_step_denoiser import DIFFUSION, FewStepDenoiser, FewSteps, load_networks
from torch import Tensor, nn
from train_diffusion_denoiser import HELD_OUT_RATE, HELD_OUT_SNR_DB, audible, held_out_music, in_noise

from neutone_like import render_file
from neutone_like.artifact import Artifact, load_artifact, write_artifact
from neutone_like.optimise import quality, quantise
from neutone_like.optimise.diffusion import Diffusion
from neutone_like.optimise.diffusion.losses import Draw
from neutone_like.optimise.diffusion.training import train
from neutone_like.render import OfflinePlugin

FEW_STEPS = 4
CHOICE = "4"  # of the model's own parameter; every choice is the same variant here


class Student(CleanEstimate):
    """The denoiser's network with other layers."""

    def __init__(self, features: int, separable: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 5
        for dilation in DILATIONS:
            if separable and channels == features:
                depth = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation, groups=channels)
                layers.extend((depth, nn.Conv2d(channels, features, 1)))
            else:
                layers.append(nn.Conv2d(channels, features, 3, padding=dilation, dilation=dilation))
            layers.append(nn.PReLU(features))
            channels = features
        layers.append(nn.Conv2d(channels, 2, 3, padding=1))
        self.layers = nn.Sequential(*layers)


@dataclass(frozen=True)
class Taught:
    """Predict what a teacher predicts, at times drawn evenly; the loss of both examples' students."""

    diffusion: Diffusion
    teacher: nn.Module

    def __call__(self, network: Any, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        data, noise, *conditions = batch
        ends = self.diffusion.schedule
        drawn = torch.rand(data.size(0), generator=generator)
        time = ends.clean_end + (ends.noisy_end - ends.clean_end) * drawn
        point = self.diffusion.point(data, noise, time)
        with torch.no_grad():
            wanted = self.teacher(point, time, *conditions)
        return (network(point, time, *conditions) - wanted).abs().square().mean()


def variants(many: int, updates: int, pool: int, seed: int, work: Path) -> dict[str, FewStepDenoiser]:
    """Models by name: the one to compare with, each change alone, and all together.

    The student of all takes its few steps as it was taught: halving is worth less to this model than to the textures.
    """
    teacher = InOrder(teacher_model().model)
    few = load_networks()[FEW_STEPS]
    draw = Recordings(pool, seed)

    def taught(name: str, features: int, separable: bool) -> InOrder:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            student = InOrder(Student(features, separable))
        print(f"denoiser: {name}", flush=True)
        _teach(student, teacher, draw, updates, seed, work / f"denoiser-{features}-{separable}.pt")
        return student

    smaller = taught("smaller", 8, False)
    separable = taught("depthwise separable", 16, True)
    both = taught("smaller and depthwise separable", 8, True)
    made = {
        f"{many} steps": (teacher.network, many),
        f"{FEW_STEPS} steps": (few, FEW_STEPS),
        "half the width": (smaller.network, many),
        "depthwise separable": (separable.network, many),
        "int8 weights": (_rounded(teacher.network), many),
        "all four": (_rounded(both.network), FEW_STEPS),
    }
    return {name: _model(network, steps) for name, (network, steps) in made.items()}


def _teach(student: nn.Module, teacher: nn.Module, draw: Draw, updates: int, seed: int, checkpoint: Path) -> None:
    train(student, Taught(DIFFUSION, teacher), draw, updates, learning_rate=5e-3, seed=seed, checkpoint=checkpoint)


def _rounded(network: Any) -> Any:
    return quantise(network, "int8", measure=False).model


def _model(network: Any, steps: int) -> FewStepDenoiser:
    plain = copy.deepcopy(network).requires_grad_(False).eval()
    return FewStepDenoiser(nn.ModuleList([FewSteps(plain, steps) for _ in range(3)]))


def held_out(folder: Path | None, seconds: float) -> list[Tensor]:
    """Clean sounds, ``[2, N]`` at 44.1 kHz: the sound files of a folder, or a riff with drums."""
    if folder is None:
        return [held_out_music(seconds)]
    found: list[Tensor] = []
    for path in sorted(folder.iterdir()):
        sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
        if rate != HELD_OUT_RATE:
            raise ValueError(f"{path}: expected {HELD_OUT_RATE} Hz, got {rate} Hz. Convert it first.")
        clean = torch.from_numpy(sound.T[:2, : round(seconds * rate)].copy())
        clean = audible(clean.expand(2, -1))
        level = clean.square().mean().sqrt()
        if not float(level) > 0.0:
            raise ValueError(f"{path}: expected sound, got silence for {seconds} s. Take it out of the folder.")
        found.append(0.1 * clean / level)
    if not found:
        raise ValueError(f"{folder}: expected sound files of {HELD_OUT_RATE} Hz, got none.")
    return found


def measured(
    models: dict[str, FewStepDenoiser], sounds: Sequence[Tensor], rounds: int, work: Path
) -> list[dict[str, Any]]:
    """A row for each: CPU seconds to render a second, by turns, bytes, and nearness to what is clean."""
    noisy = [in_noise(clean, HELD_OUT_SNR_DB, seed=5 + index) for index, clean in enumerate(sounds)]
    inputs = [_wav(work / f"noisy-{index}.wav", sound) for index, sound in enumerate(noisy)]
    artifacts = {
        name: _written(model, work / f"denoiser-model-{index}") for index, (name, model) in enumerate(models.items())
    }
    plugins = {name: OfflinePlugin(artifact, {"steps": CHOICE}) for name, artifact in artifacts.items()}
    times: dict[str, list[float]] = {name: [] for name in plugins}
    made: dict[str, list[Any]] = {}
    played_by: dict[str, str] = {}
    for number in range(rounds + 1):  # the first is not timed: TorchScript settles, and all sounds are rendered
        for name, plugin in plugins.items():
            started = time.process_time()
            results = [
                render_file(plugin, source, work / f"clean-{index}.wav", bit_depth=32, progress=False)
                for index, source in enumerate(inputs if number == 0 else inputs[:1])
            ]
            played_by[name] = results[0].backend_name
            if number == 0:
                made[name] = [soundfile.read(work / f"clean-{i}.wav", dtype="float32")[0].T for i in range(len(inputs))]
            else:
                times[name].append((time.process_time() - started) / results[0].audio_seconds)
    rows: list[dict[str, Any]] = []
    before_db = quality([_array(each) for each in sounds], [_array(each) for each in noisy], sample_rate=HELD_OUT_RATE)
    for name in plugins:
        found = quality([_array(each) for each in sounds], made[name], sample_rate=HELD_OUT_RATE)
        rows.append(
            {
                "name": name,
                "backend": played_by[name],
                "time": min(times[name]),  # what else runs only adds to it
                "file_bytes": artifacts[name].path.stat().st_size,
                "si_sdr_gained_db": found.si_sdr_db - before_db.si_sdr_db,
                "log_mel_distance_db": found.log_mel_distance_db,
            }
        )
    return rows


def _written(model: FewStepDenoiser, folder: Path) -> Artifact:
    return load_artifact(write_artifact(model, folder, render_samples=False).model_path)


def _array(sound: Tensor) -> Any:
    return np.ascontiguousarray(sound.numpy())


def _wav(path: Path, sound: Tensor) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound.T.numpy(), HELD_OUT_RATE, subtype="FLOAT")
    return path
