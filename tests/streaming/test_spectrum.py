"""Spectra and mel bands of a stream against torch.stft and plain numpy."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from neutone_like.errors import ModelError
from neutone_like.streaming import STFT, InverseSTFT, MelSpectrogram
from support.random_blocks import TOLERANCE, assert_streams, error_of_peak, play

SIZES = [(32, 8), (30, 8), (33, 5), (16, 16)]


def of_torch(x: Tensor, fft_samples: int, hop_samples: int, window: Tensor) -> Tensor:
    """``[channels, frames]`` as the layer lays them out, for one row of channels ``[channels, samples]``."""
    spectra = torch.stft(x, fft_samples, hop_samples, window=window, center=False, return_complex=True)
    return torch.cat([spectra.real, spectra.imag], 1).flatten(0, 1)


@pytest.mark.parametrize(("fft_samples", "hop_samples"), SIZES)
def test_frames_are_those_of_torch_later_by_the_declared_delay(fft_samples: int, hop_samples: int) -> None:
    window = torch.rand(fft_samples) + 0.5
    layer = STFT(fft_samples, hop_samples, window)
    x = torch.randn(1, 2, 20 * hop_samples)
    expected = of_torch(x[0], fft_samples, hop_samples, window)
    streamed = play(layer, x, [hop_samples] * 20)[0]
    compared = 20 - layer.delay_samples
    assert error_of_peak(streamed[:, layer.delay_samples :], expected[:, :compared]) <= TOLERANCE


def test_spectra_stream_in_any_blocks() -> None:
    assert_streams(STFT(30, 8), torch.randn(2, 2, 8 * 20), multiple=8)
    assert_streams(InverseSTFT(30, 8), torch.randn(2, 2 * 2 * 16, 40))


@pytest.mark.parametrize(("fft_samples", "hop_samples"), SIZES[:3])
def test_a_signal_returns_after_exactly_the_declared_delay(fft_samples: int, hop_samples: int) -> None:
    forth, back = STFT(fft_samples, hop_samples), InverseSTFT(fft_samples, hop_samples)
    x = torch.randn(2, 3, 30 * hop_samples)
    y = play(torch.nn.Sequential(forth, back), x, [hop_samples, 28 * hop_samples, hop_samples])
    delay = back.pair_delay_samples
    assert delay == forth.delay_samples * hop_samples + back.delay_samples
    assert error_of_peak(y[..., delay:], x[..., : x.size(2) - delay]) <= TOLERANCE
    assert float(y[..., :delay].abs().max()) <= TOLERANCE


def test_the_inverse_of_frames_is_that_of_torch() -> None:
    spectra = torch.randn(1, 17, 12, dtype=torch.complex64)
    spectra.imag[:, [0, -1]] = 0
    rows = torch.cat([spectra.real, spectra.imag], 1)
    inside = slice(24, 80)
    expected = torch.istft(spectra, 32, 8, window=torch.hann_window(32) + 0.1, center=False)
    layer = InverseSTFT(32, 8, torch.hann_window(32) + 0.1)
    assert error_of_peak(play(layer, rows, [5, 7])[0, :, inside], expected[:, inside]) <= TOLERANCE


def mel_by_hand(x: NDArray[np.float64], rate: int, size: int, hop: int, mels: int, scale: str) -> NDArray[np.float64]:
    """Energies by a Fourier matrix and triangles drawn bin by bin, from the formulas of the two scales."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    bins = np.arange(size // 2 + 1)
    fourier = np.exp(-2j * np.pi * np.outer(bins, np.arange(size)) / size)

    def to_mel(hz: float) -> float:
        if scale == "htk":
            return 1127.01048 * math.log(1 + hz / 700)
        return hz * 3 / 200 if hz < 1000 else 15 + 27 * math.log(hz / 1000, 6.4)

    def to_hz(mel: float) -> float:
        if scale == "htk":
            return 700 * (math.exp(mel / 1127.01048) - 1)
        return mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)

    low, high = to_mel(100.0), to_mel(7000.0)
    edges = [to_hz(low + (high - low) * step / (mels + 1)) for step in range(mels + 2)]
    filters = np.zeros((mels, bins.size))
    for band in range(mels):
        left, middle, right = edges[band : band + 3]
        for number in bins:
            hz = number * rate / size
            height = (hz - left) / (middle - left) if hz <= middle else (right - hz) / (right - middle)
            filters[band, number] = max(height, 0.0) * (2 / (right - left) if scale == "slaney" else 1.0)
    starts = range(0, x.size - size + 1, hop)
    energies = np.array([np.abs(fourier @ (window * x[start : start + size])) ** 2 for start in starts])
    return filters @ energies.T


@pytest.mark.parametrize("scale", ["htk", "slaney"])
def test_mel_bands_are_those_made_by_hand(scale: str) -> None:
    layer = MelSpectrogram(16000, 256, 64, 12, 100.0, 7000.0, scale, equal_area=scale == "slaney")
    x = torch.randn(1, 1, 64 * 20)
    expected = torch.from_numpy(mel_by_hand(x[0, 0].double().numpy(), 16000, 256, 64, 12, scale))
    streamed = play(layer, x, [64 * 3, 64 * 17])[0]
    assert layer.delay_samples == 3
    assert error_of_peak(streamed[:, layer.delay_samples :], expected) <= TOLERANCE


def test_mel_bands_stream_in_any_blocks() -> None:
    assert_streams(MelSpectrogram(16000, 32, 8, 4, power=1.0), torch.randn(2, 2, 8 * 20), multiple=8)


def test_refusals() -> None:
    with pytest.raises(ModelError, match="STFT: a block of 12 samples; expected a multiple of 8: 8, 16, 24"):
        STFT(32, 8)(torch.zeros(1, 1, 12))
    with pytest.raises(ModelError, match="hop_samples=40"):
        STFT(32, 40)
    with pytest.raises(ModelError, match=r"a window of shape \[16\]; expected \[32\]"):
        STFT(32, 8, torch.ones(16))
    with pytest.raises(ModelError, match=r"windows 32 samples apart .* constant \(COLA\)"):
        InverseSTFT(32, 32)
    with pytest.raises(ModelError, match="scale='bark'; expected htk or slaney"):
        MelSpectrogram(16000, 256, 64, scale="bark")
    with pytest.raises(ModelError, match="holds no bin"):
        MelSpectrogram(16000, 64, 16, 80)
    with pytest.raises(ModelError, match="9000.0 Hz; expected at least 1 band, within 0 Hz and 8000.0 Hz"):
        MelSpectrogram(16000, 64, 16, 4, highest_hz=9000.0)
