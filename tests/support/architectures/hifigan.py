"""Like HiFi-GAN: a mel spectrogram to a waveform, every convolution centred, so that a stream must look ahead."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

MELS, HOP_SAMPLES = 20, 64
SLOPE = 0.1


class ResidualBlock(nn.Module):
    def __init__(self, channels: int, kernel_size: int, dilations: tuple[int, ...] = (1, 3)) -> None:
        super().__init__()
        half = kernel_size // 2
        self.dilated = nn.ModuleList(
            weight_norm(nn.Conv1d(channels, channels, kernel_size, 1, dilation=d, padding=half * d)) for d in dilations
        )
        self.plain = nn.ModuleList(
            weight_norm(nn.Conv1d(channels, channels, kernel_size, 1, padding=half)) for _ in dilations
        )

    def forward(self, x: Tensor) -> Tensor:
        for dilated, plain in zip(self.dilated, self.plain, strict=True):
            y = plain(F.leaky_relu(dilated(F.leaky_relu(x, SLOPE)), SLOPE))
            x = y + x
        return x


class HiFiGAN(nn.Module):
    def __init__(
        self, channels: int = 24, rates: tuple[int, ...] = (8, 4, 2), kernels: tuple[int, ...] = (3, 5)
    ) -> None:
        super().__init__()
        self.kernels = len(kernels)
        self.conv_pre = weight_norm(nn.Conv1d(MELS, channels, 7, 1, padding=3))
        self.ups, self.resblocks = nn.ModuleList(), nn.ModuleList()
        for rate in rates:
            up = nn.ConvTranspose1d(channels, channels // 2, 2 * rate, rate, padding=rate // 2)
            self.ups.append(weight_norm(up))
            channels //= 2
            self.resblocks.extend(ResidualBlock(channels, kernel) for kernel in kernels)
        self.conv_post = weight_norm(nn.Conv1d(channels, 1, 7, 1, padding=3))

    def forward(self, mel: Tensor) -> Tensor:
        x = self.conv_pre(mel)
        for i, up in enumerate(self.ups):
            x = up(F.leaky_relu(x, SLOPE))
            xs: Any = None
            for j in range(self.kernels):
                y = self.resblocks[i * self.kernels + j](x)
                xs = y if xs is None else xs + y
            x = xs / self.kernels
        return torch.tanh(self.conv_post(F.leaky_relu(x)))


def build() -> nn.Module:
    return HiFiGAN()
