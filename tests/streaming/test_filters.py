"""Filters of a stream against SciPy, and against loops over samples in float64."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import signal
from torch import Tensor

from neutone_like.errors import ModelError
from neutone_like.streaming import FIR, IIR, Biquad, StateVariableFilter
from neutone_like.streaming.scan import linear_scan
from support.random_blocks import TOLERANCE, assert_streams, error_of_peak, play


def tensor(array: object) -> Tensor:
    return torch.from_numpy(np.asarray(array, dtype=np.float64).copy())


def test_fir_is_lfilter_of_scipy_for_each_channel() -> None:
    taps = torch.randn(2, 7)
    layer = FIR(taps)
    x = torch.randn(2, 2, 90)
    expected = torch.stack([tensor(signal.lfilter(taps[c].numpy(), 1.0, x[:, c].numpy())) for c in range(2)], 1)
    assert error_of_peak(play(layer, x, [90]), expected) <= TOLERANCE
    assert_streams(layer, x)
    assert layer.receptive_field_samples == 7


def test_fir_with_taps_for_every_sample() -> None:
    x, taps = torch.randn(2, 2, 40), torch.randn(2, 1, 5, 40)
    expected = torch.zeros(2, 2, 40)
    for n in range(40):
        for k in range(min(5, n + 1)):
            expected[:, :, n] += taps[:, :, k, n] * x[:, :, n - k]
    layer = torch.jit.script(FIR(torch.zeros(5)))
    y = torch.cat([layer(x[..., a:b], taps[..., a:b]) for a, b in ((0, 3), (3, 4), (4, 40))], 2)
    assert error_of_peak(y, expected) <= TOLERANCE
    with pytest.raises(Exception, match=r"FIR: taps of shape \[1, 1, 4, 40\]"):
        layer(x, torch.zeros(1, 1, 4, 40))


@pytest.mark.parametrize(
    "coefficients",
    [
        signal.butter(2, 0.001),
        signal.ellip(6, 1, 80, 0.1),
        ([0.5], [2.0]),
        ([1.0, 2.0, 3.0], [4.0]),
        ([1.0], [1.0, -0.9999]),
    ],
)
def test_iir_is_lfilter_of_scipy(coefficients: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    b, a = (tensor(part) for part in coefficients)
    layer = IIR(b, a)
    x = torch.randn(1, 2, 5000)
    expected = tensor(signal.lfilter(b.numpy(), a.numpy(), x.double().numpy()))
    assert error_of_peak(play(layer, x, [1, 63, 64, 65, 4807]), expected) <= 2e-7
    # Powers of a matrix round more than a loop does: 1e-8 for the elliptic filter of order 6, 1e-12 for the others.
    limit = 2e-8 if b.numel() == 7 else 1e-11
    assert error_of_peak(play(layer, x.double(), [1, 63, 64, 65, 4807]), expected) <= limit
    if b.numel() == 7:
        assert_streams(layer, torch.randn(2, 2, 150))


def test_biquads_are_sosfilt_of_scipy() -> None:
    sections = tensor(signal.butter(6, [0.001, 0.2], "bandpass", output="sos"))
    layer = Biquad(sections)
    x = torch.randn(2, 1, 3000)
    expected = tensor(signal.sosfilt(sections.numpy(), x.double().numpy()))
    assert error_of_peak(play(layer, x, [700, 1, 2299]), expected) <= 2e-7
    same = sections.view(1, 1, -1, 6, 1).expand(-1, -1, -1, -1, 3000)
    layer_scan = Biquad(sections)
    assert error_of_peak(layer_scan(x, same), expected) <= 2e-7
    assert_streams(Biquad(sections[:2]), torch.randn(2, 2, 150))


def moving_sections(samples: int) -> Tensor:
    """A resonant low pass that sweeps, ``[1, 1, 1, 6, samples]``, float64."""
    angle = torch.linspace(0.02, 2.5, samples, dtype=torch.float64)
    alpha, cosine = angle.sin() / (2 * 8.0), angle.cos()
    rows = [(1 - cosine) / 2, 1 - cosine, (1 - cosine) / 2, 1 + alpha, -2 * cosine, 1 - alpha]
    return torch.stack(rows).view(1, 1, 1, 6, samples)


def test_coefficients_for_every_sample_are_the_loop_over_samples() -> None:
    samples = 400
    sections = moving_sections(samples)
    x = torch.randn(1, 2, samples, dtype=torch.float64)
    expected = torch.zeros_like(x)
    first, second = torch.zeros(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    for n in range(samples):
        b0, b1, b2, a0, a1, a2 = sections[0, 0, 0, :, n].tolist()
        y = (b0 * x[0, :, n] + first * a0) / a0
        first, second = second + (b1 * x[0, :, n] - a1 * y) / a0, (b2 * x[0, :, n] - a2 * y) / a0
        expected[0, :, n] = y
    layer = torch.jit.script(Biquad(torch.tensor([[1.0, 0, 0, 1, 0, 0]])))
    blocks = ((0, 1), (1, 64), (64, 301), (301, 400))
    y = torch.cat([layer(x[..., a:b], sections[..., a:b]) for a, b in blocks], 2)
    assert error_of_peak(y, expected) <= 1e-12


@pytest.mark.parametrize("mode", ["lowpass", "bandpass", "highpass", "notch"])
def test_the_state_variable_filter_is_its_analog_prototype_by_the_bilinear_transform(mode: str) -> None:
    rate, cutoff, quality = 48000.0, 3000.0, 2.0
    w = 2 * rate * math.tan(math.pi * cutoff / rate)
    numerator = {"lowpass": [w * w], "bandpass": [w, 0], "highpass": [1, 0, 0], "notch": [1, 0, w * w]}[mode]
    b, a = signal.bilinear(numerator, [1, w / quality, w * w], rate)
    layer = StateVariableFilter(rate, mode, cutoff, quality)
    x = torch.randn(1, 2, 1000)
    expected = tensor(signal.lfilter(b, a, x.double().numpy()))
    assert error_of_peak(play(layer, x, [1, 999]), expected) <= 2e-7
    if mode == "notch":
        assert_streams(layer, torch.randn(2, 2, 100))


def test_cutoff_and_quality_that_move_are_the_loop_over_samples_and_stay_bounded() -> None:
    samples, rate = 3000, 48000.0
    cutoff = torch.exp(torch.empty(1, 1, samples).uniform_(math.log(20.0), math.log(40000.0)))
    quality = torch.empty(1, 1, samples).uniform_(0.5, 50.0)
    x = torch.randn(1, 1, samples)
    expected, first, second = np.zeros(samples), 0.0, 0.0
    for n in range(samples):
        g = math.tan(math.pi * min(float(cutoff[0, 0, n]), 0.499 * rate) / rate)
        band = (first + g * (float(x[0, 0, n]) - second)) / (1 + g * (g + 1 / float(quality[0, 0, n])))
        low = second + g * band
        first, second, expected[n] = 2 * band - first, 2 * low - second, low
    layer = torch.jit.script(StateVariableFilter(rate))
    blocks = ((0, 1), (1, 1500), (1500, 3000))
    y = torch.cat([layer(x[..., a:b], cutoff[..., a:b], quality[..., a:b]) for a, b in blocks], 2)
    assert error_of_peak(y[0, 0], tensor(expected)) <= 1e-6


def test_a_scan_is_the_loop_and_passes_gradients() -> None:
    for samples in (1, 2, 7, 64):
        matrices = torch.randn(2, samples, 3, 3, dtype=torch.float64) * 0.4
        inputs = torch.randn(2, samples, 3, dtype=torch.float64)
        state = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
        states = [state]
        for n in range(samples):
            states.append((matrices[:, n] @ states[-1].unsqueeze(2)).squeeze(2) + inputs[:, n])
        scanned = linear_scan(matrices, inputs, state)
        assert error_of_peak(scanned, torch.stack(states, 1)) <= 1e-12
    expected = torch.autograd.grad(states[-1].sum(), state)[0]
    assert error_of_peak(torch.autograd.grad(scanned[:, -1].sum(), state)[0], expected) <= 1e-12


SHARED_OR_NOT = [((), ()), ((2,), (1,)), ((2,), (2,)), ((2, 3), (2, 1)), ((2, 3), (1, 1)), ((2, 3), (3,))]


@pytest.mark.parametrize(("leading", "of_matrices"), SHARED_OR_NOT)
@pytest.mark.parametrize("order", [1, 2, 5])
def test_a_scripted_scan_is_the_loop_and_changes_nothing_that_it_is_given(
    leading: tuple[int, ...], of_matrices: tuple[int, ...], order: int
) -> None:
    scripted = torch.jit.script(linear_scan)
    for samples in (1, 2, 7, 64):
        matrices = (torch.rand(*of_matrices, samples, order, order, dtype=torch.float64) - 0.5) / order
        inputs = torch.randn(*leading, samples, order, dtype=torch.float64)
        state = torch.randn(*leading, order, dtype=torch.float64)
        given = [each.clone() for each in (matrices, inputs, state)]
        scanned = scripted(matrices, inputs, state)
        assert error_of_peak(scanned, looped(matrices, inputs, state)) <= 1e-12
        assert all(torch.equal(each, before) for each, before in zip((matrices, inputs, state), given, strict=True))


@pytest.mark.parametrize("wanted", range(3))
def test_a_scripted_scan_passes_gradients(wanted: int) -> None:
    given = [torch.randn(shape, dtype=torch.float64) for shape in ((2, 9, 3, 3), (2, 9, 3), (2, 3))]
    given[0] *= 0.4
    given[wanted].requires_grad_()
    found = torch.autograd.grad(torch.jit.script(linear_scan)(*given).square().sum(), given[wanted])[0]
    expected = torch.autograd.grad(looped(*given).square().sum(), given[wanted])[0]
    assert error_of_peak(found, expected) <= 1e-12


def looped(matrices: Tensor, inputs: Tensor, state: Tensor) -> Tensor:
    """The recurrence sample by sample."""
    states = [state]
    for n in range(inputs.size(-2)):
        states.append((matrices[..., n, :, :] @ states[-1].unsqueeze(-1)).squeeze(-1) + inputs[..., n, :])
    return torch.stack(states, -2)


def test_refusals() -> None:
    with pytest.raises(ModelError, match=r"FIR: taps of shape \[1, 1, 3\]"):
        FIR(torch.zeros(1, 1, 3))
    with pytest.raises(ModelError, match=r"a\[0\] not zero"):
        IIR(torch.ones(2), torch.tensor([0.0, 1.0]))
    with pytest.raises(ModelError, match="finite numbers"):
        IIR(torch.ones(2), torch.tensor([1.0, math.nan]))
    with pytest.raises(ModelError, match=r"IIR: coefficients of shape torch.Size\(\[1, 1, 4, 9\]\)"):
        IIR(torch.ones(3), torch.ones(3))(torch.zeros(1, 1, 9), torch.ones(1, 1, 4, 9))
    with pytest.raises(ModelError, match=r"sections of shape \[5\]; expected \[sections, 6\]"):
        Biquad(torch.ones(5))
    with pytest.raises(ModelError, match="mode='peak', sample_rate=48000; expected one of lowpass"):
        StateVariableFilter(48000, "peak")
