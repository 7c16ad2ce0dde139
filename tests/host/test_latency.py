"""Latency: the least there can be (brute force), and reported as it is (measured), over the matrix of hosts."""

import math
from fractions import Fraction

import pytest
import torch

from neutone_like import SampleQueueWrapper
from neutone_like.signal.latency import buffering_numerator
from neutone_like.validate.measure import fit_tone
from support.host_models import DelayModel, inside, play_regularly, scripted, tone, whole_blocks

RATES = (44100, 48000, 96000)
MODEL_RATES = (44100, 48000, 16000)
BLOCKS = (1, 32, 64, 100, 128, 256, 441, 480, 512, 1024, 2048)
MODEL_BLOCKS = (None, 128, 480, 512, 2048)
DELAYS = (0, 37, 100)


def least_prefill(host: int, model: int) -> int:
    """Smallest number of samples ahead with which a queue never runs dry, by playing a whole period."""
    waiting, ahead, least = 0, 0, 0
    for _ in range(2 * model):
        waiting += host
        ahead += (waiting // model) * model - host
        waiting %= model
        least = max(least, -ahead)
    return least


def test_buffering_at_equal_rates_is_the_least_possible() -> None:
    for host in range(1, 41):
        for model in range(1, 41):
            assert buffering_numerator(host, model, 1, 1) == least_prefill(host, model) == model - math.gcd(host, model)


@pytest.mark.parametrize(("up", "down"), [(147, 160), (160, 147), (1, 2), (2, 1), (160, 441)])
def test_buffering_at_unequal_rates_is_what_waits_at_worst(up: int, down: int) -> None:
    for host in (1, 7, 64, 441):
        for model in (1, 5, 64, 147):
            worst = Fraction(0)
            for call in range(1, model * down + 1):
                given = Fraction(call * host * up, down)
                worst = max(worst, given - (math.ceil(given) // model) * model)
                if worst > model - 1 - Fraction(1, down):
                    break
            assert Fraction(buffering_numerator(host, model, up, down), down) == worst
            assert worst <= model


def test_the_reported_buffering_of_a_wrapper_is_the_formula() -> None:
    wrapper = scripted(DelayModel(0))
    for host in BLOCKS:
        for model in (128, 480, 512, 2048):
            wrapper.set_daw_sample_rate_and_buffer_size(48000, host, None, model)
            assert wrapper.calc_buffering_delay_samples() == model - math.gcd(host, model)
            assert wrapper.calc_model_delay_samples() == 0


def measured_delay(wrapper: SampleQueueWrapper, rate: int, block: int) -> float:
    """Delay of a 997 Hz tone, in samples, near the reported one."""
    reported = wrapper.latency_samples()
    settled = reported + 400
    total = whole_blocks(settled + 1024, block)
    y = play_regularly(wrapper, tone(997.0, rate, total), block)[0, settled : settled + 1024]
    omega = 2.0 * math.pi * 997.0 / rate
    # fit_tone gives the phase of a cosine at the segment's start; the input is a sine from sample 0.
    lag = (omega * settled - math.pi / 2.0 - fit_tone(y, rate, 997.0).phase) / omega
    period = rate / 997.0
    return reported + math.remainder(lag - reported, period)


def check_delays(host_rate: int, model_rate: int, blocks: tuple[int, ...]) -> None:
    wrapper = scripted(DelayModel(0))
    for block in blocks:
        for model_block in MODEL_BLOCKS:
            for delay in DELAYS:
                inside(wrapper).delay = delay
                wrapper.set_daw_sample_rate_and_buffer_size(host_rate, block, model_rate, model_block)
                reported = wrapper.calc_buffering_delay_samples() + wrapper.calc_model_delay_samples()
                assert reported == wrapper.latency_samples()
                error = measured_delay(wrapper, host_rate, block) - reported
                assert abs(error) <= 0.05, f"{block=} {model_block=} {delay=}: measured {reported + error}, {reported=}"
                assert sum(wrapper.latency_parts().values()) == pytest.approx(reported, abs=1e-9)
                if host_rate != model_rate and model_block is not None:
                    most = model_block * host_rate / model_rate
                    assert wrapper.latency_parts()["buffering"] <= most


@pytest.mark.parametrize("host_rate", RATES)
@pytest.mark.parametrize("model_rate", MODEL_RATES)
def test_reported_delay_is_measured_delay(host_rate: int, model_rate: int) -> None:
    check_delays(host_rate, model_rate, (64, 441, 2048))


@pytest.mark.slow
@pytest.mark.parametrize("host_rate", RATES)
@pytest.mark.parametrize("model_rate", MODEL_RATES)
def test_reported_delay_is_measured_delay_everywhere(host_rate: int, model_rate: int) -> None:
    check_delays(host_rate, model_rate, BLOCKS)


def test_the_measurement_notices_a_wrong_report() -> None:
    wrapper = scripted(DelayModel(37))
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 64, 44100, 512)
    truth = wrapper.latency_samples()
    assert measured_delay(wrapper, 48000, 64) == pytest.approx(truth, abs=0.05)
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 64, 44100, 512)
    inside(wrapper).delay = 38  # the model lags one sample more than the wrapper was told
    inside(wrapper).past = torch.zeros(2, 38)
    assert measured_delay(wrapper, 48000, 64) == pytest.approx(truth + 48 / 44.1, abs=0.05)


def test_latency_is_small_at_usual_settings() -> None:
    wrapper = SampleQueueWrapper(DelayModel(0, sample_rates=(44100,)))
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 64)
    assert wrapper.latency_samples() / 48000 < 0.0025
    fast = SampleQueueWrapper(DelayModel(0, sample_rates=(44100,)), "fast")
    fast.set_daw_sample_rate_and_buffer_size(48000, 64)
    assert fast.latency_samples() < wrapper.latency_samples()
