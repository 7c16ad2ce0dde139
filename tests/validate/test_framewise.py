"""Delays of models that are no filters: right ones pass, what can't be measured is skipped, wrong ones fail."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from neutone_like.artifact.reading.loader import load_artifact
from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.model import WaveformToWaveformBase
from neutone_like.validate.checks.latency import check_reported_delay, delay_between
from neutone_like.validate.checks.level_lag import level_lag
from neutone_like.validate.checks.model_delay import check_declared_delay
from neutone_like.validate.conditions import optimiser, steady_conditions
from neutone_like.validate.live_subject import LiveSubject
from support import framewise_models as models

Made = Callable[[type[WaveformToWaveformBase]], LiveSubject]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    def make(model_class: type[Any]) -> LiveSubject:
        with optimiser(False):
            write_artifact(model_class(), tmp_path, render_samples=False)
        return LiveSubject(load_artifact(tmp_path), None, quick=True)

    return make


@pytest.mark.parametrize(
    ("model_class", "reported", "declared"),
    [
        (models.PitchFollower, "passed", "passed"),
        (models.BlockCodec, "passed", "passed"),
        (models.VectorQuantised, "passed", "skipped"),
        (models.EnvelopeFollower, "passed", "passed"),
        (models.NoiseVocoder, "passed", "passed"),
        (models.SampleAndHold, "passed", "passed"),
        (models.RingModulator, "passed", "passed"),
        (models.Hashed, "passed", "passed"),
        (models.Identity, "passed", "passed"),
        (models.Generator, "skipped", "skipped"),
        (models.LateGain, "passed", "failed"),
        (models.LateCodec, "passed", "failed"),
        (models.EarlyVocoder, "passed", "failed"),
    ],
)
def test_verdicts_on_models_that_work_in_frames(
    model_class: type[WaveformToWaveformBase], reported: str, declared: str, made: Made
) -> None:
    subject = made(model_class)
    with steady_conditions():
        outcomes = [check(subject) for check in (check_reported_delay, check_declared_delay)]
    assert [outcome.status for outcome in outcomes] == [reported, declared], outcomes
    for outcome in outcomes:
        assert bool(outcome.advice) == (outcome.status == "failed")
        assert outcome.measured.startswith("not run: ") == (outcome.status == "skipped")


def test_what_cannot_be_timed_says_why(made: Made) -> None:
    with steady_conditions():
        dice, hashed = check_reported_delay(made(models.Generator)), check_reported_delay(made(models.Hashed))
    assert "the same sound twice gives two outputs" in dice.measured
    assert "can't be measured: its output is no continuous function of its input" in hashed.information[1]
    assert "48000 Hz / 512: reported 0, measured" in hashed.information[0], "where nothing is converted it can be timed"


@pytest.mark.parametrize("wrong_by", [10, 3])
def test_a_wrong_number_is_measured_on_a_model_that_works_in_frames(wrong_by: int, made: Made) -> None:
    """What the wrapper reports is off by some samples; the pitch follower's sine still tells by how many."""
    subject = made(models.PitchFollower)
    module = subject.artifact.fresh_module()

    class Misreports:
        def calc_buffering_delay_samples(self) -> int:
            return module.calc_buffering_delay_samples() + wrong_by

        def __getattr__(self, name: str) -> Any:
            return getattr(module, name)

    subject.module = Misreports()
    with steady_conditions():
        outcome = check_reported_delay(subject)
    assert outcome.status == "failed"
    assert float(outcome.measured.split()[0]) == pytest.approx(-wrong_by, abs=0.02)


def test_a_delay_by_hand_is_found_between_two_copies_of_a_sound() -> None:
    sound = torch.randn(1, 4800, generator=torch.Generator().manual_seed(1))
    late = torch.roll(sound, 7, 1)
    timing = delay_between(sound, 48000, late, 48000, 48000)
    assert timing.seconds * 48000 == pytest.approx(7.0, abs=0.05)
    assert timing.blur_seconds * 48000 < 0.1
    tone = torch.sin(torch.arange(4800) * 0.1).unsqueeze(0)
    noise = 0.3 * torch.randn(1, 4800, generator=torch.Generator().manual_seed(2))
    assert delay_between(tone, 48000, tone + noise, 48000, 48000).blur_seconds > 10 * timing.blur_seconds


@pytest.mark.parametrize("delay", [0, 700, 3000])
def test_the_level_of_bursts_tells_a_delay(delay: int) -> None:
    def squared(x: Tensor) -> np.ndarray:
        return np.square(np.pad(x[0].numpy(), (delay, 0))[: x.size(1)])

    def slow(x: Tensor) -> np.ndarray:
        """A slow attack and decay after the same delay: the beginning counts."""
        weights = np.exp(-np.arange(2000) / 400.0)
        return np.convolve(squared(x), weights)[: x.size(1)]

    for play in (squared, slow):
        lag = level_lag(play, 48000, 512)
        assert lag is not None
        assert abs(lag - delay) <= 64


def test_a_level_that_does_not_follow_tells_nothing() -> None:
    def steady(x: Tensor) -> np.ndarray:
        return np.sin(0.1 * np.arange(x.size(1)))

    assert level_lag(steady, 48000, 512) is None
    assert level_lag(lambda x: np.zeros(x.size(1)), 48000, 512) is None
