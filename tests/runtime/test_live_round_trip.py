"""The way round, with a device that delays by a known number of samples."""

import numpy as np
import pytest

from neutone_like.errors import RuntimeEngineError
from neutone_like.runtime.live import RoundTrip, measure_round_trip, round_trip
from neutone_like.runtime.live.round_trip import find_delay
from support.fake_portaudio import fake_portaudio


@pytest.mark.parametrize(("delay", "block"), [(128, None), (3001, 100)])
def test_it_is_what_the_device_delays(monkeypatch: pytest.MonkeyPatch, delay: int, block: int | None) -> None:
    monkeypatch.setenv("FAKE_LOOP_BACK", str(delay))
    monkeypatch.setattr(round_trip, "_LONGEST_SECONDS", 0.1)
    found = measure_round_trip(portaudio=fake_portaudio(), block_size=block, repeats=2, inputs=(2,))
    assert found.every_samples == (delay, delay)
    assert found.samples == delay
    assert found.seconds == delay / 48000
    assert found.reported_seconds == 128 / 48000
    assert (found.sample_rate, found.block_size, found.device_xruns) == (48000, block or 128, 0)
    assert found.clearness > 50
    assert f"{delay} samples ({1000 * delay / 48000:.1f} ms) from output to input; it says 128" in repr(found)


def test_what_does_not_come_back_is_no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake device hears noise of its own, louder than the sound."""
    monkeypatch.setattr(round_trip, "_LONGEST_SECONDS", 0.1)
    with pytest.raises(RuntimeEngineError, match=r"one .Fake. played was not heard by one .Fake. within 0.1 second"):
        measure_round_trip(portaudio=fake_portaudio())


def test_a_device_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_VANISH_AFTER", "5")
    with pytest.raises(RuntimeEngineError, match="went away while it was measured"):
        measure_round_trip(portaudio=fake_portaudio())


def test_repeats_are_checked() -> None:
    with pytest.raises(RuntimeEngineError, match="repeats must be an integer in 1..20, got 0"):
        measure_round_trip(repeats=0)


def test_a_sound_is_found_in_noise() -> None:
    """Quieter than the noise, turned over and dulled, as after a cable of the wrong polarity and a microphone."""
    generator = np.random.default_rng(1)
    sound = generator.uniform(-1.0, 1.0, 9600).astype(np.float32)
    heard = generator.normal(0.0, 0.5, 48000).astype(np.float32)
    heard[5000:14600] -= np.convolve(0.5 * sound, np.full(4, 0.25), "full")[:9600]
    delay, clearness = find_delay(sound, heard)
    assert abs(delay - 5001.5) <= 1.5
    assert clearness > 12
    assert find_delay(sound, generator.normal(0.0, 0.5, 480000).astype(np.float32))[1] < 8
    assert find_delay(sound, np.zeros(48000, np.float32)) == (0, 0.0)


def test_it_prints_xruns() -> None:
    found = RoundTrip(128, 128 / 48000, (128,), None, 99.0, 48000, 128, 2)
    assert "2 xruns meanwhile: measure again" in repr(found)
    assert "it does not say how much" in repr(found)
