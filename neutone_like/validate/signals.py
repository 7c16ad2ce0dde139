"""The sounds that checks play: reproducible, with their own random generator, float32 ``[channels, samples]``."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from neutone_like.validate.measure import FloatArray


def noise(channels: int, samples: int, *, amplitude: float = 0.5, seed: int = 0) -> Tensor:
    """White noise, different in every channel."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(channels, samples, generator=generator) * 2.0 - 1.0) * amplitude


def changing(channels: int, samples: int, *, seed: int = 0) -> Tensor:
    """Noise whose level keeps changing over a rising tone: no two blocks are alike, so that a wrong state shows."""
    time = torch.arange(samples, dtype=torch.float64)
    level = 0.55 + 0.45 * torch.sin(time * (2.0 * math.pi / 977.0))
    rising = torch.sin(0.02 * time + 2e-6 * time * time)
    return (0.4 * noise(channels, samples, amplitude=1.0, seed=seed) * level + 0.3 * rising).to(torch.float32)


def tone_frequencies(lowest: float, highest: float, count: int) -> FloatArray:
    """Frequencies (Hz) spread over a band, off any grid, so that no delay but the right one fits all of them."""
    edges = np.geomspace(lowest, highest, count + 1)
    position = 0.5 + 0.4 * np.sin(2.4 * np.arange(count))
    return edges[:-1] + position * np.diff(edges)


def tones(
    sample_rate: float, seconds: float, frequencies: FloatArray, *, rms: float = 0.1, delay_seconds: float = 0.0
) -> Tensor:
    """One channel of sines, the same sound at any rate, from a 10 ms fade-in on; where it is late, after silence."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate - delay_seconds
    phases = np.pi * np.arange(frequencies.size) ** 2 / frequencies.size  # spreads the peaks (Schroeder, 1970)
    sound = np.zeros(time.size)
    for frequency, phase in zip(frequencies, phases, strict=True):
        sound += np.sin(2.0 * np.pi * frequency * time + phase)
    sound *= np.sin(0.5 * np.pi * np.clip(time / 0.01, 0.0, 1.0)) ** 2
    # Not by the largest sample, which is another one at each rate: what decides by level would decide otherwise.
    sound *= rms * np.sqrt(2.0 / frequencies.size)
    return torch.from_numpy(sound.astype(np.float32)).unsqueeze(0)


def bursts(sample_rate: float, onsets_seconds: Sequence[float], burst_seconds: float, seconds: float) -> Tensor:
    """One channel of noise that is there for ``burst_seconds`` from each onset on, and silence between."""
    sound = noise(1, round(seconds * sample_rate), amplitude=0.5, seed=3)
    gate = torch.zeros_like(sound)
    for onset in onsets_seconds:
        gate[:, round(onset * sample_rate) : round((onset + burst_seconds) * sample_rate)] = 1.0
    return sound * gate


def flat_period(samples: int, *, amplitude: float = 0.1, seed: int = 0) -> Tensor:
    """One period of a signal with all frequencies equally strong: repeated, it shows an impulse response exactly.

    ``samples`` must be even. RMS is ``amplitude``.
    """
    phases = np.random.default_rng(seed).uniform(0.0, 2.0 * np.pi, samples // 2 + 1)
    spectrum = np.exp(1j * phases)
    spectrum[0] = 0.0
    spectrum[-1] = 1.0
    period = np.fft.irfft(spectrum, samples)
    period *= amplitude / np.sqrt(np.mean(period * period))
    return torch.from_numpy(period.astype(np.float32)).unsqueeze(0)
