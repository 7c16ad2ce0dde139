"""Mel spectra, frame by frame as the samples come."""

import math
from fractions import Fraction

import torch
from torch import Tensor

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.streaming.layer import StreamingLayer
from neutone_like.streaming.spectrum import STFT

SCALES = ("htk", "slaney")
# Slaney's scale is linear to 1 kHz, and above it 27 steps make a factor of 6.4.
SLANEY_HZ_PER_MEL = 200.0 / 3.0
SLANEY_BREAK_HZ = 1000.0
SLANEY_LOG_STEP = math.log(6.4) / 27.0


class MelSpectrogram(StreamingLayer):
    """Energies in mel bands: ``[batch, channels, samples]`` to ``[batch, channels * mels, frames]``.

    Frames are those of :class:`STFT`, with its delay. No logarithm is taken.

    Args:
        sample_rate: In Hz.
        fft_samples: Length of a frame.
        hop_samples: From frame to frame. Blocks are multiples of it.
        mels: How many bands.
        lowest_hz: Where the first band begins.
        highest_hz: Where the last band ends; default: half the sample rate.
        scale: ``"htk"`` or ``"slaney"``.
        equal_area: Whether every triangle has an area of one (Slaney's filters) instead of a height of one.
        power: 2 for energies, 1 for magnitudes.
        window: ``[fft_samples]``; default: a periodic Hann window.

    Raises:
        ModelError: Sizes, frequencies or a scale that cannot be, or a band too narrow to hold a bin.
    """

    filters: Tensor

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(
        self,
        sample_rate: int,
        fft_samples: int,
        hop_samples: int,
        mels: int = 80,
        lowest_hz: float = 0.0,
        highest_hz: float | None = None,
        scale: str = "htk",
        equal_area: bool = False,
        power: float = 2.0,
        window: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.stft = STFT(fft_samples, hop_samples, window)
        self.power = power
        highest_hz = sample_rate / 2 if highest_hz is None else highest_hz
        filters = mel_filters(sample_rate, fft_samples, mels, lowest_hz, highest_hz, scale, equal_area)
        self.register_buffer("filters", filters.float())
        self.ratio = Fraction(1, hop_samples)
        self.delay_samples, self.receptive_field_samples = self.stft.delay_samples, fft_samples
        self.receptive_field_is_exact = self.stft.receptive_field_is_exact
        self.source = "Davis and Mermelstein, 1980; scales: O'Shaughnessy, 1987 (HTK), Slaney, Auditory Toolbox, 1998"

    def forward(self, x: Tensor) -> Tensor:
        spectra = self.stft.spectra(x)
        energies = spectra.real.square() + spectra.imag.square()
        if self.power != 2.0:
            energies = energies.pow(self.power / 2.0)
        return (energies @ self.filters.t()).transpose(2, 3).flatten(1, 2)


def mel_filters(
    sample_rate: int,
    fft_samples: int,
    mels: int,
    lowest_hz: float,
    highest_hz: float,
    scale: str = "htk",
    equal_area: bool = False,
) -> Tensor:
    """Triangles over the bins of a Fourier transform, ``[mels, bins]``, float64. Arguments as :class:`MelSpectrogram`.

    Raises:
        ModelError: Frequencies or a scale that cannot be, or a band too narrow to hold a bin.
    """
    if scale not in SCALES:
        raise ModelError(f"mel filters: scale={scale!r}; expected {' or '.join(SCALES)}")
    if mels < 1 or not 0.0 <= lowest_hz < highest_hz <= sample_rate / 2:
        raise ModelError(
            f"mel filters: {mels} bands from {lowest_hz} Hz to {highest_hz} Hz; expected at least 1 band, within 0 Hz "
            f"and {sample_rate / 2} Hz"
        )
    bins_hz = torch.arange(fft_samples // 2 + 1, dtype=torch.float64) * (sample_rate / fft_samples)
    ends = torch.tensor([lowest_hz, highest_hz], dtype=torch.float64)
    low, high = _to_mel(ends, scale).tolist()
    edges = _to_hz(torch.linspace(low, high, mels + 2, dtype=torch.float64), scale).unsqueeze(1)
    rising = (bins_hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins_hz) / (edges[2:] - edges[1:-1])
    triangles = torch.minimum(rising, falling).clamp(min=0)
    _refuse_empty(triangles, edges, sample_rate / fft_samples)
    return triangles * (2.0 / (edges[2:] - edges[:-2])) if equal_area else triangles


def _refuse_empty(triangles: Tensor, edges: Tensor, bin_hz: float) -> None:
    empty = (triangles.sum(1) == 0).nonzero().flatten().tolist()
    if empty:
        raise ModelError(
            f"mel filters: band {empty[0]} ({float(edges[empty[0]]):.1f} Hz to {float(edges[empty[0] + 2]):.1f} Hz) "
            f"holds no bin, which are {bin_hz:.1f} Hz apart. Use fewer bands or a longer transform"
        )


def _to_mel(hz: Tensor, scale: str) -> Tensor:
    if scale == "htk":
        return 2595.0 * torch.log10(1.0 + hz / 700.0)
    above = torch.log(hz.clamp(min=SLANEY_BREAK_HZ) / SLANEY_BREAK_HZ) / SLANEY_LOG_STEP
    return hz.clamp(max=SLANEY_BREAK_HZ) / SLANEY_HZ_PER_MEL + above


def _to_hz(mel: Tensor, scale: str) -> Tensor:
    if scale == "htk":
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    break_mel = SLANEY_BREAK_HZ / SLANEY_HZ_PER_MEL
    linear = mel.clamp(max=break_mel) * SLANEY_HZ_PER_MEL
    return linear * torch.exp((mel - break_mel).clamp(min=0) * SLANEY_LOG_STEP)
