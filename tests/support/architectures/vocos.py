"""Like Vocos: ConvNeXt blocks on mel frames, and a head whose spectra an inverse STFT joins, without its edges."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MELS, FFT_SAMPLES, HOP_SAMPLES = 20, 128, 32


class ConvNeXtBlock(nn.Module):
    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv1d(channels, channels, kernel_size=7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.pwconv1 = nn.Linear(channels, inner)
        self.act = nn.GELU()
        self.pwconv2 = nn.Linear(inner, channels)
        self.gamma = nn.Parameter(0.5 * torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        y = self.dwconv(x).transpose(1, 2)
        y = self.gamma * self.pwconv2(self.act(self.pwconv1(self.norm(y))))
        return x + y.transpose(1, 2)


class ISTFTHead(nn.Module):
    window: Tensor

    def __init__(self, channels: int, fft_samples: int, hop_samples: int) -> None:
        super().__init__()
        self.fft_samples, self.hop_samples = fft_samples, hop_samples
        self.out = nn.Linear(channels, fft_samples + 2)
        self.register_buffer("window", torch.hann_window(fft_samples))

    def forward(self, x: Tensor) -> Tensor:
        magnitude, phase = self.out(x).transpose(1, 2).chunk(2, dim=1)
        magnitude = torch.clip(torch.exp(magnitude), max=1e2)
        spectrum = magnitude * (torch.cos(phase) + 1j * torch.sin(phase))
        frames = torch.fft.irfft(spectrum, self.fft_samples, dim=1) * self.window[None, :, None]
        envelope = self.window.square().expand(1, frames.shape[-1], -1).transpose(1, 2)
        return self.overlap_added(frames) / self.overlap_added(envelope)

    def overlap_added(self, frames: Tensor) -> Tensor:
        size, edge = (frames.shape[-1] - 1) * self.hop_samples + self.fft_samples, self.fft_samples - self.hop_samples
        whole = F.fold(frames, (1, size), kernel_size=(1, self.fft_samples), stride=(1, self.hop_samples))
        return whole[:, :, 0, edge // 2 : -edge // 2]


class Vocos(nn.Module):
    def __init__(self, channels: int = 24, blocks: int = 3) -> None:
        super().__init__()
        self.embed = nn.Conv1d(MELS, channels, kernel_size=7, padding=3)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.convnext = nn.ModuleList(ConvNeXtBlock(channels, 3 * channels) for _ in range(blocks))
        self.final_layer_norm = nn.LayerNorm(channels, eps=1e-6)
        self.head = ISTFTHead(channels, FFT_SAMPLES, HOP_SAMPLES)

    def forward(self, mel: Tensor) -> Tensor:
        x = self.embed(mel)
        x = self.norm(x.transpose(1, 2)).transpose(1, 2)
        for block in self.convnext:
            x = block(x)
        return self.head(self.final_layer_norm(x.transpose(1, 2)))


def build() -> nn.Module:
    return Vocos()
