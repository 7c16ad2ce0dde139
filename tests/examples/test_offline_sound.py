"""Tone generator and loudness normaliser: against physics, and another implementation."""

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from neutone_like.artifact.writing.sample_audio import drum_loop, guitar_riff
from neutone_like.errors import ParameterError
from neutone_like.render import OfflinePlugin
from support.example_hosts import example, hosted, recording, scripted
from support.example_hosts import without_optimiser as without_optimiser

tone_generator, loudness_normaliser = example("tone_generator"), example("loudness_normaliser")


# Tone generator

HERTZ = {"A4": 440.0, "C#5": 554.365, "Eb3": 155.563, "C1": 32.7032, "B6": 1975.53}  # equal temperament, from tables


def tones(notes: str, sound: str = "soft", rate: int = 44100, **numbers: float) -> NDArray[np.float64]:
    """Played by the scripted model from text, tokenised by the tokenizer that it carries: ``[N]``."""
    pytest.importorskip("tokenizers", reason='pip install "neutone-like[tokenizers]"')
    plugin = OfflinePlugin(tone_generator.build_model(), {"notes": notes, "sound": sound, **numbers})
    wrapper = scripted("tone_generator", rate)
    model = tone_generator.ToneGenerator
    rows = [[(numbers.get(p.name, p.default) - p.minimum) / (p.maximum - p.minimum)] for p in model.parameters[2:]]
    (output,) = wrapper.forward([], torch.tensor(rows), plugin.texts, plugin.tokens)
    return output[0].double().numpy()


def pitch_by_spectrum(sound: NDArray[np.float64], rate: int, lowest_hz: float = 20.0) -> float:
    """The strongest line of a long zero-padded spectrum, in Hz; its top from a parabola through three lines."""
    size = 1 << 20
    power = np.log(np.abs(np.fft.rfft(sound * np.hanning(sound.size), size)) + 1e-12)
    first = int(lowest_hz * size / rate)
    top = first + int(np.argmax(power[first:]))
    left, middle, right = power[top - 1 : top + 2]
    return (top + 0.5 * (left - right) / (left - 2 * middle + right)) * rate / size


def pitch_by_autocorrelation(sound: NDArray[np.float64], rate: int, longest_seconds: float = 0.04) -> float:
    """The first lag after the autocorrelation's first fall at which it is nearly as high as it gets again."""
    size = 1 << (2 * sound.size).bit_length()
    correlation = np.fft.irfft(np.abs(np.fft.rfft(sound, size)) ** 2)[: int(longest_seconds * rate)]
    correlation /= np.arange(sound.size, sound.size - correlation.size, -1)
    start = int(np.argmax(correlation < 0.0))
    peaks = (
        np.flatnonzero(
            (correlation[1:-1] > correlation[:-2])
            & (correlation[1:-1] >= correlation[2:])
            & (np.arange(1, correlation.size - 1) > start)
        )
        + 1
    )
    top = int(next(peak for peak in peaks if correlation[peak] > 0.95 * correlation[peaks].max()))
    left, middle, right = correlation[top - 1 : top + 2]
    return rate / (top + 0.5 * (left - right) / (left - 2 * middle + right))


@pytest.mark.parametrize("rate", [22050, 48000])
@pytest.mark.parametrize("sound", ["soft", "bright", ""])
def test_every_note_has_the_pitch_that_its_name_says(sound: str, rate: int) -> None:
    played = tones(" ".join(HERTZ), sound, rate, tempo=60.0)
    assert played.size == len(HERTZ) * rate
    for index, hertz in enumerate(HERTZ.values()):
        note = played[index * rate : (index + 1) * rate]
        assert pitch_by_spectrum(note, rate) == pytest.approx(hertz, rel=3e-4)  # half a cent
        assert pitch_by_autocorrelation(note, rate) == pytest.approx(hertz, rel=5e-3)  # a tenth of a semitone


