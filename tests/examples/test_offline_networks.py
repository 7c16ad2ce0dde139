"""What the trained examples do to sounds that none of them was trained on, recordings among them."""

import importlib
import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from neutone_like.artifact.writing.sample_audio import drum_loop, guitar_riff
from support.example_hosts import example, hosted, recording, scripted
from support.example_hosts import without_optimiser as without_optimiser

random_music, diffusion_denoiser, train_diffusion_denoiser = (
    example(name) for name in ("random_music", "diffusion_denoiser", "train_diffusion_denoiser")
)
with_torchaudio = pytest.mark.skipif(
    find_spec("torchaudio") is None, reason='torchaudio is not installed: pip install "neutone-like[torchaudio]"'
)


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
    return example("stem_separator"), example("train_stem_separator")


@with_torchaudio
def test_separator_reaches_what_it_states_on_instruments_it_never_heard() -> None:
    model_file, training = separator()
    stated = model_file.load_training_report()["held_out_si_sdr_improvement_db"]
    assert min(stated.values()) > 6.0
    drums_db, rest_db = training.improvements_db(model_file.build_model().model, *training.held_out_stems(4.0), 44100)
    assert drums_db == pytest.approx(stated["drums"], abs=1.0)
    assert rest_db == pytest.approx(stated["rest"], abs=1.0)


@with_torchaudio
def test_before_training_it_separates_nothing() -> None:
    model_file, training = separator()
    improved = training.improvements_db(model_file.build_network(), *training.held_out_stems(2.0), 44100)
    assert max(improved) < 2.0


@with_torchaudio
@pytest.mark.parametrize(
    ("name", "least_db"), [("guit_em9", 3.0), ("guit_e_slide", 8.0), ("bass_trance_c", 2.0), ("ambi_choir", 8.0)]
)
def test_it_separates_recordings_that_are_not_made_by_arithmetic(
    name: str, least_db: float, shared_folder: Path
) -> None:
    model_file, training = separator()
    drums, other = recording(shared_folder, "loop_amen"), recording(shared_folder, name)
    assert min(training.improvements_db(model_file.build_model().model, drums, other, 44100)) > least_db


@with_torchaudio
@pytest.mark.parametrize("seconds", [0.3, 3.3])
def test_stems_add_up_to_the_mix(seconds: float) -> None:
    model_file, _ = separator()
    mix = 0.5 * (guitar_riff(22050, seconds) + drum_loop(22050, seconds))
    drums, rest = hosted(model_file.build_model(), 22050).forward([mix])
    torch.testing.assert_close(drums + rest, mix, atol=1e-6, rtol=0)
    assert float(drums.abs().max()) > 0.05
    assert float(rest.abs().max()) > 0.05


@with_torchaudio
def test_left_and_right_are_separated_alike() -> None:
    model_file, _ = separator()
    mono = 0.5 * (guitar_riff(22050, 1.0) + drum_loop(22050, 1.0).mean(0, keepdim=True))
    for stem in hosted(model_file.build_model(), 22050).forward([torch.cat((mono, 0.25 * mono))]):
        torch.testing.assert_close(stem[1], 0.25 * stem[0], atol=1e-4, rtol=0)


@with_torchaudio
def test_separator_training_script_learns_and_writes_what_the_example_loads(tmp_path: Path) -> None:
    model_file, training = separator()
    app = importlib.import_module("typer").Typer()
    app.command()(training.main)
    weights = tmp_path / "quick.pt"
    arguments = ["--steps", "4", "--pool", "6", "--threads", "1", "--out", str(weights)]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    stated = model_file.load_training_report(weights)["held_out_si_sdr_improvement_db"]
    assert f"SI-SDR improvement: drums {stated['drums']:.1f} dB" in result.stdout
    trained = model_file.build_model(weights).model.state_dict()
    assert any(not torch.equal(trained[key], value) for key, value in model_file.build_network(0).state_dict().items())


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
