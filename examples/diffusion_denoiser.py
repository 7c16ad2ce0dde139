"""Diffusion denoiser: many small steps from a noisy recording to a clean one, which a host can watch and stop.

What it shows:

- **Progress and cancelling in a one-shot model.** The whole recording goes through ``steps`` steps. After each,
  :meth:`set_progress_percentage` says how far it is, and before each, :meth:`should_cancel_forward_pass` asks whether
  anyone still wants it.
- **Random numbers that are the same everywhere.** Sampling starts from noise, which a hash of the sample's number and
  ``take`` makes: the same take gives the same file, in Python, in a C++ host, today and next year.
- **What only the whole recording tells**: its level, and how quiet each frequency ever gets: the floor of the noise.

The process: a point between clean ``c`` (at t = 0) and noisy ``y`` (at t = 1) is ``x = c + t (y - c + s z)``, ``z``
Gaussian noise. The network looks at ``x``, ``y`` and ``t`` and estimates ``c``. From ``x = y + s z`` at t = 1, each
step goes along the straight line to that estimate, as far as t says (after M. Albergo et al., "Stochastic
Interpolants", 2023). The network is small: it gives each bin of a spectrum two weights, for ``x`` and for ``y``.

One step gives the average of all that might have been clean, which is nearest in the waveform, and dull; more steps
give one of them, whose spectrum is nearer and whose waveform is a little further off.

It was trained for some minutes on random music in noise by ``train_diffusion_denoiser.py``, and shows the way, not the
state of the art: ``weights/diffusion_denoiser.json`` says what it reaches. Memory grows with the recording's length, by
about 20 MB a second.

Run ``python examples/diffusion_denoiser.py`` for the artifact, or
``neutone-like export examples/diffusion_denoiser.py --out DIR``.
"""

import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like import CategoricalParameter, ModelMetadata, NonRealtimeBase

SAMPLE_RATE = 22050
WINDOW_SAMPLES = 1024
HOP_SAMPLES = 512
FEATURES = 16
DILATIONS = (1, 2, 4, 1)
ADDED_NOISE = 0.3  # s, of a recording of RMS 1
QUIET_SHARE = 0.1  # of all windows are quieter than what is taken for the noise's floor
LEAST_MAGNITUDE = 1e-3
SILENCE_RMS = 1e-6
STEPS = ("1", "2", "4", "8", "16")
WEIGHTS = Path(__file__).resolve().parent / "weights" / "diffusion_denoiser.pt"


class Spectrum(nn.Module):
    """Sound to spectra and back."""

    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.window_samples: int = WINDOW_SAMPLES
        self.hop_samples: int = HOP_SAMPLES
        self.register_buffer("window", torch.hann_window(WINDOW_SAMPLES).sqrt() / math.sqrt(WINDOW_SAMPLES / 2))

    def forward(self, sound: Tensor) -> Tensor:
        """``[channels, N]`` to complex ``[channels, bins, windows]``; noise of variance 1 has bins of variance 1."""
        return torch.stft(
            sound,
            self.window_samples,
            self.hop_samples,
            window=self.window,
            center=True,
            pad_mode="constant",
            return_complex=True,
        )

    @torch.jit.export
    def sound(self, spectrum: Tensor, samples: int) -> Tensor:
        """Back to ``[channels, samples]``."""
        return torch.istft(
            spectrum, self.window_samples, self.hop_samples, window=self.window, center=True, length=samples
        )


class CleanEstimate(nn.Module):
    """What is clean at a point of the way: ``a(x, y, t) y + b(x, y, t) x``, in each bin of a spectrum."""

    def __init__(self) -> None:
        super().__init__()
        self.least_magnitude: float = LEAST_MAGNITUDE
        self.quiet_share: float = QUIET_SHARE
        layers: list[nn.Module] = []
        channels = 5
        for dilation in DILATIONS:
            layers.append(nn.Conv2d(channels, FEATURES, 3, padding=dilation, dilation=dilation))
            layers.append(nn.PReLU(FEATURES))
            channels = FEATURES
        layers.append(nn.Conv2d(channels, 2, 3, padding=1))
        self.layers = nn.Sequential(*layers)

    def forward(self, point: Tensor, noisy: Tensor, time: Tensor) -> Tensor:
        """Complex ``[B, bins, windows]`` twice, and ``[B]`` of 0..1; returns complex ``[B, bins, windows]``."""
        level = self._level(noisy)
        quiet = max(1, int(self.quiet_share * level.size(2)))
        floor = torch.kthvalue(level, quiet, dim=2, keepdim=True)[0]
        place = (torch.arange(level.size(1), device=level.device) * 2.0 / (level.size(1) - 1) - 1.0).reshape(1, -1, 1)
        planes = [self._level(point), level, floor, place, 2.0 * time.reshape(-1, 1, 1) - 1.0]
        weights = self.layers(torch.stack([plane.expand_as(level) for plane in planes], 1))
        weights = 2.0 * torch.tanh(0.5 * weights)
        return weights[:, 0] * noisy + weights[:, 1] * point

    def _level(self, spectrum: Tensor) -> Tensor:
        return torch.log(spectrum.abs() + self.least_magnitude)


