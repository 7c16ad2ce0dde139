"""A gated WaveNet, causal: padded on both sides and the end cut off, or padded on the left."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class GatedBlock(nn.Module):
    def __init__(self, channels: int, kernel_size: int, dilation: int) -> None:
        super().__init__()
        self.padding = (kernel_size - 1) * dilation
        self.dilated = nn.Conv1d(channels, 2 * channels, kernel_size, padding=self.padding, dilation=dilation)
        self.residual = nn.Conv1d(channels, channels, 1)
        self.skip = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        filtered, gate = self.dilated(x)[..., : -self.padding].chunk(2, dim=1)
        gated = torch.tanh(filtered) * torch.sigmoid(gate)
        return x + self.residual(gated), self.skip(gated)


class WaveNet(nn.Module):
    def __init__(self, channels: int = 12, kernel_size: int = 3, dilations: tuple[int, ...] = (1, 4, 16)) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.start = nn.Conv1d(1, channels, kernel_size)
        self.blocks = nn.ModuleList(GatedBlock(channels, kernel_size, d) for d in dilations * 2)
        self.head = nn.Sequential(nn.ReLU(), nn.Conv1d(channels, channels, 1), nn.ReLU(), nn.Conv1d(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.start(F.pad(x, (self.kernel_size - 1, 0)))
        skips = torch.zeros_like(x)
        for block in self.blocks:
            x, skip = block(x)
            skips = skips + skip
        return self.head(skips)


def build() -> nn.Module:
    return WaveNet()
