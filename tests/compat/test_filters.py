"""The Neutone SDK's filters against convolution, frequency responses and scipy's recursions."""

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor

from neutone_like.compat.neutone_sdk.filters import FilterType, FIRFilter, IIRFilter
from neutone_like.errors import ModelError
from support.random_blocks import play, random_lengths, worst_chunking

KINDS = {
    FilterType.LOWPASS: [3000.0],
    FilterType.HIGHPASS: [3000.0],
    FilterType.BANDPASS: [2000.0, 9000.0],
    FilterType.BANDSTOP: [2000.0, 9000.0],
}


def sound(channels: int, samples: int, seed: int = 0) -> Tensor:
    return torch.rand(channels, samples, generator=torch.Generator().manual_seed(seed)) - 0.5


def impulse_response(size: int, kind: FilterType, sample_rate: int, centred: bool = True) -> np.ndarray:
    fir = FIRFilter(kind, KINDS[kind], size, centred=centred)
    fir.set_parameters(sample_rate=sample_rate)
    return fir(torch.eye(1, size))[0].double().numpy()


@pytest.mark.parametrize("kind", list(KINDS))
def test_bands_pass_and_stop_at_any_rate(kind: FilterType) -> None:
    for sample_rate in (44100, 48000, 96000):
        for size in (257, 512):
            taps = impulse_response(size, kind, sample_rate)
            hz, response = scipy.signal.freqz(taps, worN=4096, fs=sample_rate)
            edges = KINDS[kind]
            transition = 6.0 * sample_rate / size
            away = np.min([np.abs(hz - edge) for edge in edges], 0) > transition
            inside = hz < edges[0] if len(edges) == 1 else (hz > edges[0]) & (hz < edges[1])
            passes = inside if kind in (FilterType.LOWPASS, FilterType.BANDPASS) else ~inside
            decibels = 20.0 * np.log10(np.abs(response) + 1e-12)
            assert np.abs(decibels[passes & away]).max() < 0.01, (kind, sample_rate, size)
            assert decibels[~passes & away].max() < -80.0, (kind, sample_rate, size)


def test_what_is_split_over_both_ends_rings_through_the_pass_band() -> None:
    """The control of the test above: the same filter as the Neutone SDK 1.5.2 lays it out."""
    _, response = scipy.signal.freqz(impulse_response(257, FilterType.LOWPASS, 48000, centred=False), worN=4096)
    passed = np.abs(response)[: int(1500.0 / 24000.0 * 4096)]
    assert passed.min() < 0.3