class DiffusionDenoiser(NonRealtimeBase):
    """Steps from a noisy recording to a clean one."""

    metadata = ModelMetadata(
        name="Diffusion denoiser",
        authors=("Ada",),
        version="1.0.0",
        short_description="Takes hiss out of music, step by step",
        long_description="A small network called again and again. Says how far it is after each step; can be stopped.",
        tags=("denoising", "diffusion", "restoration"),
        is_experimental=True,
    )
    parameters = (
        CategoricalParameter("steps", "How many steps, which is how long it takes", STEPS, default="4"),
        CategoricalParameter("take", "Which noise it starts from", ("1", "2", "3", "4")),
    )
    sample_rates = (SAMPLE_RATE,)

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        # TorchScript sees attributes, not this file's constants.
        self.spectrum = Spectrum()
        self.added_noise: float = ADDED_NOISE
        self.silence_rms: float = SILENCE_RMS

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        """Every step takes the whole recording."""
        return True

    @torch.jit.export
    def has_progress_percentage(self) -> bool:
        """After each step."""
        return True

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        """``[[2, N]]`` to ``[[2, N]]``."""
        rms = audio_in[0].square().mean().sqrt()
        if not float(rms) > self.silence_rms:
            return audio_in
        steps = 1 << int(numerical_params["steps"])
        noisy = self.spectrum(audio_in[0] / rms)
        start = hashed_noise(audio_in[0].size(0), audio_in[0].size(1), 1 + int(numerical_params["take"]))
        point = noisy + self.added_noise * self.spectrum(start.to(noisy.device))
        for step in range(steps):
            if self.should_cancel_forward_pass():
                return []
            time = torch.full((noisy.size(0),), 1.0 - step / steps, device=noisy.device)
            clean = self.model(point, noisy, time)
            point = clean + (steps - step - 1) / (steps - step) * (point - clean)
            self.set_progress_percentage(100.0 * (step + 1) / steps)
        return [rms * self.spectrum.sound(point, audio_in[0].size(1))]


def hashed_noise(channels: int, samples: int, seed: int) -> Tensor:
    """Gaussian noise from a hash, the same everywhere: float32 ``[channels, samples]``.

    Multiply-and-shift rounds on 31 bits, and the method of G. Box and M. Muller (1958).
    """
    mask = 2147483647
    mixed = torch.arange(2 * channels * samples) * 2654435761 + seed * 2246822519
    for multiplier in [739982445, 695872825, 461845907]:
        mixed = ((mixed.bitwise_and(mask) ^ (mixed.bitwise_and(mask) >> 15)) * multiplier).bitwise_and(mask)
    uniform = (mixed.to(torch.float64) + 0.5) / 2147483648.0
    first, second = uniform.reshape(2, channels, samples).unbind(0)
    return (torch.sqrt(-2.0 * torch.log(first)) * torch.cos(6.283185307179586 * second)).to(torch.float32)


def load_training_report(weights: Path = WEIGHTS) -> dict[str, Any]:
    """How the network was trained, and what it reached."""
    return json.loads(weights.with_suffix(".json").read_text(encoding="utf-8"))


def build_model(weights: Path = WEIGHTS) -> DiffusionDenoiser:
    """What ``neutone-like export examples/diffusion_denoiser.py`` calls."""
    network = CleanEstimate()
    network.load_state_dict(torch.load(weights, weights_only=True))
    return DiffusionDenoiser(network.requires_grad_(False).eval())


if __name__ == "__main__":
    import sys

    from neutone_like import export_model

    result = export_model(build_model(), sys.argv[1] if len(sys.argv) > 1 else "build/diffusion_denoiser")
    print(f"Wrote {result.model_path}")
