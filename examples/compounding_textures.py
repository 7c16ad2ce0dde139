"""The live textures for ``compounding.py``: 50 steps of a network, and what makes that cheaper, alone and together."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from compounding_denoiser import Taught
from latent_textures import (
    CONTEXT,
    DIFFUSION,
    KINDS,
    LATENTS,
    PIECE,
    SAMPLE_RATE,
    STEPS,
    NextPiece,
    band_levels,
    load_networks,
    random_texture,
)
from live_texture import LEVEL, LiveTexture
from random_music import Dice
from texture_parts import Piece, Player
from torch import Tensor, nn
from train_latent_textures import Textures

from neutone_like.optimise import quality, quantise
from neutone_like.optimise.artifacts import written
from neutone_like.optimise.diffusion import distil_progressively, distil_whole_way
from neutone_like.optimise.diffusion.training import train
from neutone_like.optimise.played_cost import BLOCK_SIZES, played_costs
from neutone_like.render import Board, ModelPlugin

FEW_STEPS = 4
HALVINGS = (32, 16, 8, FEW_STEPS)
HIDDEN, HALF = 80, 40
HOST_RATE = SAMPLE_RATE


class Student(NextPiece):
    """The textures' network with other sizes."""

    def __init__(self, hidden: int, layers: int) -> None:
        super().__init__()
        self.inward = nn.Linear((PIECE + CONTEXT) * LATENTS + 8 + len(KINDS), hidden)
        self.first = nn.Linear(hidden, hidden)
        self.second = nn.Linear(hidden, hidden) if layers == 2 else nn.Identity()
        self.outward = nn.Linear(hidden, PIECE * LATENTS)
        self.layers: int = layers

    def forward(self, point: Tensor, time: Tensor, before: Tensor, kind: Tensor) -> Tensor:
        """As of :class:`NextPiece`."""
        angle = 3.141592653589793 * time[:, None] * self.octaves
        hidden = self.inward(torch.cat((point, before, torch.sin(angle), torch.cos(angle), kind), 1))
        hidden = hidden + self.first(torch.nn.functional.silu(hidden))
        if self.layers == 2:
            hidden = hidden + self.second(torch.nn.functional.silu(hidden))
        return self.outward(torch.nn.functional.silu(hidden))


class NoNetwork(nn.Module):
    """What a block costs beside the network: the noise is the piece."""

    def forward(self, noise: Tensor, before: Tensor, kind: Tensor) -> Tensor:
        """The first of them."""
        return noise


def variants(many: int, updates: int, count: int, seed: int, work: Path) -> dict[str, LiveTexture]:
    """Models by name: the one to compare with, each change alone, all together, and none of a network."""
    codec, networks = load_networks()
    teacher = networks[int(STEPS[-1])]
    draw = Textures(seed, count).pieces(codec)

    def taught(hidden: int, layers: int) -> Student:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            student = Student(hidden, layers)
        print(f"textures: {hidden} wide, {layers} layers", flush=True)
        checkpoint = work / f"textures-{hidden}-{layers}.pt"
        train(student, Taught(DIFFUSION, teacher), draw, updates, learning_rate=3e-3, seed=seed, checkpoint=checkpoint)
        return student

    smaller, shallower, both = taught(HALF, 2), taught(HIDDEN, 1), taught(HALF, 1)
    print(f"textures: halving to {HALVINGS} steps", flush=True)
    part = max(1, updates // 4)
    folder = work / "textures-halvings"
    halved = distil_progressively(both, DIFFUSION, draw, HALVINGS, part, seed=seed, folder=folder)[FEW_STEPS]
    checkpoint = work / "textures-whole.pt"
    distil_whole_way(halved, DIFFUSION, draw, part, steps=FEW_STEPS, teacher=teacher, seed=seed, checkpoint=checkpoint)

    def model(piece: Any) -> LiveTexture:
        return LiveTexture(piece.requires_grad_(False).eval(), Player(codec, 1), latents_at_once=1)

    def of(network: nn.Module, steps: int) -> LiveTexture:
        return model(Piece(network, steps, distilled=True))

    return {
        f"{many} steps": of(teacher, many),
        f"{FEW_STEPS} steps": of(networks[FEW_STEPS], FEW_STEPS),
        "half the width": of(smaller, many),
        "one layer fewer": of(shallower, many),
        "int8 weights": _rounded(of(teacher, many)),
        "all four": _rounded(of(halved, FEW_STEPS)),
        "no network at all": model(NoNetwork()),
    }


def _rounded(model: LiveTexture) -> LiveTexture:
    made: Any = quantise(model, "int8", measure=False).model
    return made


def measured(
    models: dict[str, LiveTexture], seconds: float, count: int, seed: int, rounds: int, work: Path
) -> list[dict[str, Any]]:
    """A row for each: the time of a host block by turns, bytes, and how far what is heard is from real textures."""
    artifacts = [written(model, work / f"textures-model-{index}") for index, model in enumerate(models.values())]
    costs = played_costs(artifacts, HOST_RATE, rounds=rounds)
    dice = Dice(seed + 1)  # textures that training has nothing of
    real = [random_texture(dice, kind, seconds).numpy()[None] for kind in KINDS for _ in range(count)]
    rows: list[dict[str, Any]] = []
    first: list[Any] = []
    for name, artifact, cost in zip(models, artifacts, costs, strict=True):
        made = [_played(artifact, kind, seconds * count) for kind in KINDS]
        first = first or made
        cut = [part for each in made for part in np.split(each, count, axis=1)]
        rows.append(
            {
                "name": name,
                "backend": cost.backend,
                "block_us": {str(block): cost.block_us[block] for block in BLOCK_SIZES},
                "file_bytes": cost.file_bytes,
                "frechet_distance": quality(
                    real, cut, sample_rate=SAMPLE_RATE, embedding=levels_of_bands
                ).frechet_distance,
                "log_mel_distance_db": quality(first, made, sample_rate=SAMPLE_RATE).log_mel_distance_db,
            }
        )
    return rows


def levels_of_bands(sound: Tensor) -> Any:
    """What the codec hears, in frames of 21 ms, ``(N, 24)``; nothing below what it can tell."""
    return band_levels(sound[0]).double().numpy()


def _played(artifact: Any, kind: str, seconds: float) -> Any:
    """What the artifact plays to silence, at the level of the textures it was made from."""
    silence = np.zeros((1, round(seconds * SAMPLE_RATE)), dtype=np.float32)
    return Board([ModelPlugin(artifact, {"kind": kind})])(silence, SAMPLE_RATE) / LEVEL
