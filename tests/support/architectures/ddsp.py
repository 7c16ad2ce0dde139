"""Like DDSP: a GRU at the rate of frames drives harmonics of a given pitch and a filter for noise.

Inputs are at the rate of samples: pitch in Hz, loudness, and the noise itself.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SAMPLE_RATE, HOP_SAMPLES, HARMONICS, NOISE_BANDS = 16000, 32, 8, 9


class Controls(nn.Module):
    """Frames of pitch and loudness to amplitudes of harmonics and magnitudes of the noise's bands."""

    def __init__(self, hidden: int = 24) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(2, hidden), nn.LayerNorm(hidden), nn.LeakyReLU())
        self.gru = nn.GRU(hidden, hidden, batch_first=True)
        self.harmonics = nn.Linear(hidden, HARMONICS + 1)
        self.noise = nn.Linear(hidden, NOISE_BANDS)

    def forward(self, pitch: Tensor, loudness: Tensor) -> tuple[Tensor, Tensor]:
        features = torch.cat([torch.log2(pitch.clamp(min=20.0) / 440.0), loudness], dim=1).transpose(1, 2)
        hidden, _ = self.gru(self.mlp(features))
        level, mix = self.harmonics(hidden).split([1, HARMONICS], dim=-1)
        amplitudes = torch.sigmoid(level) * torch.softmax(mix, dim=-1)
        return amplitudes.transpose(1, 2), torch.sigmoid(self.noise(hidden) - 2.0)


def upsampled(frames: Tensor) -> Tensor:
    """Overlapping Hann windows, one for each frame, as long as two hops."""
    channels, samples = frames.shape[1], frames.shape[-1] * HOP_SAMPLES
    window = torch.hann_window(2 * HOP_SAMPLES).expand(channels, 1, -1)
    return F.conv_transpose1d(frames, window, stride=HOP_SAMPLES, groups=channels)[..., :samples]


def harmonic(pitch: Tensor, amplitudes: Tensor) -> Tensor:
    order = torch.arange(1, HARMONICS + 1)[:, None]
    turns = torch.cumsum(pitch.double() / SAMPLE_RATE, dim=-1) % 1.0
    audible = (pitch * order < SAMPLE_RATE / 2).float()
    sines = torch.sin(2 * math.pi * (turns * order)).float()
    return (sines * audible * amplitudes).sum(dim=1, keepdim=True)


def filtered(noise: Tensor, magnitudes: Tensor) -> Tensor:
    """Every frame of noise through a filter of its own; what rings on is added to the next."""
    batch, frames, _ = magnitudes.shape
    taps = 2 * (NOISE_BANDS - 1)
    response = torch.fft.irfft(torch.complex(magnitudes, torch.zeros_like(magnitudes))).roll(taps // 2, dims=-1)
    response = response * torch.hann_window(taps)
    length = HOP_SAMPLES + taps
    cut = noise.view(batch, frames, HOP_SAMPLES)
    rung = torch.fft.irfft(torch.fft.rfft(cut, length) * torch.fft.rfft(response, length), length)
    samples = (frames - 1) * HOP_SAMPLES + length
    added = F.fold(rung.transpose(1, 2), (1, samples), kernel_size=(1, length), stride=(1, HOP_SAMPLES))
    return added[:, 0, :, : frames * HOP_SAMPLES]


class DDSP(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.controls = Controls()

    def forward(self, x: Tensor) -> Tensor:
        pitch, _, noise = x.chunk(3, dim=1)
        frames = F.avg_pool1d(x[:, :2], HOP_SAMPLES)
        amplitudes, magnitudes = self.controls(frames[:, :1], frames[:, 1:])
        return harmonic(pitch, upsampled(amplitudes)) + filtered(noise, magnitudes) * upsampled(frames[:, 1:])


def build() -> nn.Module:
    return DDSP()
