"""Distances against distortions of known size, and against scipy, pyloudnorm and torch."""

import numpy as np
import numpy.typing as npt
import pyloudnorm
import pytest
import scipy.linalg
import scipy.signal
import torch

from neutone_like.errors import ParameterError
from neutone_like.optimise import frechet_distance
from neutone_like.optimise.measures.loudness import k_weighted, loudness_lufs
from neutone_like.optimise.measures.mel import log_mel_distance_db, mel_filters
from neutone_like.optimise.measures.spectrum import RESOLUTIONS, spectral_distance
from neutone_like.optimise.measures.waveform import error_to_signal_ratio, lag_samples, si_sdr_db

Signal = npt.NDArray[np.float64]
RATE = 48000


def noise(channels: int = 2, samples: int = 12000, seed: int = 0) -> Signal:
    return 0.1 * np.random.default_rng(seed).standard_normal((channels, samples))


def with_noise(x: Signal, level_db: float) -> Signal:
    """Noise at a level below the signal that has nothing in common with it."""
    other = noise(*x.shape, seed=1)
    other -= np.sum(other * x) / np.sum(x * x) * x
    return x + other * np.sqrt(np.sum(x * x) / np.sum(other * other)) * 10.0 ** (level_db / 20.0)


@pytest.mark.parametrize("level_db", [-10.0, -40.0, -70.0])
def test_noise_of_known_level(level_db: float) -> None:
    x = noise()
    y = with_noise(x, level_db)
    assert error_to_signal_ratio(x, y) == pytest.approx(10.0 ** (level_db / 10.0), rel=1e-9)
    assert si_sdr_db(x, y) == pytest.approx(-level_db, abs=1e-7)


def test_gain_and_sign_and_level() -> None:
    x = noise()
    y = with_noise(x, -20.0)
    assert si_sdr_db(x, 10.0 ** (3.0 / 20.0) * x) == 120.0
    assert error_to_signal_ratio(x, 2.0 * x) == pytest.approx(1.0)
    assert error_to_signal_ratio(x, -x) == pytest.approx(4.0)
    assert si_sdr_db(1e-4 * x, 1e-4 * y) == pytest.approx(20.0, abs=1e-7)  # what torchmetrics moves by 7 dB
    assert si_sdr_db(x, np.zeros_like(x)) == -120.0
    assert error_to_signal_ratio(x, np.zeros_like(x)) == 1.0
    assert error_to_signal_ratio(x, x) == 0.0
    assert si_sdr_db(x, x) == 120.0


def test_channels_that_are_swapped_are_heard() -> None:
    x = noise()
    assert error_to_signal_ratio(x, x[::-1]) == pytest.approx(2.0, abs=0.1)
    assert spectral_distance(x, x[::-1]) > 0.5


def test_lag_is_found_by_brute_force_too() -> None:
    random = np.random.default_rng(2)
    for lag in (0, 1, -1, 37, -512):
        x = random.standard_normal((2, 3000))
        y = np.roll(x, lag, axis=1) + 0.1 * random.standard_normal(x.shape)
        products = sum(np.correlate(after, before, "full") for before, after in zip(x, y, strict=True))
        assert lag_samples(x, y) == lag == int(np.argmax(np.abs(products))) - 2999
    assert lag_samples(noise(), -noise()) == 0
    long = noise(1, 150000)  # three pieces
    assert lag_samples(long, np.roll(long, 4000, axis=1)) == 4000
    assert lag_samples(long, np.roll(long, -4000, axis=1)) == -4000


def with_torch(x: Signal, y: Signal) -> float:
    """The distance anew, from torch's own STFT."""
    found: list[float] = []
    for size, hop, length in RESOLUTIONS:
        window = torch.hann_window(length, dtype=torch.float64)
        both = [torch.stft(torch.from_numpy(each), size, hop, length, window, return_complex=True) for each in (x, y)]
        a, b = (each.abs().clamp(min=1e-4) for each in both)
        found.append(float((b - a).norm() / a.norm() + (a.log() - b.log()).abs().mean()))
    return sum(found) / len(found)