@pytest.mark.parametrize("centred", [True, False])
def test_taps_are_the_windowed_inverse_transform(centred: bool) -> None:
    """By numpy's transform and window, in the order in which a filter hears its past: the newest sample first."""
    for size in (65, 64, 3):
        for kind, edges in KINDS.items():
            hz = np.fft.rfftfreq(size, 1.0 / 48000)
            inside = hz < edges[0] if len(edges) == 1 else (hz > edges[0]) & (hz < edges[1])
            outside = hz > edges[0] if len(edges) == 1 else (hz < edges[0]) | (hz > edges[1])
            passes = inside if kind in (FilterType.LOWPASS, FilterType.BANDPASS) else outside
            circular = np.fft.irfft(passes, size)
            if centred:
                distance = np.arange(size) - size // 2
                window = np.i0(12.0 * np.sqrt(1.0 - np.minimum((distance / (size / 2)) ** 2, 1.0))) / np.i0(12.0)
                expected = np.roll(circular, size // 2) * (np.kaiser(size, 12.0) if size % 2 else window)
            else:
                expected = (circular * np.roll(np.kaiser(size + 1, 12.0)[:-1], size // 2))[::-1]
            np.testing.assert_allclose(impulse_response(size, kind, 48000, centred), expected, atol=1e-7)


def test_streams_as_a_convolution_in_any_blocks_and_is_late_by_its_delay() -> None:
    for size in (2, 65, 256):
        fir = FIRFilter(FilterType.LOWPASS, KINDS[FilterType.LOWPASS], size)
        taps = impulse_response(size, FilterType.LOWPASS, 48000)
        x = sound(2, 500)
        expected = np.stack([np.convolve(channel, taps)[:500] for channel in x.double().numpy()])
        np.testing.assert_allclose(play(fir, x, [500]).numpy(), expected, atol=1e-6)
        assert worst_chunking(fir, x, chunkings=10) < 1e-5
        assert fir.delay == size // 2
    slow = torch.sin(torch.arange(3000) * 0.02).unsqueeze(0)
    y = play(fir, slow, [3000])
    torch.testing.assert_close(y[:, 600:], slow[:, 600 - fir.delay : -fir.delay], atol=1e-3, rtol=0)


def test_another_rate_keeps_the_past_and_another_size_forgets_it() -> None:
    fir = torch.jit.script(FIRFilter(FilterType.HIGHPASS, [3000.0], 33))
    fir(torch.ones(2, 100))
    fir.set_parameters(sample_rate=44100)
    assert fir.fir.past.abs().sum() > 0
    fir.set_parameters(FilterType.BANDPASS, [100.0, 200.0], 96000, 65)
    assert (fir.delay, fir.sample_rate, fir.cutoffs) == (32, 96000, [100.0, 200.0])
    assert fir.fir.past.abs().sum() == 0
    again = FIRFilter(FilterType.BANDPASS, [100.0, 200.0], 65)
    again.set_parameters(sample_rate=96000)
    x = sound(2, 100)
    torch.testing.assert_close(fir(x), again(x))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((FilterType.LOWPASS, [100.0, 200.0]), r"lowpass takes one cutoff, in Hz and above 0, got \[100.0, 200.0\]"),
        ((FilterType.BANDPASS, [100.0]), r"bandpass takes two cutoffs, low and high, in Hz and above 0, got \[100.0\]"),
        ((FilterType.BANDSTOP, [200.0, 100.0]), "bandstop takes two cutoffs, low and high"),
        ((FilterType.HIGHPASS, [-1.0]), "highpass takes one cutoff"),
        ((FilterType.HIGHPASS, [float("nan")]), "highpass takes one cutoff"),
        ((FilterType.LOWPASS, []), "lowpass takes one cutoff"),
        ((FilterType.LOWPASS, [100.0], 1), "filt_size must be at least 2 taps, got 1"),
    ],
)
def test_filters_that_cannot_be_are_refused(arguments: tuple[FilterType, list[float]], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        FIRFilter(*arguments)


def test_one_filter_for_two_signals_is_refused() -> None:
    fir = FIRFilter(FilterType.LOWPASS, [100.0])
    fir(torch.ones(2, 10))
    with pytest.raises(ModelError, match="3 channels, but 2 since the last reset"):
        fir(torch.ones(3, 10))


def test_recursive_filter_is_the_analog_one_by_the_bilinear_transform() -> None:
    """Second-order prototypes, warped to the cutoff, by scipy."""
    generator = np.random.default_rng(2)
    numerators = {FilterType.LOWPASS: [0, 0, 1], FilterType.HIGHPASS: [1, 0, 0], FilterType.BANDPASS: [0, 1, 0]}
    for kind, numerator in numerators.items():
        for cutoff, resonance, sample_rate in ((50.0, 8.0, 44100), (1000.0, 0.707, 48000), (15000.0, 0.3, 44100)):
            warped = 2.0 * sample_rate * np.tan(np.pi * cutoff / sample_rate)
            powers = np.array([1.0 / warped**2, 1.0 / (warped * resonance), 1.0])
            b, a = scipy.signal.bilinear(np.array(numerator) * powers, powers, sample_rate)
            x = sound(2, 900)
            expected = scipy.signal.lfilter(b, a, x.double().numpy())
            iir = IIRFilter(kind, 1.0, 1.0)
            iir.set_parameters(cutoff=cutoff, resonance=resonance, sample_rate=sample_rate)
            y = play(iir, x, random_lengths(generator, 900))
            np.testing.assert_allclose(y.numpy(), expected, atol=1e-6)
    iir = IIRFilter(FilterType.BANDPASS, 1.0, 1.0)
    with pytest.raises(ModelError, match="got BANDSTOP"):
        iir.set_parameters(FilterType.BANDSTOP)
    assert iir.filt_type is FilterType.BANDPASS
