"""Networks of whole signals that the streaming tables play: ordinary torch code, with random weights."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class DilatedNetwork(nn.Module):
    """A causal stack of dilated convolutions with shortcuts, as amp models are."""

    def __init__(self, channels: int = 16, layers: int = 10) -> None:
        super().__init__()
        self.first = nn.Conv1d(1, channels, 1)
        self.dilations = [2**k for k in range(layers)]
        self.layers = nn.ModuleList(nn.Conv1d(channels, channels, 3, dilation=each) for each in self.dilations)
        self.last = nn.Conv1d(channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for layer, dilation in zip(self.layers, self.dilations, strict=True):
            x = x + torch.tanh(layer(functional.pad(x, (2 * dilation, 0))))
        return self.last(x)


class UNet(nn.Module):
    """Four strided levels with shortcuts across, and an LSTM at the bottom, as in causal Demucs."""

    def __init__(self, channels: int = 16, levels: int = 4) -> None:
        super().__init__()
        widths = [1, *(channels * 2**k for k in range(levels))]
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList(nn.Conv1d(a, b, 8, 4) for a, b in pairs)
        self.up = nn.ModuleList(nn.ConvTranspose1d(b, a, 8, 4) for a, b in reversed(pairs))
        self.bottom = nn.LSTM(widths[-1], widths[-1], batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        kept: list[Tensor] = []
        for layer in self.down:
            x = functional.relu(layer(functional.pad(x, (4, 0))))
            kept.append(x)
        x = self.bottom(x.transpose(1, 2))[0].transpose(1, 2)
        for layer in self.up:
            x = layer(x + kept.pop())[..., :-4]
            x = functional.relu(x) if kept else x
        return x


class Codec(nn.Module):
    """A strided encoder, the nearest of a codebook's vectors, and a decoder, LSTMs in both, as in EnCodec."""

    def __init__(self, channels: int = 16, strides: tuple[int, ...] = (2, 4, 5, 8), codes: int = 128) -> None:
        super().__init__()
        widths = [channels * 2**k for k in range(len(strides) + 1)]
        self.first, self.last = nn.Conv1d(1, channels, 7), nn.Conv1d(channels, 1, 7)
        steps = list(zip(widths, widths[1:], strides, strict=False))
        self.down = nn.ModuleList(nn.Conv1d(a, b, 2 * stride, stride) for a, b, stride in steps)
        self.up = nn.ModuleList(nn.ConvTranspose1d(b, a, 2 * stride, stride) for a, b, stride in reversed(steps))
        self.before, self.after = (nn.LSTM(widths[-1], widths[-1], batch_first=True) for _ in range(2))
        self.codebook = nn.Parameter(torch.randn(codes, widths[-1]))
        self.strides = strides

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(functional.pad(x, (6, 0)))
        for layer, stride in zip(self.down, self.strides, strict=True):
            x = layer(functional.elu(functional.pad(x, (stride, 0))))
        frames = self.before(x.transpose(1, 2))[0]
        nearest = torch.cdist(frames, self.codebook).argmin(-1)
        x = self.after(functional.embedding(nearest, self.codebook))[0].transpose(1, 2)
        for layer, stride in zip(self.up, reversed(self.strides), strict=True):
            x = layer(functional.elu(x))[..., :-stride]
        return self.last(functional.pad(x, (6, 0)))
