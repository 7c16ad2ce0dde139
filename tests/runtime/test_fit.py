"""The engine's latency arithmetic: the same as Python's, and, for what only the engine has, as a simulator finds it."""

import itertools
import math
import random

import numpy as np
import pytest

from neutone_like import SampleQueueWrapper
from neutone_like.runtime.native_module import native_module
from neutone_like.signal.filter_design import QUALITIES, half_width_samples, polyphase_table, reduced_ratio
from neutone_like.signal.latency import buffering_numerator, first_output_end, total_latency_samples
from support.host_models import DelayModel

native = native_module()
RATIOS = [(1, 1), (147, 160), (160, 147), (1, 2), (2, 1), (160, 441), (1, 3), (320, 147)]
RATES = (8000, 16000, 22050, 32000, 44100, 48000, 88200, 96000, 192000)


@pytest.mark.parametrize(("up", "down"), RATIOS)
def test_latency_arithmetic_is_pythons(up: int, down: int) -> None:
    generator = random.Random(up * 1000 + down)
    for _ in range(500):
        host_block, model_block = generator.randint(1, 2048), generator.randint(1, 2048)
        buffering = buffering_numerator(host_block, model_block, up, down)
        assert native.buffering_numerator(host_block, model_block, up, down) == buffering
        widths = (generator.randint(32, 160), generator.randint(32, 160)) if up != down else (0, 0)
        delay = generator.randint(0, 500)
        latency = total_latency_samples(up, down, *widths, delay, buffering)
        assert native.adaptation_latency_samples(up, down, *widths, delay, buffering) == latency
        end = first_output_end(up, down, *widths, delay, latency)
        assert native.first_output_end(up, down, *widths, delay, latency) == end


@pytest.mark.parametrize(("up", "down"), [ratio for ratio in RATIOS if ratio != (1, 1)])
@pytest.mark.parametrize("quality", QUALITIES)
def test_filters_are_pythons(up: int, down: int, quality: str) -> None:
    designed = native.design_filter(up, down, quality == "fast")
    assert designed.shape == (up, 2 * half_width_samples(up, down, quality))
    np.testing.assert_allclose(designed, polyphase_table(up, down, quality).numpy(), rtol=0, atol=1e-7)


def test_rates_and_blocks_are_chosen_as_in_the_wrapper() -> None:
    generator = random.Random(0)
    for _ in range(60):
        rates = tuple(generator.sample(RATES, generator.randint(0, 4)))
        sizes = tuple(generator.sample(range(16, 2049), generator.randint(0, 4)))
        wrapper = SampleQueueWrapper(DelayModel(0, rates, sizes))
        for _ in range(5):
            host_rate, host_block = generator.choice(RATES), generator.randint(1, 2048)
            wrapper.set_daw_sample_rate_and_buffer_size(host_rate, host_block)
            rate = native.choose_rate(host_rate, list(rates))
            assert rate == wrapper.current_model_sample_rate()
            up, down = reduced_ratio(rate, host_rate)
            block = native.choose_block(host_block, list(sizes), up, down)
            assert block == (wrapper.current_model_block_size() if sizes else 0)


def least_latency(host_block: int, model_block: int, seconds: float, rate: int) -> int:
    """With which output that a worker needs ``seconds`` for is never asked for too early: a whole period is played.

    The host hands over a block and asks for one, at the same moment, every ``host_block / rate`` seconds.
    """
    least = 0
    for callback in range(400, 400 + 2 * model_block):
        asked_for = (callback + 1) * host_block
        worked_on = [k for k in range(callback) if (callback - k) * host_block / rate >= seconds - 1e-12]
        ready = (max(worked_on) + 1) * host_block // model_block * model_block
        least = max(least, asked_for - ready)
    return least


@pytest.mark.parametrize("microseconds", [1, 150, 1000, 2666, 2667, 7000])
def test_wait_for_workers_is_the_least_for_regular_blocks(microseconds: int) -> None:
    for host_block, model_block in [(32, 32), (128, 32), (32, 128), (48, 20), (128, 100), (21, 13)]:
        seconds = microseconds * 1e-6
        wait = native.inference_wait_samples(seconds, host_block, 48000, False)
        buffering = model_block - math.gcd(host_block, model_block)
        assert wait + buffering == least_latency(host_block, model_block, seconds, 48000), (host_block, model_block)


def most_asked_too_early(sizes: list[int], model_block: int, seconds: float, rate: int) -> int:
    """The same for blocks of these sizes: the latency with which nothing would have been asked for too early."""
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    needed = 0
    for start, size in zip(starts, sizes, strict=True):
        handed = [s + n for s, n in zip(starts, sizes, strict=True) if s / rate + seconds <= start / rate and s < start]
        needed = max(needed, start + size - max(handed, default=0) // model_block * model_block)
    return needed


@pytest.mark.parametrize("seconds", [0.0001, 0.00052])
def test_wait_for_workers_is_enough_for_varying_blocks_and_nearly_the_least(seconds: float) -> None:
    generator = random.Random(1)
    longest, model_block = 12, 5
    wait = native.inference_wait_samples(seconds, longest, 48000, True)
    worst = 0
    for _ in range(400):
        sizes = [generator.choice((1, generator.randint(1, longest), longest)) for _ in range(60)]
        worst = max(worst, most_asked_too_early(sizes, model_block, seconds, 48000))
    allowed = wait + model_block - 1
    assert allowed - 2 <= worst <= allowed


def test_blocks_that_one_callback_completes() -> None:
    for up, down in RATIOS:
        for host_block in (1, 30, 64, 441, 512):
            for model_block in (1, 64, 100, 512):
                most = native.blocks_per_callback(host_block, model_block, up, down)
                given = [-(-n * host_block * up // down) // model_block for n in range(3 * model_block + 2)]
                assert max(b - a for a, b in itertools.pairwise(given)) == most, (up, down)
    assert native.blocks_per_callback(512, 0, 1, 1) == 1


def test_histogram_buckets_are_narrow_and_rise() -> None:
    ends = native.histogram_bucket_ends_ns()
    assert (ends[1:] > ends[:-1]).all()
    wide = ends[1:][ends[:-1] >= 64]
    assert ((wide - ends[:-1][ends[:-1] >= 64]) / wide <= 1 / 32).all()
