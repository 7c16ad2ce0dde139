"""The filter bank gives back what went in, and is the ordinary convolutions with padding."""

import pytest
import torch
from torch import nn
from torch.nn.functional import conv1d, conv_transpose1d

from neutone_like.errors import ModelError
from neutone_like.streaming import PQMFAnalysis, PQMFSynthesis
from neutone_like.streaming.pqmf import pqmf_filters
from support.random_blocks import TOLERANCE, assert_streams, error_of_peak, play


@pytest.mark.parametrize(
    ("bands", "taps", "error_db"), [(2, 16, -100.0), (4, 16, -100.0), (5, 12, -75.0), (16, 16, -100.0), (16, 8, -59.0)]
)
def test_a_signal_returns_as_exactly_as_declared_after_the_declared_delay(
    bands: int, taps: int, error_db: float
) -> None:
    analysis, synthesis = PQMFAnalysis(bands, taps), PQMFSynthesis(bands, taps)
    x = torch.randn(1, 1, 300 * bands)
    y = play(nn.Sequential(analysis, synthesis), x, [100 * bands, bands, 199 * bands])
    delay = synthesis.pair_delay_samples
    assert delay == analysis.delay_samples * bands + synthesis.delay_samples
    late, sent = y[..., delay:], x[..., : x.size(2) - delay]
    assert 10 * torch.log10((late - sent).square().mean() / sent.square().mean()) <= error_db
    wrong = y[..., delay - 1 : -1]
    assert 10 * torch.log10((wrong - sent).square().mean() / sent.square().mean()) > -3.0


def test_the_bank_is_the_ordinary_convolutions_with_padding() -> None:
    analysis, synthesis = PQMFAnalysis(4), PQMFSynthesis(4)
    x, taps = torch.randn(1, 1, 400), 64
    bands = conv1d(x, analysis.filters, stride=4, padding=taps // 2)
    streamed, delay = play(analysis, x, [400]), analysis.delay_samples
    assert error_of_peak(streamed[..., delay:], bands[..., : 100 - delay]) <= TOLERANCE
    whole = conv_transpose1d(bands, synthesis.filters, stride=4, padding=taps // 2)
    played, delay = play(synthesis, bands, [bands.size(2)]), synthesis.delay_samples
    assert error_of_peak(played[..., delay : delay + 300], whole[..., :300]) <= TOLERANCE


def test_a_band_holds_its_own_frequencies() -> None:
    tone = torch.sin(2 * torch.pi * (5.5 / 16) * torch.arange(1600)).view(1, 1, -1)
    levels = play(PQMFAnalysis(8), tone, [1600])[0, :, 50:].square().mean(1)
    assert int(levels.argmax()) == 5
    assert float(levels[[0, 1, 2, 3, 7]].max() / levels[5]) <= 1e-6


@pytest.mark.parametrize(("attenuation_db", "reached_db"), [(82.0, 88.0), (100.0, 98.0)])
def test_a_band_leaks_no_more_than_the_prototype_allows(attenuation_db: float, reached_db: float) -> None:
    response = torch.fft.rfft(pqmf_filters(8, 16, attenuation_db, inverse=False)[0], 1 << 14).abs()
    beyond = response[int(2 * len(response) / 8) + 1 :]
    assert 20 * torch.log10(beyond.max() / response.max()) <= -reached_db


def test_streams_in_any_blocks() -> None:
    assert_streams(PQMFAnalysis(4, 4), torch.randn(2, 2, 4 * 30), multiple=4)
    assert_streams(PQMFSynthesis(4, 4), torch.randn(2, 8, 40))


def test_refusals() -> None:
    with pytest.raises(ModelError, match="PQMFAnalysis: a block of 6 samples; expected a multiple of 4"):
        PQMFAnalysis(4)(torch.zeros(1, 1, 6))
    with pytest.raises(ModelError, match="taps_per_band=5"):
        PQMFSynthesis(4, 5)
