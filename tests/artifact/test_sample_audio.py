"""The synthesised riff and loop: the same every time, at the pitch, place and level they should have."""

import numpy as np
import pytest
import torch
from torch import Tensor

from neutone_like.artifact.writing import sample_audio
from neutone_like.artifact.writing.sample_audio import BEAT_SECONDS, RIFF, SAMPLE_NAMES, SAMPLES, drum_loop, guitar_riff
from neutone_like.errors import AudioError

RATES = (8000, 22050, 44100, 48000, 96000)
MINUS_1_DBFS = 10 ** (-1 / 20)


def strongest_hz(signal: Tensor, sample_rate: int, lowest_hz: float, highest_hz: float) -> float:
    """Frequency of the highest spectral peak in a band, refined by a parabola through its logarithm."""
    windowed = signal.double().numpy() * np.hanning(signal.numel())
    level = np.log(np.abs(np.fft.rfft(windowed, n=8 * signal.numel())) + 1e-12)
    hertz = np.fft.rfftfreq(8 * signal.numel(), 1 / sample_rate)
    inside = np.flatnonzero((hertz > lowest_hz) & (hertz < highest_hz))
    peak = int(inside[np.argmax(level[inside])])
    below, at, above = level[peak - 1 : peak + 2]
    return float((peak + 0.5 * (below - above) / (below - 2 * at + above)) * hertz[1])


def share_of_power_above(signal: Tensor, sample_rate: int, hz: float) -> float:
    power = torch.fft.rfft(signal.double() * torch.hann_window(signal.numel()).double()).abs().square()
    hertz = torch.fft.rfftfreq(signal.numel(), 1 / sample_rate)
    return float(power[hertz > hz].sum() / power.sum())


@pytest.mark.parametrize("name", SAMPLE_NAMES)
@pytest.mark.parametrize("rate", RATES)
def test_shape_type_and_level(name: str, rate: int) -> None:
    audio = SAMPLES[name](rate, 4.0)
    assert audio.shape == (1 if name == "guitar_riff" else 2, 4 * rate)
    assert audio.dtype == torch.float32
    assert bool(torch.isfinite(audio).all())
    assert 0.5 < float(audio.abs().max()) < MINUS_1_DBFS


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_every_call_gives_the_same_and_draws_nothing_from_the_global_generators(name: str) -> None:
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002 - the global generator is the subject
    before_torch, before_numpy = torch.get_rng_state(), np.random.get_state(legacy=False)["state"]["key"]  # noqa: NPY002
    first = SAMPLES[name](44100, 1.0)
    assert torch.equal(before_torch, torch.get_rng_state())
    assert np.array_equal(before_numpy, np.random.get_state(legacy=False)["state"]["key"])  # noqa: NPY002
    torch.manual_seed(2)
    assert torch.equal(first, SAMPLES[name](44100, 1.0))


