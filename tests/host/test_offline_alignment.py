"""Length and alignment of what an offline model gives back: to the sample, at every rate, in every mode."""

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal.windows import cosine as cosine_window

from neutone_like import NonRealtimeSampleQueueWrapper, SampleQueueWrapper
from neutone_like.signal.overlap_add import overlap_weights
from neutone_like.validate.conditions import optimiser
from support.host_models import DelayModel, noise
from support.offline_models import Filter, Ramp, WholeDelay, in_pieces, scripted, three_ways
from support.offline_models import without_the_optimiser as without_the_optimiser

MODES: dict[str, dict[str, Any]] = {
    "one-shot": {"one_shot": True},
    "one-shot, late": {"one_shot": True, "delay": 37},
    "one-shot of a fixed size": {"one_shot": True, "delay": 5, "block_sizes": (30000, 100000)},
    "any block": {},
    "any block, late": {"delay": 1000},
    "blocks": {"block_sizes": (480,), "delay": 37},
    "look-behind": {"block_sizes": (500,), "look_behind_samples": 123, "delay": 2},
    "overlap": {"block_sizes": (1000,), "overlap_window": "hann", "overlap_hop_samples": 250},
    "overlap, late": {"block_sizes": (1001,), "overlap_window": "triangular", "overlap_hop_samples": 333, "delay": 40},
    "overlap and look-behind": {
        "block_sizes": (512,),
        "overlap_window": "sqrt_hann",
        "overlap_hop_samples": 200,
        "look_behind_samples": 77,
    },
    "frames side by side": {"block_sizes": (300,), "overlap_window": "rectangular", "overlap_hop_samples": 300},
}
RATES = [48000, 44100, 96000, 32000, 11025]


@cache
def scripted_delay(mode: str) -> NonRealtimeSampleQueueWrapper:
    """For tests that prepare it and change nothing else: scripting takes longer than they do."""
    return scripted(WholeDelay(sample_rates=(48000,), **MODES[mode]))


@pytest.mark.parametrize("mode", MODES)
def test_at_the_models_rate_the_identity_is_exact(mode: str) -> None:
    x = noise(20011)
    for name, wrapper in three_ways(WholeDelay(sample_rates=(48000,), **MODES[mode])).items():
        (y,) = wrapper.forward([x])
        if MODES[mode].get("overlap_window", "rectangular") == "rectangular":
            assert torch.equal(y, x), name
        else:
            torch.testing.assert_close(y, x, atol=3e-7, rtol=0.0, msg=name)


def test_the_optimiser_of_hosts_changes_nothing() -> None:
    x = noise(9001)
    model = WholeDelay(sample_rates=(48000,), **MODES["overlap, late"])
    eager = NonRealtimeSampleQueueWrapper(model)
    eager.set_daw_sample_rate_and_buffer_size(44100, 512)
    with optimiser(True):
        wrapper = scripted(model)
        wrapper.set_daw_sample_rate_and_buffer_size(44100, 512)
        for _ in range(4):
            assert torch.equal(wrapper.forward([x])[0], eager.forward([x])[0])


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("mode", MODES)
def test_an_impulse_stays_where_it_was(mode: str, rate: int) -> None:
    places = [0, 9871, 20010]
    wrapper = scripted_delay(mode)
    wrapper.set_daw_sample_rate_and_buffer_size(rate, 512)
    assert wrapper.is_resampling() == (rate != 48000)
    for place in places:
        x = torch.zeros(2, 20011)
        x[0, place], x[1, place] = 0.5, -0.25
        (y,) = wrapper.forward([x])
        assert y.shape == x.shape
        assert y.abs().argmax(1).tolist() == [place, place]
        # A sinc's neighbours are alike on both sides of its peak, unless it is a fraction of a sample off.
        if place == 9871:
            assert float((y[:, place - 1] - y[:, place + 1]).abs().max()) < 1e-4 * float(y.abs().max())


@pytest.mark.parametrize("quality", ["high", "fast", "soxr"])
@pytest.mark.parametrize("rate", [44100, 96000, 22050])
def test_resampled_audio_lies_on_the_input_from_the_first_sample_to_the_last(rate: int, quality: str) -> None:
    time = torch.arange(30011, dtype=torch.float64) / rate
    # A tone that neither fades in nor out, for which the ends are as good as the middle but for what lies outside.
    x = (0.5 * torch.sin(2.0 * torch.pi * 440.0 * time)).to(torch.float32).repeat(2, 1)
    wrapper = NonRealtimeSampleQueueWrapper(WholeDelay(sample_rates=(48000,), block_sizes=(1000,), delay=37), quality)
    wrapper.set_daw_sample_rate_and_buffer_size(rate, 512)
    (y,) = wrapper.forward([x])
    assert y.shape == x.shape
    assert float((y - x)[:, 500:-500].abs().max()) < 2e-5
    assert float((y - x).abs().max()) < 0.05  # the tone stops in mid-air, where any filter rings


@pytest.mark.parametrize("rate", [44100, 96000, 48000])
@pytest.mark.parametrize("one_shot", [True, False])
def test_the_same_as_the_real_time_wrapper(rate: int, one_shot: bool) -> None:
    """Another implementation of the same promise, whose latency is tested by other means."""
    x = noise(30000)
    live = SampleQueueWrapper(DelayModel(37, sample_rates=(48000,)))
    whole = NonRealtimeSampleQueueWrapper(WholeDelay(37, one_shot, sample_rates=(48000,)))
    for wrapper in (live, whole):
        wrapper.set_daw_sample_rate_and_buffer_size(rate, 512)
    torch.testing.assert_close(whole.forward([x])[0], live.forward_offline(x), atol=1e-6, rtol=0.0)


