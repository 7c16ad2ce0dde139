"""A denoiser that multiplies spectra by a mask from a GRU: frames that end with the newest sample, overlapped again."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FFT_SAMPLES, HOP_SAMPLES = 64, 16


class MaskDenoiser(nn.Module):
    window: Tensor

    def __init__(self, hidden: int = 24) -> None:
        super().__init__()
        bins = FFT_SAMPLES // 2 + 1
        self.register_buffer("window", torch.hann_window(FFT_SAMPLES))
        self.gru = nn.GRU(bins, hidden, batch_first=True)
        self.mask = nn.Sequential(nn.Linear(hidden, bins), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        overlap, samples = FFT_SAMPLES - HOP_SAMPLES, x.shape[-1]
        padded = F.pad(x, (overlap, 0)).squeeze(1)
        spectra = torch.stft(padded, FFT_SAMPLES, HOP_SAMPLES, window=self.window, center=False, return_complex=True)
        hidden, _ = self.gru(torch.log1p(spectra.abs()).transpose(1, 2))
        masked = spectra * self.mask(hidden).transpose(1, 2)
        frames = torch.fft.irfft(masked, FFT_SAMPLES, dim=1) * self.window[:, None]
        whole = F.fold(frames, (1, samples + overlap), (1, FFT_SAMPLES), stride=(1, HOP_SAMPLES))
        cover = self.window.square().sum() / HOP_SAMPLES
        return whole[:, 0, :, overlap:] / cover


def build() -> nn.Module:
    return MaskDenoiser()
