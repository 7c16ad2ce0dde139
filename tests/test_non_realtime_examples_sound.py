"""What those examples do to sound: against physics, another implementation, and recordings that none was trained on."""

import importlib
import math
import sys
import warnings
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray
from torch import Tensor
from typer.testing import CliRunner

from neutone_like import NonRealtimeSampleQueueWrapper
from neutone_like.artifact.sample_audio import drum_loop, guitar_riff
from neutone_like.errors import ParameterError
from neutone_like.render import NonRealtimePlugin

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
if str(EXAMPLES) not in sys.path:
    sys.path.append(str(EXAMPLES))

random_music, tone_generator, loudness_normaliser, diffusion_denoiser, train_diffusion_denoiser = (
    importlib.import_module(name)
    for name in (
        "random_music",
        "tone_generator",
        "loudness_normaliser",
        "diffusion_denoiser",
        "train_diffusion_denoiser",
    )
)
with_torchaudio = pytest.mark.skipif(
    find_spec("torchaudio") is None, reason='torchaudio is not installed: pip install "neutone-like[torchaudio]"'
)


def hosted(model: Any, rate: int) -> Any:
    wrapper = NonRealtimeSampleQueueWrapper(model)
    wrapper.set_daw_sample_rate_and_buffer_size(rate, 512)
    return wrapper


@cache
def scripted_wrapper(name: str) -> Any:
    return torch.jit.script(NonRealtimeSampleQueueWrapper(importlib.import_module(name).build_model()))


def scripted(name: str, rate: int) -> Any:
    """As it is in the artifact: one for all tests, as every signal starts afresh."""
    wrapper = scripted_wrapper(name)
    wrapper.set_daw_sample_rate_and_buffer_size(rate, 512)
    return wrapper


