"""A block of linear attention that fades and a diagonal state space, each in its parallel form, over whole signals."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Retention(nn.Module):
    """Linear attention whose past fades, written as a matrix over all pairs of frames."""

    half_lives: Tensor

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)
        self.register_buffer("half_lives", 16.0 * 2.0 ** torch.arange(heads))

    def forward(self, x: Tensor) -> Tensor:
        batch, frames, channels = x.shape
        q, k, v = self.qkv(x).view(batch, frames, 3, self.heads, channels // self.heads).permute(2, 0, 3, 1, 4)
        q, k = F.elu(q) + 1, F.elu(k) + 1
        position = torch.arange(frames, device=x.device)
        distance = position[:, None] - position[None, :]
        decay = 0.5 ** (distance / self.half_lives[:, None, None]) * (distance >= 0)
        weights = q @ k.transpose(-1, -2) * decay
        y = weights @ v / weights.sum(dim=-1, keepdim=True)
        return self.proj(y.transpose(1, 2).reshape(batch, frames, channels))


class S4D(nn.Module):
    """The kernel of a diagonal state space, convolved by FFT over the whole length."""

    def __init__(self, channels: int, states: int) -> None:
        super().__init__()
        self.log_step = nn.Parameter(torch.rand(channels) * math.log(100) + math.log(0.001))
        self.log_damping = nn.Parameter(torch.full((channels, states), math.log(0.5)))
        self.frequency = nn.Parameter(math.pi * torch.arange(states).repeat(channels, 1).float())
        self.output = nn.Parameter(torch.randn(channels, states, 2) * math.sqrt(0.5))
        self.skip = nn.Parameter(torch.randn(channels))

    def kernel(self, samples: int) -> Tensor:
        pole = torch.complex(-self.log_damping.exp(), self.frequency)
        step = self.log_step.exp()[:, None]
        weight = torch.view_as_complex(self.output) * (torch.exp(step * pole) - 1.0) / pole
        powers = torch.exp((step * pole)[..., None] * torch.arange(samples, device=step.device))
        return 2 * torch.einsum("cs,csn->cn", weight, powers).real

    def forward(self, x: Tensor) -> Tensor:
        samples = x.shape[-1]
        spectrum = torch.fft.rfft(x, 2 * samples) * torch.fft.rfft(self.kernel(samples), 2 * samples)
        return torch.fft.irfft(spectrum, 2 * samples)[..., :samples] + x * self.skip[:, None]


class LinearStateSpace(nn.Module):
    def __init__(self, channels: int = 16, heads: int = 4, states: int = 8) -> None:
        super().__init__()
        self.embed = nn.Conv1d(1, channels, 1)
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.attention = Retention(channels, heads)
        self.state_space = S4D(channels, states)
        self.gate = nn.Conv1d(channels, 2 * channels, 1)
        self.head = nn.Conv1d(channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.embed(x)
        y = y + self.attention(self.norm1(y.transpose(1, 2))).transpose(1, 2)
        z = F.gelu(self.state_space(self.norm2(y.transpose(1, 2)).transpose(1, 2)))
        return self.head(y + F.glu(self.gate(z), dim=1))


def build() -> nn.Module:
    return LinearStateSpace()