def test_tuning_and_tempo_do_what_they_say() -> None:
    played = tones("A4 A5 A4", tuning=432.0, tempo=90.0)
    assert played.size == 3 * 44100 * 60 // 90
    third = played.size // 3
    assert pitch_by_spectrum(played[:third], 44100) == pytest.approx(432.0, rel=3e-4)
    assert pitch_by_spectrum(played[third : 2 * third], 44100) == pytest.approx(864.0, rel=3e-4)


def test_flats_are_sharps_and_a_rest_is_silent() -> None:
    assert np.array_equal(tones("Db5 Bb2 - Gb4"), tones("C#5 A#2 - F#4"))
    played = tones("A4 - A4", tempo=120.0)
    assert np.abs(played[22050:44100]).max() == 0.0
    assert np.array_equal(played[:22050], played[44100:])
    assert not np.any(tones(""))


def test_words_of_the_sound_change_it() -> None:
    def centroid(sound: NDArray[np.float64]) -> float:
        power = np.abs(np.fft.rfft(sound)) ** 2
        return float((power * np.fft.rfftfreq(sound.size, 1 / 44100)).sum() / power.sum())

    soft, plain, bright = (centroid(tones("A3", sound)) for sound in ("a SOFT sound", "no word it knows", "bright"))
    assert 220.0 <= soft < plain < 0.9 * bright
    plucked, held = tones("A3", "plucked"), tones("A3", "")
    assert np.abs(plucked[-8000:]).max() < 0.25 * np.abs(plucked[:8000]).max()
    assert np.abs(held[-8000:]).max() > 0.9 * np.abs(held[:8000]).max()


def test_nothing_folds_back_at_a_low_rate() -> None:
    """B6 has five harmonics below 11025 Hz: all power lies on multiples of its pitch."""
    played = tones("B6", "bright", 22050, tempo=60.0)
    power = np.abs(np.fft.rfft(played * np.blackman(played.size))) ** 2
    hertz = np.fft.rfftfreq(played.size, 1 / 22050)
    near = np.abs(hertz / HERTZ["B6"] - np.round(hertz / HERTZ["B6"])) * HERTZ["B6"] < 200.0
    assert power[~near].sum() < 1e-5 * power.sum()


@pytest.mark.parametrize("notes", ["A4 H5", "A4C5", "A8"])
def test_what_is_no_note_is_refused_by_its_number(notes: str) -> None:
    pytest.importorskip("tokenizers")
    plugin = OfflinePlugin(tone_generator.build_model(), {"notes": notes})
    wrapper = hosted(tone_generator.build_model(), 44100)
    number = 1 if notes == "A4C5" or notes == "A8" else 2
    with pytest.raises(ParameterError, match=f"number {number} is no note .* from C1 to B7"):
        wrapper.forward([], None, None, plugin.tokens)


# Loudness normaliser


def loudness(sound: Tensor, rate: int) -> float:
    """As the model measures it, scripted."""
    meter: Any = torch.jit.script(loudness_normaliser.LoudnessMeter(rate))
    response = meter.response()
    powers = [meter.step_powers(sound, piece, response) for piece in range(meter.pieces(sound.size(1)))]
    return float(meter.integrated(torch.cat(powers)))


