"""Rain, wind, surf and fire as latents: the codec, and the network that both texture generators play.

What it shows:

- **A latent codec.** Such sounds are noise whose level in each of 24 bands moves. The encoder takes those levels, two
  frames of 10.7 ms at a time, to 8 numbers; the decoder takes them back, and new noise is filtered to them. So 512
  samples are 8 latents, and a diffusion network need not know what a waveform is.
- **A diffusion that goes on.** The network sees the latents before, as a condition, and makes the next 16 frames: piece
  by piece it plays for ever, in an offline model (``texture_generator.py``) as in a live one (``live_texture.py``).
- **Few steps.** One network for each of 4, 2 and 1 steps, halved from the one that plays any number
  (``neutone_like.optimise.diffusion``). ``weights/latent_textures.json`` says how near they come.

``train_latent_textures.py`` made the weights, from sounds that :func:`random_texture` draws.
"""

import json
import math
from pathlib import Path
from typing import Any

import torch
from random_music import Dice
from torch import Tensor, nn

from neutone_like.optimise.diffusion import CosineSchedule, Diffusion

SAMPLE_RATE = 24000
HOP_SAMPLES = 256
WINDOW_SAMPLES = 2 * HOP_SAMPLES
BANDS = 24
LOWEST_HZ = 60.0
LEAST_POWER = 1e-7
FRAMES_A_LATENT = 2
LATENTS = 8
PIECE = 8  # latents in time that are made at once: 16 frames, 4096 samples, 171 ms
CONTEXT = 8  # latents in time before them that are seen
PIECE_SAMPLES = PIECE * FRAMES_A_LATENT * HOP_SAMPLES
HIDDEN = 80
KINDS = ("rain", "wind", "surf", "fire")
STEPS = ("1", "2", "4", "8")
DIFFUSION = Diffusion(CosineSchedule())
WEIGHTS = Path(__file__).resolve().parent / "weights" / "latent_textures.pt"


# What is learned from


def random_texture(dice: Dice, kind: str, seconds: float) -> Tensor:
    """A texture of one kind, ``[N]`` at :data:`SAMPLE_RATE`, RMS 0.1."""
    total = round(seconds * SAMPLE_RATE)
    sound = {"rain": _rain, "wind": _wind, "surf": _surf, "fire": _fire}[kind](dice, total)
    return 0.1 * sound / sound.square().mean().sqrt()


def _rain(dice: Dice, total: int) -> Tensor:
    """Drops, each a click that rings high for some milliseconds, over a hiss."""
    drops = (torch.rand(total, generator=dice.generator) < dice.ratio(100.0, 300.0) / SAMPLE_RATE) * _levels(
        dice, total
    )
    ring = dice.noise(480) * torch.exp(-torch.arange(480) / dice.ratio(40.0, 90.0))
    return _band(_convolved(drops, ring) * 3.0 + 0.12 * dice.noise(total), 1500.0, 9000.0)


def _wind(dice: Dice, total: int) -> Tensor:
    """Noise in a band whose place and level wander."""
    gusts = _wander(dice, total, 0.4)
    low, high = (_band(dice.noise(total), *edges) for edges in ((120.0, 500.0), (400.0, 1600.0)))
    share = torch.sigmoid(2.0 * gusts)
    return torch.exp(0.8 * gusts) * ((1.0 - share) * low + share * high)


def _surf(dice: Dice, total: int) -> Tensor:
    """Waves of some seconds: the higher, the later they rise and the faster they fade."""
    time = torch.arange(total) / SAMPLE_RATE
    phase = 2.0 * math.pi * (time / dice.ratio(3.0, 5.0) + dice.between(0.0, 1.0)) + 0.5 * _wander(dice, total, 0.2)
    swell = torch.exp(2.0 * torch.sin(phase) - 2.0)
    low, high = _band(dice.noise(total), 80.0, 700.0), _band(dice.noise(total), 700.0, 8000.0)
    return swell.sqrt() * low + 0.7 * swell.square() * high + 0.02 * dice.noise(total)


def _fire(dice: Dice, total: int) -> Tensor:
    """A low roar, and crackles: clicks in bursts."""
    busy = torch.sigmoid(3.0 * _wander(dice, total, 1.0) - 1.0)
    clicks = (torch.rand(total, generator=dice.generator) < 40.0 * busy / SAMPLE_RATE) * _levels(dice, total)
    snap = dice.noise(720) * torch.exp(-torch.arange(720) / dice.ratio(60.0, 140.0))
    crackle = _band(_convolved(clicks, snap), 900.0, 7000.0)
    return crackle + 0.35 * torch.exp(0.5 * _wander(dice, total, 3.0)) * _band(dice.noise(total), 60.0, 300.0)


def _levels(dice: Dice, total: int) -> Tensor:
    return torch.exp(0.8 * dice.noise(total))


def _wander(dice: Dice, total: int, hertz: float) -> Tensor:
    """Noise below a few ``hertz``, at unit RMS."""
    count = max(4, round(2.0 * hertz * total / SAMPLE_RATE) + 2)
    points = dice.noise(count)[None, None]
    slow = torch.nn.functional.interpolate(points, size=total, mode="linear", align_corners=True)[0, 0]
    return slow / slow.square().mean().sqrt().clamp(min=1e-3)


