"""Delays between samples and windows that fade into each other."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from neutone_like.errors import ModelError
from neutone_like.streaming import FractionalDelay, OverlapAddCrossfade
from support.random_blocks import TOLERANCE, assert_streams, error_of_peak, play


def read(x: Tensor, time: Tensor, order: int) -> Tensor:
    """Every output sample from the polynomial through its neighbours, fitted by numpy one by one."""
    y = torch.zeros_like(x)
    for n in range(x.numel()):
        whole = int(np.floor(float(time[n])))
        ages = range(whole, whole + 2) if order == 1 else range(max(whole, 1) - 1, max(whole, 1) + 3)
        values = [float(x[n - age]) if n >= age else 0.0 for age in ages]
        y[n] = float(np.polyval(np.polyfit(list(ages), values, order), float(time[n])))
    return y


@pytest.mark.parametrize(("kind", "order"), [("lagrange", 3), ("linear", 1)])
def test_times_that_move_are_read_from_a_polynomial_through_the_neighbours(kind: str, order: int) -> None:
    x = torch.randn(1, 1, 60, dtype=torch.float64)
    time = torch.empty(1, 1, 60, dtype=torch.float64).uniform_(0.0, 9.0)
    time[..., 40:44] = torch.tensor([0.0, 9.0, 1.0, 0.25])
    layer = torch.jit.script(FractionalDelay(9, kind).double())
    y = torch.cat([layer(x[..., a:b], time[..., a:b]) for a, b in ((0, 1), (1, 30), (30, 60))], 2)
    assert error_of_peak(y[0, 0], read(x[0, 0], time[0, 0], order)) <= 1e-9


def test_a_whole_time_moves_samples_untouched_and_others_are_held_in_range() -> None:
    layer = FractionalDelay(5)
    x = torch.randn(1, 2, 30)
    assert torch.equal(play(layer, x, [1, 29])[..., 5:], x[..., :-5])
    layer.reset_streaming_state()
    assert torch.equal(layer(x, torch.full((1, 1, 1), 50.0))[..., 5:], x[..., :-5])
    layer.reset_streaming_state()
    assert error_of_peak(layer(x, torch.full((1, 1, 1), -3.0)), x) <= 1e-6


@pytest.mark.parametrize("kind", ["lagrange", "linear"])
def test_a_delay_line_streams_in_any_blocks(kind: str) -> None:
    layer = FractionalDelay(10, kind)
    assert_streams(layer, torch.randn(2, 2, 60))
    assert layer.delay_samples == 0


def test_weights_add_up_so_that_a_model_that_does_nothing_is_a_delay() -> None:
    for window, fade in ((16, 4), (16, 8), (15, 7), (8, 0)):
        layer = OverlapAddCrossfade(nn.Identity(), window, fade, channels_out=2)
        x = torch.randn(1, 2, 10 * (window - fade))
        y = play(layer, x, [window - fade] * 10)
        assert error_of_peak(y[..., layer.delay_samples :], x[..., : x.size(2) - fade]) <= TOLERANCE


def test_windows_fade_into_each_other() -> None:
    class Level(nn.Module):
        """Says how loud its window is, so that windows differ."""

        def forward(self, x: Tensor) -> Tensor:
            return x.abs().mean(2, keepdim=True).expand(-1, -1, x.size(2))

    layer, x = OverlapAddCrossfade(Level(), 16, 6), torch.randn(1, 1, 10 * 30)
    padded = torch.nn.functional.pad(x[0, 0], [6, 0])
    weights = torch.cat([torch.linspace(0, 1, 13)[1::2].mul(torch.pi / 2).sin().square(), torch.ones(4)])
    weights = torch.cat([weights, weights[:6].flip(0)])
    expected = torch.zeros(10 * 30 + 6)
    for start in range(0, 10 * 30, 10):
        expected[start : start + 16] += padded[start : start + 16].abs().mean() * weights
    assert error_of_peak(play(layer, x, [100, 10, 190])[0, 0], expected[:300]) <= TOLERANCE
    assert_streams(layer, torch.randn(2, 1, 10 * 20), multiple=10)


def test_refusals() -> None:
    with pytest.raises(ModelError, match="kind='sinc'; expected at least 1 sample, and lagrange or linear"):
        FractionalDelay(10, "sinc")
    with pytest.raises(ModelError, match="a fade from 0 to half of the window"):
        OverlapAddCrossfade(nn.Identity(), 16, 9)
    with pytest.raises(ModelError, match="a block of 7 samples; expected a multiple of 10: 10, 20, 30"):
        OverlapAddCrossfade(nn.Identity(), 16, 6)(torch.zeros(1, 1, 7))
    with pytest.raises(ModelError, match="made 15 samples of 16"):
        OverlapAddCrossfade(nn.AvgPool1d(2, 1), 16, 6)(torch.zeros(1, 1, 10))
