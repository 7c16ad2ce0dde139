"""Like RAVE: bands of a PQMF, a strided encoder, a transposed decoder with a branch of shaped noise, all centred.

The noise is the second input channel: a network that draws its own can't be compared with itself.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm


class PQMF(nn.Module):
    analysis: Tensor
    synthesis: Tensor

    def __init__(self, bands: int, taps_per_band: int = 8) -> None:
        super().__init__()
        taps = bands * taps_per_band + 1
        time = torch.arange(taps) - (taps - 1) / 2
        cutoff = 1.2 / (2 * bands)
        prototype = cutoff * torch.sinc(cutoff * time) * torch.kaiser_window(taps, periodic=False, beta=9.0)
        band = torch.arange(bands).unsqueeze(1)
        phase = (-1.0) ** band * math.pi / 4
        angle = (2 * band + 1) * math.pi / (2 * bands) * time
        self.bands, self.padding = bands, taps // 2
        self.register_buffer("analysis", (2 * prototype * torch.cos(angle + phase)).unsqueeze(1))
        self.register_buffer("synthesis", (2 * bands * prototype * torch.cos(angle - phase)).unsqueeze(1))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv1d(x, self.analysis, stride=self.bands, padding=self.padding)

    def inverse(self, x: Tensor) -> Tensor:
        padded = self.padding, self.bands - 1
        return F.conv_transpose1d(x, self.synthesis, stride=self.bands, padding=padded[0], output_padding=padded[1])


class ResidualUnit(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.LeakyReLU(0.2),
            weight_norm(nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation)),
            nn.LeakyReLU(0.2),
            weight_norm(nn.Conv1d(channels, channels, 1)),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.net(x)


class RAVE(nn.Module):
    def __init__(self, bands: int = 4, channels: int = 16, latents: int = 6, strides: tuple[int, ...] = (4, 2)) -> None:
        super().__init__()
        self.pqmf = PQMF(bands)
        encoder: list[nn.Module] = [nn.Conv1d(bands, channels, 7, padding=3)]
        for stride in strides:
            down = nn.Conv1d(channels, channels, 2 * stride + 1, stride=stride, padding=stride)
            encoder += [nn.BatchNorm1d(channels), nn.LeakyReLU(0.2), down]
        self.encoder = nn.Sequential(*encoder, nn.LeakyReLU(0.2), nn.Conv1d(channels, latents, 5, padding=2))
        decoder: list[nn.Module] = [weight_norm(nn.Conv1d(latents, channels, 7, padding=3))]
        for stride in reversed(strides):
            up = nn.ConvTranspose1d(channels, channels, 2 * stride, stride=stride, padding=stride // 2)
            decoder += [nn.LeakyReLU(0.2), weight_norm(up), ResidualUnit(channels, 1), ResidualUnit(channels, 3)]
        self.decoder = nn.Sequential(*decoder)
        self.waveform = weight_norm(nn.Conv1d(channels, bands, 7, padding=3))
        self.loudness = weight_norm(nn.Conv1d(channels, 1, 3, padding=1))
        self.noise = weight_norm(nn.Conv1d(channels, bands, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        bands, noise = self.pqmf(x[:, :1]), self.pqmf(x[:, 1:])
        decoded = self.decoder(self.encoder(bands))
        voiced = torch.tanh(self.waveform(decoded)) * torch.sigmoid(self.loudness(decoded))
        return self.pqmf.inverse(voiced + torch.sigmoid(self.noise(decoded) - 3.0) * noise)


def build() -> nn.Module:
    return RAVE()