def _band(sound: Tensor, low_hz: float, high_hz: float) -> Tensor:
    """Between two frequencies, at unit RMS."""
    hertz = torch.fft.rfftfreq(sound.size(0), 1.0 / SAMPLE_RATE)
    shape = 1.0 / (1.0 + (low_hz / hertz.clamp(min=1.0)) ** 6) / (1.0 + (hertz / high_hz) ** 6)
    kept = torch.fft.irfft(torch.fft.rfft(sound) * shape, n=sound.size(0))
    return kept / kept.square().mean().sqrt().clamp(min=1e-6)


def _convolved(sound: Tensor, with_sound: Tensor) -> Tensor:
    size = sound.size(0) + with_sound.size(0)
    product = torch.fft.rfft(sound, n=size) * torch.fft.rfft(with_sound, n=size)
    return torch.fft.irfft(product, n=size)[: sound.size(0)]


# The codec


def band_shapes() -> Tensor:
    """How much of each bin's power belongs to each band, ``[bins, bands]``; the bands of a bin add up to 1."""
    hertz = torch.arange(WINDOW_SAMPLES // 2 + 1) * SAMPLE_RATE / WINDOW_SAMPLES
    mel = 2595.0 * torch.log10(1.0 + hertz / 700.0)
    low, high = 2595.0 * math.log10(1.0 + LOWEST_HZ / 700.0), float(mel[-1])
    place = ((mel - low) / (high - low) * (BANDS - 1)).clamp(0.0, BANDS - 1.0)
    return (1.0 - (place[:, None] - torch.arange(BANDS)[None]).abs()).clamp(min=0.0)


def band_levels(sound: Tensor) -> Tensor:
    """``[N]`` to the logarithms of the mean powers of each band, ``[frames, bands]``."""
    window = torch.hann_window(WINDOW_SAMPLES).sqrt()
    spectrum = torch.stft(
        sound, WINDOW_SAMPLES, HOP_SAMPLES, window=window, center=False, return_complex=True, normalized=False
    )
    shapes = band_shapes()
    power = spectrum.abs().square().T / window.square().sum()
    return torch.log(power @ (shapes / shapes.sum(0)) + LEAST_POWER)


class Codec(nn.Module):
    """Levels of two frames, ``[..., 48]``, to 8 latents of about unit variance, and back."""

    mean: Tensor
    deviation: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        width = FRAMES_A_LATENT * BANDS
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))
        self.register_buffer("scale", torch.ones(LATENTS))
        self.encoder = nn.Sequential(nn.Linear(width, 64), nn.SiLU(), nn.Linear(64, LATENTS))
        self.decoder = nn.Sequential(nn.Linear(LATENTS, 64), nn.SiLU(), nn.Linear(64, width))

    def encode(self, levels: Tensor) -> Tensor:
        """``[frames, bands]`` to ``[frames / 2, latents]``."""
        paired = levels[: levels.size(0) // FRAMES_A_LATENT * FRAMES_A_LATENT].reshape(-1, FRAMES_A_LATENT * BANDS)
        return self.encoder((paired - self.mean) / self.deviation) / self.scale

    def forward(self, latents: Tensor) -> Tensor:
        """``[..., latents]`` to ``[..., 48]``: the levels of two frames, in logarithms of powers."""
        return self.decoder(latents * self.scale) * self.deviation + self.mean


class NextPiece(nn.Module):
    """Predicts v of the next :data:`PIECE` latents: a small residual network over all of them at once."""

    octaves: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("octaves", 2.0 ** torch.arange(4))
        self.inward = nn.Linear((PIECE + CONTEXT) * LATENTS + 8 + len(KINDS), HIDDEN)
        self.first = nn.Linear(HIDDEN, HIDDEN)
        self.second = nn.Linear(HIDDEN, HIDDEN)
        self.outward = nn.Linear(HIDDEN, PIECE * LATENTS)

    def forward(self, point: Tensor, time: Tensor, before: Tensor, kind: Tensor) -> Tensor:
        """``[B, piece * latents]``, ``[B]``, ``[B, context * latents]`` and ``[B, kinds]`` to the first shape."""
        angle = 3.141592653589793 * time[:, None] * self.octaves
        hidden = self.inward(torch.cat((point, before, torch.sin(angle), torch.cos(angle), kind), 1))
        hidden = hidden + self.first(torch.nn.functional.silu(hidden))
        hidden = hidden + self.second(torch.nn.functional.silu(hidden))
        return self.outward(torch.nn.functional.silu(hidden))


def load_training_report(weights: Path = WEIGHTS) -> dict[str, Any]:
    """How the networks were trained, and what they reached."""
    return json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))


def load_networks(weights: Path = WEIGHTS) -> tuple[Codec, dict[int, NextPiece]]:
    """The codec, and the network for each number of steps; that of 8 is the teacher, which plays any."""
    states = torch.load(weights, weights_only=True)
    codec = Codec()
    codec.load_state_dict({name: value.float() for name, value in states["codec"].items()})
    networks: dict[int, NextPiece] = {}
    for steps in map(int, STEPS):
        networks[steps] = NextPiece()
        networks[steps].load_state_dict({name: value.float() for name, value in states[f"steps-{steps}"].items()})
        networks[steps].requires_grad_(False).eval()
    return codec.requires_grad_(False).eval(), networks