def recording(shared_folder: Path, name: str, seconds: float = 4.0) -> Tensor:
    """A CC0 recording over and over, ``[2, N]`` at 44.1 kHz, RMS 0.1."""
    audio, rate = soundfile.read(shared_folder / "audio" / f"{name}.flac", dtype="float32", always_2d=True)
    assert rate == 44100
    sound = torch.from_numpy(audio.T.copy())
    sound = sound.repeat(2, 1) if sound.size(0) == 1 else sound
    total = round(seconds * rate)
    sound = sound.repeat(1, -(-total // sound.size(1)))[:, :total]
    return 0.1 * sound / sound.square().mean().sqrt()


# What is learned from


@pytest.mark.parametrize("part", ["random_notes", "random_drums"])
def test_random_music_is_repeatable_and_never_twice_the_same(part: str) -> None:
    draw = getattr(random_music, part)
    dice = random_music.Dice(3)
    first, second = draw(dice, 0.5), draw(dice, 0.5)
    assert torch.equal(draw(random_music.Dice(3), 0.5), first)
    assert not torch.equal(first, second)
    for sound in (first, second):
        assert sound.shape == (11025,)
        assert float(sound.square().mean().sqrt()) == pytest.approx(0.1, abs=1e-4)


def test_notes_are_more_tonal_than_drums() -> None:
    """Spectral flatness, the geometric over the arithmetic mean of the power: 1 for white noise, 0 for a tone."""

    def flatness(sound: Tensor) -> float:
        power = (
            torch.stft(sound, 1024, window=torch.hann_window(1024), center=False, return_complex=True)
            .abs()
            .square()
            .mean(1)
        )
        return float(power.log().mean().exp() / power.mean())

    dice = random_music.Dice(1)
    notes = [flatness(random_music.random_notes(dice, 1.0)) for _ in range(12)]
    drums = [flatness(random_music.random_drums(dice, 1.0)) for _ in range(12)]
    assert sorted(notes)[6] < 0.3 * sorted(drums)[6]


# Stem separator


def separator() -> Any:
    return importlib.import_module("stem_separator"), importlib.import_module("train_stem_separator")


@with_torchaudio
def test_separator_reaches_what_it_states_on_instruments_it_never_heard() -> None:
    example, training = separator()
    stated = example.load_training_report()["held_out_si_sdr_improvement_db"]
    assert min(stated.values()) > 6.0
    drums_db, rest_db = training.improvements_db(example.build_model().model, *training.held_out_stems(4.0), 44100)
    assert drums_db == pytest.approx(stated["drums"], abs=1.0)
    assert rest_db == pytest.approx(stated["rest"], abs=1.0)


@with_torchaudio
def test_before_training_it_separates_nothing() -> None:
    example, training = separator()
    improved = training.improvements_db(example.build_network(), *training.held_out_stems(2.0), 44100)
    assert max(improved) < 2.0


@with_torchaudio
@pytest.mark.parametrize(
    ("name", "least_db"), [("guit_em9", 3.0), ("guit_e_slide", 8.0), ("bass_trance_c", 2.0), ("ambi_choir", 8.0)]
)
def test_it_separates_recordings_that_are_not_made_by_arithmetic(
    name: str, least_db: float, shared_folder: Path
) -> None:
    example, training = separator()
    drums, other = recording(shared_folder, "loop_amen"), recording(shared_folder, name)
    assert min(training.improvements_db(example.build_model().model, drums, other, 44100)) > least_db


@with_torchaudio
@pytest.mark.parametrize("seconds", [0.3, 3.3])
def test_stems_add_up_to_the_mix(seconds: float) -> None:
    example, _ = separator()
    mix = 0.5 * (guitar_riff(22050, seconds) + drum_loop(22050, seconds))
    drums, rest = hosted(example.build_model(), 22050).forward([mix])
    torch.testing.assert_close(drums + rest, mix, atol=1e-6, rtol=0)
    assert float(drums.abs().max()) > 0.05
    assert float(rest.abs().max()) > 0.05


@with_torchaudio
def test_left_and_right_are_separated_alike() -> None:
    example, _ = separator()
    mono = 0.5 * (guitar_riff(22050, 1.0) + drum_loop(22050, 1.0).mean(0, keepdim=True))
    for stem in hosted(example.build_model(), 22050).forward([torch.cat((mono, 0.25 * mono))]):
        torch.testing.assert_close(stem[1], 0.25 * stem[0], atol=1e-4, rtol=0)


@with_torchaudio
def test_separator_training_script_learns_and_writes_what_the_example_loads(tmp_path: Path) -> None:
    example, training = separator()
    app = importlib.import_module("typer").Typer()
    app.command()(training.main)
    weights = tmp_path / "quick.pt"
    arguments = ["--steps", "4", "--pool", "6", "--threads", "1", "--out", str(weights)]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    stated = example.load_training_report(weights)["held_out_si_sdr_improvement_db"]
    assert f"SI-SDR improvement: drums {stated['drums']:.1f} dB" in result.stdout
    trained = example.build_model(weights).model.state_dict()
    assert any(not torch.equal(trained[key], value) for key, value in example.build_network(0).state_dict().items())


# Tone generator

HERTZ = {"A4": 440.0, "C#5": 554.365, "Eb3": 155.563, "C1": 32.7032, "B6": 1975.53}  # equal temperament, from tables


def tones(notes: str, sound: str = "soft", rate: int = 44100, **numbers: float) -> NDArray[np.float64]:
    """Played by the scripted model from text, tokenised by the tokenizer that it carries: ``[N]``."""
    pytest.importorskip("tokenizers", reason='pip install "neutone-like[tokenizers]"')
    plugin = NonRealtimePlugin(tone_generator.build_model(), {"notes": notes, "sound": sound, **numbers})
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
    plugin = NonRealtimePlugin(tone_generator.build_model(), {"notes": notes})
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


# Diffusion denoiser


@pytest.fixture
def denoiser() -> Any:
    return scripted("diffusion_denoiser", 44100)


def settings(steps: str, take: int = 0) -> Tensor:
    return torch.tensor([[diffusion_denoiser.STEPS.index(steps) / (len(diffusion_denoiser.STEPS) - 1)], [take / 3]])


def test_denoiser_reaches_what_it_states_on_instruments_it_never_heard() -> None:
    stated = diffusion_denoiser.load_training_report()["held_out_improvement_db_by_steps"]
    network = diffusion_denoiser.build_model().model
    for steps in ("1", "4"):
        assert stated[steps] > 6.0
        measured = train_diffusion_denoiser.held_out_improvement_db(network, steps)
        assert measured == pytest.approx(stated[steps], abs=0.3)


@pytest.mark.parametrize(
    ("name", "least_db"), [("guit_em9", 8.0), ("guit_e_slide", 10.0), ("ambi_choir", 8.0), ("bass_trance_c", 5.0)]
)
def test_it_takes_noise_out_of_recordings(name: str, least_db: float, shared_folder: Path, denoiser: Any) -> None:
    clean = train_diffusion_denoiser.audible(recording(shared_folder, name))
    noisy = train_diffusion_denoiser.in_noise(clean, 5.0, seed=5)
    assert train_diffusion_denoiser.snr_db(noisy, clean) == pytest.approx(5.0, abs=0.01)
    (y,) = denoiser.forward([noisy], settings("4"))
    assert train_diffusion_denoiser.snr_db(y, clean) > 5.0 + least_db


def test_steps_trade_the_waveform_for_the_spectrum(shared_folder: Path, denoiser: Any) -> None:
    """As the example says: one step is nearer in the waveform, more are nearer in the spectrum's decibels."""

    def spectral_distance_db(sound: Tensor, clean: Tensor) -> float:
        levels = [
            torch.stft(x[0], 1024, 256, window=torch.hann_window(1024), return_complex=True).abs()[:440]
            for x in (sound, clean)
        ]
        return float((20.0 * torch.log10((levels[0] + 1e-3) / (levels[1] + 1e-3))).square().mean().sqrt())

    clean = train_diffusion_denoiser.audible(recording(shared_folder, "guit_em9"))
    noisy = train_diffusion_denoiser.in_noise(clean, 5.0)
    one, four = (denoiser.forward([noisy], settings(steps))[0].clone() for steps in ("1", "4"))
    assert train_diffusion_denoiser.snr_db(one, clean) > train_diffusion_denoiser.snr_db(four, clean) + 0.5
    distances = [spectral_distance_db(sound, clean) for sound in (four, one, noisy)]
    assert distances[0] + 0.5 < distances[1] < distances[2] - 3.0


def test_a_take_is_the_same_every_time_and_another_is_not(denoiser: Any) -> None:
    noisy = train_diffusion_denoiser.in_noise(0.3 * guitar_riff(44100, 0.5).repeat(2, 1), 10.0)
    first = denoiser.forward([noisy], settings("2", 0))[0].clone()
    torch.manual_seed(1234)
    assert torch.equal(denoiser.forward([noisy], settings("2", 0))[0], first)
    assert not torch.equal(denoiser.forward([noisy], settings("2", 1))[0], first)


def test_its_level_does_not_matter_and_silence_stays_silent(denoiser: Any) -> None:
    noisy = train_diffusion_denoiser.in_noise(0.3 * guitar_riff(44100, 0.5).repeat(2, 1), 10.0)
    loud = denoiser.forward([noisy])[0].clone()
    torch.testing.assert_close(1000.0 * denoiser.forward([1e-3 * noisy])[0], loud, atol=1e-4, rtol=0)
    assert not denoiser.forward([torch.zeros(2, 5000)])[0].any()


def test_the_hashed_noise_is_gaussian_white_and_different_in_each_channel() -> None:
    noise = diffusion_denoiser.hashed_noise(2, 200_000, 1).double()
    assert float(noise.mean()) == pytest.approx(0.0, abs=0.01)
    assert float(noise.square().mean()) == pytest.approx(1.0, abs=0.01)
    assert float(noise.pow(4).mean()) == pytest.approx(3.0, abs=0.06)
    correlation = torch.fft.irfft(torch.fft.rfft(noise[0]).abs().square())[1:1000] / noise.size(1)
    assert float(correlation.abs().max()) < 0.015
    others = (noise[1], diffusion_denoiser.hashed_noise(1, 200_000, 2)[0].double())
    assert all(abs(float((noise[0] * other).mean())) < 0.015 for other in others)


def test_the_hashed_noise_is_what_plain_integers_give() -> None:
    def uniform(index: int, seed: int) -> float:
        mixed = index * 2654435761 + seed * 2246822519
        for multiplier in (739982445, 695872825, 461845907):
            mixed %= 1 << 31
            mixed = (mixed ^ (mixed >> 15)) * multiplier
        return (mixed % (1 << 31) + 0.5) / (1 << 31)

    radius, angle = ([uniform(index, 4) for index in range(start, start + 6)] for start in (0, 6))
    expected = [math.sqrt(-2 * math.log(r)) * math.cos(2 * math.pi * a) for r, a in zip(radius, angle)]
    assert diffusion_denoiser.hashed_noise(2, 3, 4).flatten().tolist() == pytest.approx(expected, abs=1e-6)


def test_denoiser_training_script_learns_and_writes_what_the_example_loads(tmp_path: Path) -> None:
    app = importlib.import_module("typer").Typer()
    app.command()(train_diffusion_denoiser.main)
    weights = tmp_path / "quick.pt"
    arguments = ["--steps", "4", "--pool", "8", "--threads", "1", "--out", str(weights)]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    stated = diffusion_denoiser.load_training_report(weights)["held_out_improvement_db_by_steps"]
    assert f"From 5 dB, by steps: {stated}" in result.stdout
    trained = diffusion_denoiser.build_model(weights).model.state_dict()
    shipped = diffusion_denoiser.build_model().model.state_dict()
    assert any(not torch.equal(trained[key], value) for key, value in shipped.items())
