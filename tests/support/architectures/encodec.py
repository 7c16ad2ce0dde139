"""Like EnCodec: a causal strided encoder, a residual vector quantiser by nearest code word, a causal decoder.

Weights are normalised the old way, as published checkpoints have them; padding is of zeros.
"""

import math
import warnings

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import weight_norm


class CausalConv1d(nn.Module):
    def __init__(self, given: int, made: int, kernel_size: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.padding = (kernel_size - 1) * dilation - (stride - 1)
        self.conv = weight_norm(nn.Conv1d(given, made, kernel_size, stride, dilation=dilation))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (self.padding, 0), mode="constant", value=0.0))


class CausalConvTranspose1d(nn.Module):
    def __init__(self, given: int, made: int, kernel_size: int, stride: int) -> None:
        super().__init__()
        self.trimmed = kernel_size - stride
        self.convtr = weight_norm(nn.ConvTranspose1d(given, made, kernel_size, stride))

    def forward(self, x: Tensor) -> Tensor:
        y = self.convtr(x)
        return y[..., : y.shape[-1] - self.trimmed]


class ResnetBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // 2
        self.block = nn.Sequential(
            nn.ELU(), CausalConv1d(channels, hidden, 3, dilation=2), nn.ELU(), CausalConv1d(hidden, channels, 1)
        )
        self.shortcut = CausalConv1d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.block(x)


class SkippedLSTM(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, channels, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(2, 0, 1)
        y, _ = self.lstm(x)
        return (y + x).permute(1, 2, 0)


class EuclideanCodebook(nn.Module):
    embed: Tensor

    def __init__(self, size: int, channels: int) -> None:
        super().__init__()
        self.register_buffer("embed", torch.randn(size, channels) / math.sqrt(channels))

    def forward(self, x: Tensor) -> Tensor:
        flat, words = x.reshape(-1, x.shape[-1]), self.embed.t()
        distance = flat.pow(2).sum(1, keepdim=True) - 2 * flat @ words + words.pow(2).sum(0, keepdim=True)
        codes = (-distance).max(dim=-1).indices.view(*x.shape[:-1])
        return F.embedding(codes, self.embed)


class ResidualVectorQuantizer(nn.Module):
    def __init__(self, channels: int, books: int, size: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EuclideanCodebook(size, channels) for _ in range(books))

    def forward(self, x: Tensor) -> Tensor:
        residual = x.transpose(1, 2)
        quantized = torch.zeros_like(residual)
        for layer in self.layers:
            word = layer(residual)
            residual = residual - word
            quantized = quantized + word
        return quantized.transpose(1, 2)


class EnCodec(nn.Module):
    def __init__(self, channels: int = 8, latents: int = 16, strides: tuple[int, ...] = (2, 4)) -> None:
        super().__init__()
        wide = channels
        encoder: list[nn.Module] = [CausalConv1d(1, wide, 7)]
        for stride in strides:
            encoder += [ResnetBlock(wide), nn.ELU(), CausalConv1d(wide, 2 * wide, 2 * stride, stride)]
            wide *= 2
        self.encoder = nn.Sequential(*encoder, SkippedLSTM(wide), nn.ELU(), CausalConv1d(wide, latents, 7))
        self.quantizer = ResidualVectorQuantizer(latents, books=3, size=32)
        decoder: list[nn.Module] = [CausalConv1d(latents, wide, 7), SkippedLSTM(wide)]
        for stride in reversed(strides):
            up = CausalConvTranspose1d(wide, wide // 2, 2 * stride, stride)
            decoder += [nn.ELU(), up, ResnetBlock(wide // 2)]
            wide //= 2
        self.decoder = nn.Sequential(*decoder, nn.ELU(), CausalConv1d(wide, 1, 7))

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.quantizer(self.encoder(x)))


def build() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch wants the new weight norm
        return EnCodec()