def test_spectral_distance_is_torchs() -> None:
    for channels, samples in ((1, 2048), (2, 7001), (1, 110000)):
        x = noise(channels, samples)
        y = with_noise(x, -15.0)
        y[:, : samples // 4] = 0.0
        assert spectral_distance(x, y) == pytest.approx(with_torch(x, y), rel=1e-9)
        assert spectral_distance(x, x) == 0.0
    assert spectral_distance(x, -x) == 0.0


def test_spectral_distance_of_a_gain_is_known() -> None:
    x = noise()
    assert spectral_distance(x, 1.5 * x) == pytest.approx(0.5 + np.log(1.5), abs=1e-3)


def test_log_mel_distance_of_a_gain_is_the_gain() -> None:
    x = noise()
    for rate in (16000, 44100, 48000, 96000):
        assert log_mel_distance_db(x, 10.0 ** (3.0 / 20.0) * x, rate) == pytest.approx(3.0, abs=1e-6)
    assert log_mel_distance_db(x, x, RATE) == 0.0
    assert log_mel_distance_db(1e-20 * x, x, RATE) > 100.0  # nothing to be relative to, and still a number


def test_log_mel_distance_hears_a_filter_by_its_own_attenuation() -> None:
    filtered = scipy.signal.butter(8, 4000, output="sos", fs=RATE)
    x = noise(1, RATE)
    y = scipy.signal.sosfiltfilt(filtered, x)  # which attenuates twice
    _, response = scipy.signal.sosfreqz(filtered, np.arange(1025) * RATE / 2048, fs=RATE)
    filters = mel_filters(RATE, 2048, 64)
    before, after = (power @ filters for power in (np.ones(1025), np.abs(response) ** 4))
    lost_db = 10.0 * np.log10(before / np.maximum(after, before.max() * 1e-8))
    assert log_mel_distance_db(x, y, RATE) == pytest.approx(np.sqrt(np.mean(lost_db**2)), rel=0.05)


def test_mel_filters_are_triangles_without_gaps() -> None:
    for rate, size, bands in ((48000, 2048, 64), (48000, 256, 64), (8000, 256, 32)):
        filters = mel_filters(rate, size, bands)
        assert filters.shape == (size // 2 + 1, bands)
        assert filters.min() >= 0.0
        assert (filters.sum(axis=0) > 0.0).all()
    covered = mel_filters(48000, 2048, 32).sum(axis=1)
    np.testing.assert_allclose(covered[10:760], 1.0, atol=1e-12)  # neighbours share every bin


def test_frechet_of_gaussians_against_scipy() -> None:
    random = np.random.default_rng(3)
    for dimensions in (1, 3, 12):
        a = random.standard_normal((400, dimensions)) @ random.standard_normal((dimensions, dimensions))
        b = random.standard_normal((300, dimensions)) @ random.standard_normal((dimensions, dimensions)) + 0.5
        first, second = (np.atleast_2d(np.cov(each, rowvar=False)) for each in (a, b))
        root = np.real(scipy.linalg.sqrtm(first @ second))
        expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(first + second - 2.0 * root)
        assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)
        assert frechet_distance(a, a) == pytest.approx(0.0, abs=1e-9)
        assert frechet_distance(torch.from_numpy(a), a + 2.0) == pytest.approx(4.0 * dimensions, rel=1e-9)
        assert frechet_distance(a, 3.0 * a - 2.0 * a.mean(0)) == pytest.approx(4.0 * np.trace(first), rel=1e-9)


def test_frechet_of_a_degenerate_set_stays_real() -> None:
    a = np.random.default_rng(4).standard_normal((40, 2)) @ np.ones((2, 10))  # rank 1
    assert frechet_distance(a, a + 1.0) == pytest.approx(10.0, rel=1e-6)


def test_frechet_refuses() -> None:
    with pytest.raises(ParameterError, match="10 dimensions need at least 20 embeddings in each set, got 19 and 30"):
        frechet_distance(np.zeros((19, 10)), np.zeros((30, 10)))
    with pytest.raises(ParameterError, match="as many dimensions, got 3 and 4"):
        frechet_distance(np.zeros((30, 3)), np.zeros((30, 4)))
    with pytest.raises(ParameterError, match=r"shape \(N, D\), got float64 of shape \(5,\)"):
        frechet_distance(np.zeros(5), np.zeros(5))
    with pytest.raises(ParameterError, match="finite"):
        frechet_distance(np.full((5, 2), np.nan), np.zeros((5, 2)))


# ITU-R BS.1770-4, tables 1 and 2: the coefficients for 48 kHz.
SHELF = ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585])
HIGH_PASS = ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621])


def test_k_weighting_is_the_standards() -> None:
    x = noise(2, 11 * RATE)  # three pieces
    expected = scipy.signal.lfilter(*HIGH_PASS, scipy.signal.lfilter(*SHELF, x))
    np.testing.assert_allclose(k_weighted(x, RATE), expected, atol=1e-9)


def test_loudness_is_that_of_pyloudnorm() -> None:
    for rate in (16000, 44100, 48000, 96000):
        x = noise(2, 3 * rate)
        x[:, rate : 2 * rate] *= 0.03  # below the relative gate
        x[:, 2 * rate :] *= 1e-5  # below the absolute one
        expected = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(x.T)
        assert loudness_lufs(x, rate) == pytest.approx(expected, abs=1e-6)


def test_loudness_of_the_standards_own_sine() -> None:
    sine = np.sin(2.0 * np.pi * 997.0 * np.arange(2 * RATE) / RATE)[None]
    assert loudness_lufs(sine, RATE) == pytest.approx(-3.01, abs=0.01)


def test_loudness_that_is_none() -> None:
    assert loudness_lufs(noise(1, RATE // 4), RATE) is None
    assert loudness_lufs(1e-4 * noise(1, RATE), RATE) is None
    assert loudness_lufs(np.zeros((1, RATE)), RATE) is None
