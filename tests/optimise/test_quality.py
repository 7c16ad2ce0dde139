"""Comparisons whole: what is played, what is refused, and what the report says."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from neutone_like import ContinuousParameter, ModelMetadata, NonRealtimeBase, WaveformToWaveformBase, load_artifact
from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.errors import AudioError, ModelError, ParameterError
from neutone_like.optimise import QualityReport, quality
from neutone_like.render import ModelPlugin

RATE = 48000
SOUND = (0.1 * np.random.default_rng(0).standard_normal((2, RATE))).astype(np.float32)


class Drive(WaveformToWaveformBase):
    metadata = ModelMetadata(name="Drive", authors=("Ada",), version="1.0.0")
    parameters = (ContinuousParameter("gain", "Gain", default=0.0, minimum=-12.0, maximum=12.0, unit="dB"),)
    sample_rates = (RATE,)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.pow(10.0, params["gain"] / 20.0) * x


class LateDrive(Drive):
    """The same, 100 samples late, as it says."""

    def __init__(self) -> None:
        super().__init__()
        self.past = torch.zeros(2, 100)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        whole = torch.cat((self.past, x), 1)
        self.past = whole[:, -100:]
        return torch.pow(10.0, params["gain"] / 20.0) * whole[:, : x.size(1)]

    def model_delay_samples(self) -> int:
        return 100

    def reset_model(self) -> None:
        self.past = torch.zeros(2, 100)


class Broken(Drive):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.log(x)


class Tone(NonRealtimeBase):
    metadata = ModelMetadata(name="Tone", authors=("Ada",), version="1.0.0")


def values(report: QualityReport) -> tuple[Any, ...]:
    return tuple(value for name, value in report.to_dict().items() if name not in ("items", "embedding"))


def test_equal_sounds() -> None:
    report = quality(SOUND, SOUND.copy(), sample_rate=RATE)
    assert values(report) == (0.0, 120.0, 0.0, 0.0, 0.0, pytest.approx(0.0, abs=1e-6))


def test_a_gain_of_3_db() -> None:
    report = quality(SOUND, np.float32(10.0**0.15) * SOUND, sample_rate=RATE)
    assert report.loudness_difference_lu == pytest.approx(3.0, abs=1e-4)
    assert report.si_sdr_db == 120.0
    assert report.log_mel_distance_db == pytest.approx(3.0, abs=1e-4)
    assert report.error_to_signal_ratio == pytest.approx((10.0**0.15 - 1.0) ** 2, rel=1e-5)
    assert report.frechet_distance == pytest.approx(32 * 3.0**2, rel=1e-4)  # 32 bands, each shifted by 3 dB


def test_a_shift_by_one_sample_is_told() -> None:
    report = quality(SOUND, np.roll(SOUND, 1, axis=1), sample_rate=RATE)
    assert report.items[0].lag_samples == 1
    assert report.error_to_signal_ratio == pytest.approx(2.0, abs=0.05)
    assert report.spectral_distance < 0.1
    assert "1 not aligned: reference 1 lags by 1 (in samples)" in repr(report)


def test_models_artifacts_and_functions_play_the_same(tmp_path: Path) -> None:
    write_artifact(Drive(), tmp_path)
    artifact = load_artifact(tmp_path / "model.nm")
    soundfile.write(tmp_path / "in.wav", SOUND.T, RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "out.wav", 2.0 * SOUND.T, RATE, subtype="FLOAT")
    doubled = {"gain": 20.0 * np.log10(2.0)}
    candidates = [
        ModelPlugin(Drive(), doubled),
        ModelPlugin(LateDrive(), doubled),
        ModelPlugin(str(artifact.path), doubled),
        lambda x: 2.0 * x,
        2.0 * SOUND,
        tmp_path / "out.wav",
    ]
    for reference in (Drive(), artifact, tmp_path):
        for candidate in candidates:
            report = quality(reference, candidate, str(tmp_path / "in.wav"))
            assert report.error_to_signal_ratio == pytest.approx(1.0, abs=1e-4)
            assert report.si_sdr_db > 100.0
            assert report.items[0].lag_samples == 0
        candidates = candidates[:2]


def test_several_sounds_and_their_means() -> None:
    factors = (1.1, 0.7)
    report = quality(
        [SOUND, SOUND[:1]], [SOUND * np.float32(factors[0]), SOUND[:1] * np.float32(factors[1])], sample_rate=RATE
    )
    errors = [item.error_to_signal_ratio for item in report.items]
    assert errors == pytest.approx([0.01, 0.09], rel=1e-4)
    assert report.error_to_signal_ratio == pytest.approx(0.05, rel=1e-4)
    assert report.loudness_difference_lu == pytest.approx(20.0 * np.log10(0.7), abs=1e-3)  # of the two, the larger


def test_an_embedding_of_ones_own() -> None:
    def levels(x: Tensor) -> Tensor:
        return x[:, : x.size(1) // 100 * 100].reshape(-1, 100).pow(2).mean(1, keepdim=True).sqrt()

    report = quality(SOUND, SOUND * 2, sample_rate=RATE, embedding=levels)
    found = levels(torch.from_numpy(SOUND)).double().numpy()[:, 0]
    assert report.embedding_name == "levels"
    assert report.frechet_distance == pytest.approx(found.mean() ** 2 + found.var(ddof=1), rel=1e-4)
    few = quality(SOUND, SOUND, sample_rate=RATE, embedding=lambda x: torch.ones(7, 4))
    assert few.frechet_distance is None
    assert "Frechet distance: not measured" in repr(few)
    with pytest.raises(ParameterError, match=r"shape \(N, D\)"):
        quality(SOUND, SOUND, sample_rate=RATE, embedding=lambda x: x[0])


def test_limits() -> None:
    report = quality(SOUND, SOUND * np.float32(0.9), sample_rate=RATE)
    good = report.check(error_to_signal_ratio=0.011, si_sdr_db=100.0, loudness_difference_lu=1.0)
    assert good.passed
    assert repr(good).startswith(
        "Quality: good enough\n  error-to-signal ratio: passed, measured 0.01, allowed at most 0.011"
    )
    bad = report.check(error_to_signal_ratio=0.009, loudness_difference_lu=0.5, log_mel_distance_db=2.0)
    assert [check.status for check in bad.checks] == ["failed", "passed", "failed"]
    assert not bad.passed
    assert not report.check(si_sdr_db=121.0).passed
    short = quality(SOUND[:, :4096], SOUND[:, :4096], sample_rate=RATE)
    assert not short.check(loudness_difference_lu=1.0).passed, "what was not measured does not pass"
    with pytest.raises(ParameterError, match="at least one limit"):
        report.check()
    with pytest.raises(ParameterError, match="si_sdr_db: expected a finite number as limit, got nan"):
        report.check(si_sdr_db=float("nan"))
    assert json.loads(json.dumps({**report.to_dict(), **bad.to_dict()}, allow_nan=False))["passed"] is False


def test_it_prints_in_few_lines_and_in_notebooks() -> None:
    report = quality(SOUND, SOUND * np.float32(0.9), sample_rate=RATE)
    assert repr(report).splitlines()[:3] == [
        "Quality over 1 sound",
        "  error-to-signal ratio: 0.01",
        "  SI-SDR: 120 dB",
    ]
    assert len(repr(report).splitlines()) == 7
    assert "not comparable with published" in report._repr_html_()  # pyright: ignore[reportPrivateUsage]


def nan(x: Tensor) -> Tensor:
    return x * float("nan")


@pytest.mark.parametrize(
    ("reference", "candidate", "error", "message"),
    [
        (0.0 * SOUND, SOUND, AudioError, "reference 1: the reference is silent"),
        (SOUND, SOUND * np.nan, AudioError, "candidate 1: every sample must be a finite number, got nan at sample 0"),
        (SOUND, nan, AudioError, "candidate, playing audio 1: every sample must be a finite number, got nan"),
        (SOUND, SOUND[:1], AudioError, r"as many channels and samples, got \(2, 48000\) and \(1, 48000\)"),
        (SOUND, SOUND[:, :-1], AudioError, r"got \(2, 48000\) and \(2, 47999\)"),
        (SOUND, [SOUND, SOUND], AudioError, "the reference has 1, the candidate more"),
        ([SOUND] * 2, [SOUND] * 2, AudioError, "for each of 1 in audio, got 2"),
        (SOUND[:, :2047], SOUND[:, :2047], AudioError, "at least 2048 samples, got 2047"),
        (SOUND, [], AudioError, "candidate: expected at least one sound"),
        (SOUND, 3, ModelError, "candidate: expected a model"),
        (SOUND, lambda x: None, ModelError, r"must return audio as a tensor \(channels, samples\)"),
    ],
)
def test_refusals(reference: Any, candidate: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        quality(reference, candidate, SOUND, sample_rate=RATE)


def test_refusals_of_rates_and_of_nothing_to_play(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "other.wav", SOUND.T, 44100)
    with pytest.raises(AudioError, match="other.wav: expected 48000 Hz, got 44100 Hz"):
        quality(SOUND, tmp_path / "other.wav", sample_rate=RATE)
    with pytest.raises(AudioError, match="has no rate of its own. Pass sample_rate"):
        quality(SOUND, SOUND)
    with pytest.raises(AudioError, match="sample_rate must be an integer in 1000..768000 Hz, got 0"):
        quality(SOUND, SOUND, sample_rate=0)
    with pytest.raises(ModelError, match="candidate: an offline model is compared by what it rendered"):
        quality(SOUND, Tone(), SOUND, sample_rate=RATE)
    with pytest.raises(AudioError, match="candidate, playing audio 1: .* got [0-9]+ samples of NaN or infinity"):
        quality(SOUND, Broken(), SOUND, sample_rate=RATE)
    with pytest.raises(AudioError, match="candidate: Drive makes its sound from audio. Pass audio"):
        quality(SOUND, Drive(), sample_rate=RATE)