@pytest.mark.parametrize("rate", [48000, 44100, 96000])
def test_blocked_equals_one_shot(rate: int) -> None:
    x = noise(50021)
    once = scripted(Filter(True, sample_rates=(48000,)))
    once.set_daw_sample_rate_and_buffer_size(rate, 512)
    (expected,) = once.forward([x])
    for options in (
        {},
        {"block_sizes": (777,)},
        {"block_sizes": (2048,), "overlap_window": "hann", "overlap_hop_samples": 512},
    ):
        blocked = scripted(Filter(False, sample_rates=(48000,), **options))
        blocked.set_daw_sample_rate_and_buffer_size(rate, 512)
        torch.testing.assert_close(blocked.forward([x])[0], expected, atol=1e-5, rtol=0.0)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rate", [48000, 44100])
def test_pieces_are_the_whole_bit_for_bit(mode: str, rate: int) -> None:
    x = noise(40003)
    wrapper = scripted_delay(mode)
    wrapper.set_daw_sample_rate_and_buffer_size(rate, 512)
    (whole,) = wrapper.forward([x])
    for sizes in ([1, 2, 16384, 7], [40003], [4096], [20000, 3]):
        (y,) = in_pieces(wrapper, [x], sizes)
        assert torch.equal(y, whole), sizes


@settings(max_examples=60, deadline=None)
@given(
    samples=st.integers(1, 3000),
    block=st.integers(1, 700),
    parts=st.integers(1, 8),
    delay=st.integers(0, 60),
    rate=st.sampled_from([48000, 44100, 16000]),
    window=st.sampled_from(["", "hann", "sqrt_hann", "triangular", "rectangular"]),
)
def test_any_shape_of_blocks(samples: int, block: int, parts: int, delay: int, rate: int, window: str) -> None:
    x = noise(samples, seed=samples)
    options: dict[str, Any] = {"block_sizes": (block,), "sample_rates": (48000,)}
    if window:
        delay = min(delay, block - 1)
        options.update(overlap_window=window, overlap_hop_samples=max(1, (block - delay) // parts))
    late = NonRealtimeSampleQueueWrapper(WholeDelay(delay, **options))
    plain = NonRealtimeSampleQueueWrapper(WholeDelay(one_shot=True, sample_rates=(48000,)))
    for wrapper in (late, plain):
        wrapper.set_daw_sample_rate_and_buffer_size(rate, 512)
    (y,) = late.forward([x])
    assert y.shape == x.shape
    torch.testing.assert_close(y, plain.forward([x])[0], atol=2e-6, rtol=0.0)


@pytest.mark.parametrize("window", ["hann", "sqrt_hann", "triangular", "rectangular"])
@pytest.mark.parametrize(("frame", "hop"), [(64, 16), (64, 64), (100, 33), (101, 7), (8, 1), (1, 1)])
def test_overlap_weights_are_the_windows_over_their_sum(window: str, frame: int, hop: int) -> None:
    cosine = cosine_window(frame)
    windows = {
        "hann": cosine**2,
        "sqrt_hann": cosine,
        "triangular": 1.0 - np.abs((2.0 * np.arange(frame) + 1.0) / frame - 1.0),
        "rectangular": np.ones(frame),
    }
    total = np.zeros(30 * frame)
    for start in range(0, 29 * frame, hop):
        total[start : start + frame] += windows[window]
    middle = 10 * frame // hop * hop  # where a frame starts, far from both ends
    expected = windows[window] / total[middle : middle + frame]
    np.testing.assert_allclose(overlap_weights(window, frame, hop).numpy(), expected, rtol=1e-6)
    summed = np.zeros(30 * frame)
    for start in range(0, 29 * frame, hop):
        summed[start : start + frame] += overlap_weights(window, frame, hop).numpy()
    np.testing.assert_allclose(summed[frame : 28 * frame], 1.0, atol=1e-6)


def test_models_of_many_channels_keep_them() -> None:
    x = noise(5000, channels=5)
    wrapper = NonRealtimeSampleQueueWrapper(WholeDelay(3, channels=5, sample_rates=(48000,), block_sizes=(64,)))
    assert torch.equal(wrapper.forward([x])[0], x)


@pytest.mark.parametrize("rate", [32000, 48000, 44100, 16000])
def test_a_blocked_generator_makes_what_is_asked_for(rate: int) -> None:
    wrapper = scripted(Ramp(block_sizes=(1000,)))
    wrapper.set_daw_sample_rate_and_buffer_size(rate, 512)
    mono, stereo = wrapper.forward([], torch.zeros(1, 20011))
    assert mono.shape == (1, 20011)
    assert torch.equal(stereo, mono.repeat(2, 1))
    expected = torch.arange(20011) * 32000 / rate / 1000.0
    difference = (mono[0] - expected).abs()
    assert float(difference.max() if rate == 32000 else difference[200:-200].max()) < 1e-4
    (one_block, _) = wrapper.forward([])
    assert one_block.size(1) == 1000 * rate // 32000


@pytest.mark.parametrize("rate", [32000, 48000, 44100])
def test_a_one_shot_generator_chooses_its_length(rate: int) -> None:
    wrapper = scripted(Ramp(one_shot=True, length=7001))
    wrapper.set_daw_sample_rate_and_buffer_size(rate, 512)
    for params in (None, torch.zeros(1, 1), torch.zeros(1, 123)):
        (y, _) = wrapper.forward([], params)
        assert y.size(1) == round(7001 * rate / 32000)
    expected = torch.arange(y.size(1)) * 32000 / rate / 1000.0
    difference = (y[0] - expected).abs()
    assert float(difference.max() if rate == 32000 else difference[200:-200].max()) < 1e-4
