"""Conv-TasNet in its causal form: learned frames, a mask from separable dilated blocks, two sources."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CumulativeNorm(nn.Module):
    """Mean and deviation of all channels and frames so far."""

    def __init__(self, channels: int, eps: float = 1e-8) -> None:
        super().__init__()
        self.eps = eps
        self.gain = nn.Parameter(torch.ones(1, channels, 1))
        self.bias = nn.Parameter(torch.zeros(1, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        count = torch.cumsum(torch.ones_like(x).sum(dim=1, keepdim=True), dim=-1)
        mean = torch.cumsum(x.sum(dim=1, keepdim=True), dim=-1) / count
        power = torch.cumsum(x.pow(2).sum(dim=1, keepdim=True), dim=-1) / count
        deviation = (power - mean.pow(2) + self.eps).sqrt()
        return (x - mean) / deviation * self.gain + self.bias


class ChannelwiseNorm(nn.LayerNorm):
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.transpose(1, 2)).transpose(1, 2)


class SeparableBlock(nn.Module):
    def __init__(self, channels: int, hidden: int, dilation: int, kernel_size: int = 3) -> None:
        super().__init__()
        self.padding = (kernel_size - 1) * dilation
        self.inner = nn.Sequential(nn.Conv1d(channels, hidden, 1), nn.PReLU(), ChannelwiseNorm(hidden))
        self.depthwise = nn.Conv1d(hidden, hidden, kernel_size, dilation=dilation, groups=hidden)
        self.outer = nn.Sequential(nn.PReLU(hidden), ChannelwiseNorm(hidden))
        self.residual, self.skip = nn.Conv1d(hidden, channels, 1), nn.Conv1d(hidden, channels, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = self.outer(self.depthwise(F.pad(self.inner(x), [self.padding, 0])))
        return x + self.residual(y), self.skip(y)


class ConvTasNet(nn.Module):
    def __init__(self, filters: int = 32, kernel_size: int = 16, channels: int = 12, sources: int = 2) -> None:
        super().__init__()
        self.sources, self.overlap = sources, kernel_size // 2
        self.encoder = nn.Conv1d(1, filters, kernel_size, stride=kernel_size // 2, bias=False)
        self.norm = CumulativeNorm(filters)
        self.bottleneck = nn.Conv1d(filters, channels, 1)
        self.blocks = nn.ModuleList(SeparableBlock(channels, 2 * channels, 2**i) for i in (0, 1, 2, 3))
        self.mask = nn.Sequential(nn.PReLU(), nn.Conv1d(channels, sources * filters, 1), nn.Sigmoid())
        self.decoder = nn.ConvTranspose1d(filters, 1, kernel_size, stride=kernel_size // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        batch = x.shape[0]
        frames = F.relu(self.encoder(F.pad(x, (self.overlap, 0))))
        y = self.bottleneck(self.norm(frames))
        skips = 0.0
        for block in self.blocks:
            y, skip = block(y)
            skips = skip + skips
        masks = self.mask(skips).view(batch, self.sources, frames.shape[1], -1)
        masked = (frames.unsqueeze(1) * masks).flatten(0, 1)
        return self.decoder(masked)[..., : -self.overlap].view(batch, self.sources, -1)


def build() -> nn.Module:
    return ConvTasNet()