# Taken once and kept: a machine or a torch release that computes something else shows here.
KNOWN_SAMPLES = {
    "guitar_riff": [
        0.52754837,
        -0.08095495,
        0.03593519,
        -0.20190461,
        -0.11619700,
        -0.11984417,
        0.29513976,
        -0.03870101,
    ],
    "drum_loop": [
        -0.39019012,
        -0.05262802,
        0.11260891,
        -0.40094694,
        -0.04718085,
        -0.29140460,
        -0.16132209,
        -0.00022867,
    ],
}


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_same_numbers_as_when_it_was_written(name: str) -> None:
    audio = SAMPLES[name](48000, 2.0)[0, 1234::12345]
    torch.testing.assert_close(audio, torch.tensor(KNOWN_SAMPLES[name]), atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", SAMPLE_NAMES)
@pytest.mark.parametrize("seconds", [1 / 48000, 0.3, 4.5, 9.1])
def test_length_follows_seconds_and_a_shorter_one_is_the_start_of_a_longer(name: str, seconds: float) -> None:
    whole = SAMPLES[name](48000, 9.2)
    part = SAMPLES[name](48000, seconds)
    assert part.size(1) == round(seconds * 48000)
    assert torch.equal(part, whole[:, : part.size(1)])


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("strum", [RIFF[5], RIFF[6], RIFF[7]], ids=["E3", "G3", "A3"])
def test_the_riffs_single_notes_have_their_fundamental(rate: int, strum: sample_audio.Strum) -> None:
    start = round(strum.start_beats * BEAT_SECONDS * rate)
    note = guitar_riff(rate)[0, start : start + round(strum.length_beats * BEAT_SECONDS * rate)]
    expected = 440.0 * 2 ** ((strum.notes[0] - 69) / 12)
    measured = strongest_hz(note, rate, expected / 1.4, expected * 1.4)
    assert abs(1200 * np.log2(measured / expected)) < 10  # cents


def test_every_drum_hit_starts_where_the_pattern_says() -> None:
    loop, rate = drum_loop(48000), 48000
    for beat in sample_audio.KICK_BEATS[1:] + sample_audio.SNARE_BEATS:
        start = round(beat * BEAT_SECONDS * rate)
        before, after = loop[:, start - 480 : start], loop[:, start : start + 480]
        assert float(after.square().sum()) > 5.0 * float(before.square().sum()), f"nothing starts at beat {beat}"


def test_kick_in_the_middle_snare_to_the_left_hats_to_the_right() -> None:
    left, right = drum_loop(48000)
    kick, snare, hat = slice(2400, 4800), slice(24000, 28800), slice(12000, 13000)
    kick_power = [torch.fft.rfft(side[kick])[:20].abs().square().sum() for side in (left, right)]
    assert float(kick_power[0] / kick_power[1]) == pytest.approx(1.0, abs=0.02)
    assert float(left[snare].square().sum()) > 1.2 * float(right[snare].square().sum())
    # Differences weigh what is high: the hat, not the kick's tail under it.
    assert float(right[hat].diff().square().sum()) > 2.0 * float(left[hat].diff().square().sum())
    assert share_of_power_above(right[hat], 48000, 5000) > 20 * share_of_power_above(left[kick], 48000, 5000)


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_nothing_much_near_half_the_rate(rate: int) -> None:
    """Fades spread a partial a little; aliases of hundreds of them would not stay this low."""
    assert share_of_power_above(guitar_riff(rate)[0], rate, 0.46 * rate) < 1e-9
    for side in drum_loop(rate):
        assert share_of_power_above(side, rate, 0.46 * rate) < 1e-6


def test_rates_sound_alike() -> None:
    """The riff at 96 kHz, every second sample, is the riff at 48 kHz (its partials stop at 5 kHz)."""
    torch.testing.assert_close(guitar_riff(96000)[:, ::2], guitar_riff(48000), atol=1e-3, rtol=0)


def test_noise_hash_is_uniform() -> None:
    numbers = sample_audio.hashed_uniform(torch.arange(100_000), seed=3)
    counts = torch.histc(numbers, bins=20, min=0.0, max=1.0)
    assert float(((counts - 5000) ** 2 / 5000).sum()) < 50.0  # chi-squared, 19 degrees: 50 is beyond p = 1e-4
    assert abs(float(((numbers[1:] - 0.5) * (numbers[:-1] - 0.5)).mean())) < 1e-3
    assert not torch.equal(numbers, sample_audio.hashed_uniform(torch.arange(100_000), seed=4))


@pytest.mark.parametrize("rate", [0, 999, 400_000, 44100.0, True])
def test_a_rate_that_is_none_is_refused(rate: int) -> None:
    with pytest.raises(AudioError, match=r"sample_rate must be an integer in 1000\.\.384000 Hz, got"):
        guitar_riff(rate)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_length_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(AudioError, match="seconds: expected a length of at least one sample, got"):
        drum_loop(48000, seconds)