def independent_loudness(sound: Tensor, rate: int) -> float:
    """By pyloudnorm, with the filters that BS.1770 has at every rate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pyloudnorm = pytest.importorskip("pyloudnorm")
        meter = pyloudnorm.Meter(rate, filter_class="DeMan")
        return float(meter.integrated_loudness(sound.T.double().numpy()))


def programme(rate: int, seconds: float = 24.0) -> Tensor:
    """Noise with a falling spectrum that swells, stops and whispers, so that both gates have something to do."""
    total = round(seconds * rate)
    noise = torch.randn(2, total, generator=torch.Generator().manual_seed(rate), dtype=torch.float64)
    falling = torch.fft.irfft(torch.fft.rfft(noise) / torch.arange(1, total // 2 + 2).sqrt(), n=total)
    t = torch.arange(total, dtype=torch.float64) / total
    shape = torch.where(t < 0.4, 10.0 ** (-2.0 * t), torch.where(t < 0.6, 1e-5, 10.0 ** (-2.5 + t)))
    return (0.5 * falling / falling.abs().max() * shape).float()


@pytest.mark.parametrize("rate", [16000, 22050, 44100, 48000, 96000])
def test_loudness_agrees_with_another_implementation(rate: int) -> None:
    sound = programme(rate)
    expected = independent_loudness(sound, rate)
    assert loudness(sound, rate) == pytest.approx(expected, abs=0.01)
    # The gates matter here: without them the same sound measures otherwise.
    meter = loudness_normaliser.LoudnessMeter(rate)
    meter.absolute_gate = meter.relative_gate = 0.0
    powers = [meter.step_powers(sound, piece, meter.response()) for piece in range(meter.pieces(sound.size(1)))]
    assert abs(meter.integrated(torch.cat(powers)) - expected) > 1.0


@pytest.mark.parametrize("name", ["guit_em9", "guit_e_slide", "bass_trance_c", "ambi_choir", "loop_amen"])
def test_loudness_of_recordings_agrees_too(name: str, shared_folder: Path) -> None:
    sound = recording(shared_folder, name)
    assert loudness(sound, 44100) == pytest.approx(independent_loudness(sound, 44100), abs=0.02)


def test_loudness_of_the_standards_own_tone() -> None:
    """BS.1770-4: a full-scale sine of 997 Hz in one front channel reads -3.01 LUFS."""
    tone = torch.sin(2 * math.pi * 997 * torch.arange(480_000, dtype=torch.float64) / 48000).float().unsqueeze(0)
    assert loudness(tone, 48000) == pytest.approx(-3.01, abs=0.005)
    assert loudness(tone.repeat(2, 1), 48000) == pytest.approx(0.0, abs=0.005)
    assert loudness(0.1 * tone, 48000) == pytest.approx(-23.01, abs=0.005)


def normalised(sound: Tensor, rate: int, lufs: float, ceiling_db: float) -> Tensor:
    wrapper = scripted("loudness_normaliser", rate)
    assert not wrapper.is_resampling()
    return wrapper.forward([sound], torch.tensor([[(lufs + 40.0) / 34.0], [(ceiling_db + 20.0) / 20.0]]))[0]


@pytest.mark.parametrize(("rate", "lufs"), [(44100, -23.0), (48000, -14.0), (96000, -31.5)])
def test_a_recording_comes_out_as_loud_as_wanted_and_otherwise_as_it_was(rate: int, lufs: float) -> None:
    sound = 0.1 * guitar_riff(rate, 6.0).repeat(2, 1)
    y = normalised(sound, rate, lufs, 0.0)
    assert float(y.abs().max()) < 1.0
    assert independent_loudness(y, rate) == pytest.approx(lufs, abs=0.1)
    gain = float(y.abs().max() / sound.abs().max())
    torch.testing.assert_close(y, gain * sound, atol=1e-6, rtol=1e-5)


def test_peaks_stay_below_the_ceiling() -> None:
    sound = drum_loop(48000, 4.0)
    y = normalised(sound, 48000, -6.0, -3.0)
    assert float(y.abs().max()) == pytest.approx(10 ** (-3.0 / 20), rel=1e-4)
    assert independent_loudness(y, 48000) < -6.5


@pytest.mark.parametrize("samples", [1, 3000, 30_000])
def test_silence_and_shorter_than_a_block(samples: int) -> None:
    silence = torch.zeros(2, samples)
    assert torch.equal(normalised(silence, 48000, -16.0, -1.0), silence)
    assert torch.isfinite(normalised(0.5 * torch.randn(2, samples), 48000, -16.0, -1.0)).all()
