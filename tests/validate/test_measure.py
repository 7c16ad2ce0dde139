"""The measuring functions, on signals whose delay, pitch and distortion are known by construction."""

import math

import numpy as np
import pytest
import torch

from neutone_like.errors import AudioError
from neutone_like.validate import measure

RATE = 48000.0


def delayed_noise(rate: float, seconds: float, delay_seconds: float, seed: int = 3) -> np.ndarray:
    """A sum of fixed sines up to 6 kHz, evaluated at the sample instants: exact at any rate and delay."""
    generator = np.random.default_rng(seed)
    frequencies = generator.uniform(60.0, 6000.0, 200)
    phases = generator.uniform(0.0, 2.0 * np.pi, 200)
    time = np.arange(round(rate * seconds)) / rate - delay_seconds
    return np.sin(2.0 * np.pi * np.outer(time, frequencies) + phases).sum(axis=1) / 200.0


def sine(frequency: float, amplitude: float = 0.5, rate: float = RATE, seconds: float = 0.5) -> np.ndarray:
    return amplitude * np.sin(2.0 * np.pi * frequency / rate * np.arange(round(rate * seconds)) + 0.3)


@pytest.mark.parametrize("delay", [0.0, 1.0, 37.0, 0.25, 12.5, 311.73, -5.4])
@pytest.mark.parametrize("gain", [1.0, -0.2])
def test_a_known_delay_is_found_to_a_hundredth_of_a_sample(delay: float, gain: float) -> None:
    reference = delayed_noise(RATE, 0.2, 0.0)
    measured = measure.delay_samples(reference, gain * delayed_noise(RATE, 0.2, delay / RATE))
    assert measured == pytest.approx(delay, abs=0.02)


@pytest.mark.parametrize("position", [200.0, 100.0, 317.37])
def test_the_centre_of_a_band_limited_impulse_is_its_position(position: float) -> None:
    response = np.sinc(0.8 * (np.arange(800) - position)) * np.exp(-(((np.arange(800) - position) / 40.0) ** 2))
    assert measure.impulse_position(torch.from_numpy(response)) == pytest.approx(position, abs=1e-3)


@pytest.mark.parametrize("rates", [(48000.0, 48000.0), (44100.0, 48000.0), (16000.0, 96000.0)])
@pytest.mark.parametrize("delay_samples", [0.0, 0.05, -0.37, 63.0])
def test_a_delay_between_two_rates_is_found_to_a_thousandth(rates: tuple[float, float], delay_samples: float) -> None:
    frequencies = (50.0 * np.unique(np.random.default_rng(1).integers(2, 120, 60))).astype(np.float64)
    phases = np.random.default_rng(2).uniform(0.0, 2.0 * np.pi, frequencies.size)

    def tones(rate: float, delay: float) -> np.ndarray:
        time = np.arange(round(0.4 * rate)) / rate - delay
        return np.sin(2.0 * np.pi * np.outer(time, frequencies) + phases).sum(axis=1)

    delay = delay_samples / rates[1]
    fit = measure.delay_between_rates(tones(rates[0], 0.0), rates[0], tones(rates[1], delay), rates[1], frequencies)
    assert fit.seconds * rates[1] == pytest.approx(delay_samples, abs=1e-3)
    assert fit.coherence > 0.999


@pytest.mark.parametrize("delay_seconds", [0.0, 1.37e-3, -0.02])
def test_the_lines_of_a_spectrum_give_the_same_delay(delay_seconds: float) -> None:
    frequencies = 2.5 * np.arange(800, dtype=np.float64)
    strength = np.random.default_rng(4).uniform(0.1, 1.0, 800)
    response = (np.exp(-2j * np.pi * frequencies * delay_seconds) * strength).astype(np.complex128)
    fit = measure.fit_delay_on_lines(response, 2.5, 0.1)
    assert fit.seconds == pytest.approx(delay_seconds, abs=1e-9)
    assert fit.coherence == pytest.approx(1.0)


def test_a_dispersive_response_has_low_coherence() -> None:
    frequencies = 50.0 * np.arange(2.0, 120.0)
    scrambled = np.exp(1j * np.random.default_rng(0).uniform(0.0, 2.0 * np.pi, frequencies.size))
    assert measure.fit_delay(scrambled, frequencies, 0.02).coherence < 0.5


@pytest.mark.parametrize("snr", [20.0, 60.0, 110.0])
def test_noise_of_known_power_gives_its_snr(snr: float) -> None:
    noise = np.random.default_rng(5).standard_normal(24000)
    noise *= 0.5 / math.sqrt(2.0) * 10 ** (-snr / 20.0) / np.sqrt(np.mean(noise**2))
    assert measure.tone_snr_db(sine(997.0) + noise, RATE, 997.0) == pytest.approx(snr, abs=0.02)


def test_harmonics_of_known_level_give_their_thd() -> None:
    signal = sine(1000.0) + sine(2000.0, 0.005) + sine(3000.0, 0.005) + 0.1
    assert measure.thd_plus_noise_db(signal, RATE, 1000.0) == pytest.approx(-40.0 + 10.0 * math.log10(2.0), abs=0.01)


def test_the_gain_of_a_tone() -> None:
    assert measure.tone_gain_db(sine(440.0, 0.25), RATE, 440.0, 0.5) == pytest.approx(-6.0206, abs=1e-3)


@pytest.mark.parametrize("offset_cents", [0.0, 0.01, -3.0, 700.0])
def test_a_pitch_is_found_to_a_thousandth_of_a_cent(offset_cents: float) -> None:
    frequency = 1000.0 * 2.0 ** (offset_cents / 1200.0)
    found = measure.tone_frequency(sine(frequency).astype(np.float32), RATE)
    assert measure.cents(found, 1000.0) == pytest.approx(offset_cents, abs=1e-3)


def test_a_weak_component_is_seen_beside_a_full_scale_one() -> None:
    signal = sine(1000.0, 1.0, seconds=1.0) + sine(15003.3, 10 ** (-120.0 / 20.0), seconds=1.0)
    assert measure.strongest_component_db(signal, RATE, 2000.0, 24000.0) == pytest.approx(-120.0, abs=1.0)


def test_the_difference_of_two_signals() -> None:
    assert measure.difference_db(sine(100.0) * 1.001, sine(100.0)) == pytest.approx(-60.0, abs=1e-3)
    assert measure.difference_db(sine(100.0), sine(100.0)) == measure.SILENCE_DB


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(AudioError, match=r"one channel .* got shape \(2, 8\)"):
        measure.samples_of(torch.zeros(2, 8))
    with pytest.raises(AudioError, match="got NaN or infinity"):
        measure.samples_of(torch.tensor([0.0, float("nan")]))
    with pytest.raises(AudioError, match="silence"):
        measure.delay_samples(np.zeros(8), np.zeros(8))
    with pytest.raises(AudioError, match="equally long, got 3 and 4"):
        measure.difference_db(np.ones(3), np.ones(4))
    with pytest.raises(AudioError, match=r"between 10\.0 and 11\.0 Hz"):
        measure.strongest_component_db(np.ones(64), RATE, 10.0, 11.0)
