"""A student beside its teacher, as both are played; what can't be compared, and what is no improvement."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from neutone_like import ModelMetadata, WaveformToWaveformBase, load_artifact
from neutone_like.errors import ModelError, ParameterError
from neutone_like.optimise import (
    DistilResult,
    PlayedCost,
    StudentModel,
    StudentShape,
    distil,
    propose_students,
    quality,
)
from neutone_like.optimise.distilling import proposing
from neutone_like.optimise.distilling.facts import facts_of
from neutone_like.optimise.distilling.result import verdict
from neutone_like.optimise.distilling.students import student_network
from neutone_like.optimise.played_cost import played_costs
from neutone_like.optimise.quality_report import ItemQuality, QualityReport
from support.places import EXPORTED

RATE = 48000
OVERDRIVE = EXPORTED / "overdrive"
SMALL = StudentShape("tcn", 2, 2, (1,))


def noise(generator: torch.Generator) -> Tensor:
    return 0.5 * torch.randn(1, 4096, generator=generator)


class Late(WaveformToWaveformBase):
    """A soft clipper that is three samples late, as slow as a hundred of its products make it."""

    metadata = ModelMetadata(name="Late", authors=("Ada",), version="1.0.0")
    in_channels = 1
    out_channels = 1
    sample_rates = (RATE,)
    turn: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("past", torch.zeros(1, 3))
        self.register_buffer("turn", torch.eye(96))

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        joined = torch.cat((self.past, torch.tanh(2.0 * x)), 1)
        self.past = joined[:, x.size(1) :]
        y = joined[:, : x.size(1)].expand(96, -1)
        for _ in range(5):
            y = torch.mm(self.turn, torch.tanh(y))
            y = y / (1.0 - y * y / 3.0).clamp(min=0.5)
        return y[:1]

    def reset_model(self) -> None:
        self.past = torch.zeros(1, 3)

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return 3


class AnyRate(Late):
    sample_rates = ()


class Mute(nn.Module):
    """A student that can't learn: its weight changes nothing but a gain far below hearing."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(1.0))

    def forward(self, x: Tensor) -> Tensor:
        return 1e-6 * torch.tanh(self.gain) * x


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[DistilResult, Path]:
    out = tmp_path_factory.mktemp("distil") / "late"
    result = distil(
        Late(), StudentShape("tcn", 4, 4, (1,)), noise, out=out, steps=150, audio_seconds=2.0, learning_rate=0.02
    )  # fmt: skip
    return result, out


def test_a_student_is_an_artifact_that_plays_as_it_is_told(learned: tuple[DistilResult, Path]) -> None:
    result, out = learned
    assert result.path == out / "student"
    student, teacher = load_artifact(out / "student"), load_artifact(out / "teacher")
    assert student.metadata.model_name == "Late (small)"
    assert result.student_cost.file_bytes == (out / "student" / "model.nlc").stat().st_size
    assert result.teacher_cost.file_bytes == (out / "teacher" / "model.nlc").stat().st_size
    assert result.student_cost.backend == "compiled"
    assert set(result.student_cost.block_us) == {64, 256}
    sound = noise(torch.Generator().manual_seed(77)).numpy()
    report = quality(teacher, student, sound, sample_rate=RATE)
    assert report.items[0].lag_samples == 0, "it learned the delay, and declares it"
    assert report.error_to_signal_ratio == pytest.approx(result.quality.error_to_signal_ratio, rel=0.5)
    assert report.error_to_signal_ratio < 0.03
    assert result.untaught_esr > 2.0 * result.quality.error_to_signal_ratio
    told = json.loads((out / "result.json").read_text())
    assert told["quality"]["error_to_signal_ratio"] == result.quality.error_to_signal_ratio
    assert told["steps"] == result.steps == 150
    assert result.model.model_delay_samples() == 3


def test_the_model_that_is_returned_is_the_artifact_that_was_measured(learned: tuple[DistilResult, Path]) -> None:
    result, out = learned
    sound = noise(torch.Generator().manual_seed(78)).numpy()
    assert quality(result.model, load_artifact(out / "student"), sound, sample_rate=RATE).error_to_signal_ratio < 1e-9


def test_called_again_it_only_measures(learned: tuple[DistilResult, Path]) -> None:
    result, out = learned
    again = distil(
        Late(), StudentShape("tcn", 4, 4, (1,)), noise, out=out, steps=150, audio_seconds=2.0, learning_rate=0.02
    )  # fmt: skip
    assert again.curve[-1].seconds == result.curve[-1].seconds
    assert again.quality == result.quality


def test_one_that_learned_nothing_is_no_improvement(tmp_path: Path) -> None:
    result = distil(
        OVERDRIVE, Mute(), noise, steps=3, sample_rate=RATE, params={"drive": 36.0}, audio_seconds=1.0, progress=False,
        error_to_signal_ratio=10.0,
    )  # fmt: skip
    assert not result.is_improvement
    failed = {check.name for check in result.verdict.checks if not check.passed}
    assert "error untaught" in failed
    assert result.quality.error_to_signal_ratio == pytest.approx(1.0, abs=0.01)
    assert "NO improvement" in repr(result)
    assert result.path is None


# ------------------------------------------------------------------ what is called an improvement


def cost(name: str, us: float, size: int, wide_us: float | None = None) -> PlayedCost:
    return PlayedCost(name, "compiled", RATE, {64: us, 256: 4.0 * us if wide_us is None else wide_us}, size)


def report(esr: float) -> QualityReport:
    return QualityReport((ItemQuality("a", 1.0, esr, 10.0, 1.0, 1.0, None, 0),), None, "none", 0, 1)


@pytest.mark.parametrize(
    ("student", "esr", "untaught", "failed"),
    [
        (cost("s", 5.0, 500), 0.05, 0.4, []),
        (cost("s", 9.9, 500), 0.05, 0.4, ["time of a block"]),
        (cost("s", 5.0, 500, wide_us=80.0), 0.05, 0.4, ["time of a block"]),
        (cost("s", 5.0, 1001), 0.05, 0.4, ["bytes of the file"]),
        (cost("s", 5.0, 500), 0.11, 0.4, ["error-to-signal ratio"]),
        (cost("s", 5.0, 500), 0.05, 0.04, ["error untaught"]),
        (cost("s", 5.0, 500), float("inf"), 0.4, ["error untaught", "error-to-signal ratio"]),
    ],
)
def test_faster_not_larger_and_good_enough(student: PlayedCost, esr: float, untaught: float, failed: list[str]) -> None:
    found = verdict(report(esr), untaught, student, cost("t", 10.0, 1000), 0.1)
    assert [check.name for check in found.checks if not check.passed] == failed
    assert found.passed == (not failed)


# ------------------------------------------------------------------ what differs is named


def model_of(**settings: Any) -> StudentModel:
    channels = settings.pop("channels", 1)
    settings = {"sample_rate": RATE, "delay_samples": 3, **settings}
    network = student_network(SMALL, channels, channels)
    return StudentModel(network, in_channels=channels, out_channels=channels, **settings)


@pytest.mark.parametrize(
    ("student", "message"),
    [
        (lambda: model_of(delay_samples=0), "differ: 3 and 0 samples late"),
        (lambda: model_of(channels=2), "differ: 1 and 2 channels in; 1 and 2 channels out"),
        (lambda: model_of(sample_rate=44100), r"plays at \[44100\] Hz, and 48000 Hz was asked for"),
        (lambda: student_network(SMALL, 2, 2), r"must take a batch \[batch, 1, N\]"),
        (lambda: student_network(SMALL, 1, 2), r"expected \[2, 1, 256\].* got \[2, 2, 256\]"),
        (lambda: nn.Conv1d(1, 1, 3, padding=1), "in blocks it gives something else than at once"),
        (lambda: nn.Tanh(), "has no weights"),
        (Late, "is a live model of its own"),
        (lambda: "wavenet", "expected a StudentShape, a network or a StudentModel, got str"),
    ],
)
def test_a_student_that_cannot_stand_in_is_refused(student: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        distil(Late(), student(), noise, steps=1, progress=False)


def test_a_delay_that_the_rate_decides_is_that_of_the_rate() -> None:
    class Later(Late):
        def __init__(self) -> None:
            super().__init__()
            self.delay = 0

        def prepare_model(self, sample_rate: int, block_size: int) -> None:
            self.delay = sample_rate // 1000

        def model_delay_samples(self) -> int:
            return self.delay

    teacher = Later()
    assert facts_of(teacher, None, {}).delay_samples == 48
    assert teacher.delay == 0, "the user's own model stays as it was"


def test_what_else_is_wrong_is_told() -> None:
    with pytest.raises(ParameterError, match=r"has the parameters \['drive'\], and a student has none"):
        distil(OVERDRIVE, SMALL, noise, steps=1, sample_rate=RATE)
    with pytest.raises(ModelError, match="plays at any rate: give sample_rate"):
        distil(AnyRate(), SMALL, noise, steps=1)
    with pytest.raises(ModelError, match="holds an offline one"):
        distil(EXPORTED / "stem_separator", SMALL, noise, steps=1)
    with pytest.raises(ModelError, match="expected a live model, an artifact, or the path"):
        distil(7, SMALL, noise, steps=1)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="steps must be an integer in 1"):
        distil(Late(), SMALL, noise, steps=0)
    with pytest.raises(ParameterError, match="seconds must lie in"):
        distil(Late(), SMALL, noise, seconds=float("nan"))


# ------------------------------------------------------------------ proposals


def test_students_are_measured_before_any_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposing, "WIDTHS", (2, 4, 6, 8, 12, 16))
    found = propose_students(EXPORTED / "lstm_amp", 100.0, families=["lstm"], block_sizes=[64])
    assert [each.shape.family for each in found.candidates] == ["lstm"] * len(found.candidates)
    assert all(each.fits and each.cost.block_us[64] > 0.0 for each in found.candidates)
    assert [each.weights for each in found.candidates] == sorted((e.weights for e in found.candidates), reverse=True)
    assert found.shapes == (found.candidates[0].shape,)
    none = propose_students(EXPORTED / "lstm_amp", 0.001, families=["lstm"], block_sizes=[64])
    assert none.shapes == ()
    assert not none.nearest.fits
    assert f"none within 0.00 x; nearest {none.nearest.time_ratio:.2f} x" in repr(none)


def test_a_candidate_is_planned_as_its_export_is(tmp_path: Path) -> None:
    """What is timed before training has the steps of what is exported after it."""
    from neutone_like.optimise.artifacts import written
    from neutone_like.optimise.distilling.proposing import Trial
    from neutone_like.runtime.compiled_model import CompiledModel, load_compiled

    shape = StudentShape("tcn", 4, 4, (1, 5))
    teacher = load_artifact(EXPORTED / "lstm_amp")
    trial = Trial(teacher, facts_of(teacher, None, {}), [64], 0.5, tmp_path)
    planned = CompiledModel(trial.compiled(student_network(shape)))
    exported = written(StudentModel(student_network(shape), sample_rate=RATE), tmp_path / "exported")
    compiled = load_compiled(exported.path)
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 64)).astype(np.float32)
    assert planned.steps == compiled.steps
    assert np.array_equal(planned.process(sound), compiled.process(sound))


def test_budgets_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ParameterError, match="not both"):
        propose_students(EXPORTED / "lstm_amp", 0.5, budget_us=3.0)
    with pytest.raises(ParameterError, match="budget must lie in"):
        propose_students(EXPORTED / "lstm_amp", 0.0)
    with pytest.raises(ParameterError, match="families must be some of"):
        propose_students(EXPORTED / "lstm_amp", families=["mlp"])  # type: ignore[list-item]
    with pytest.raises(ParameterError, match="block_sizes: expected at least one"):
        propose_students(EXPORTED / "lstm_amp", block_sizes=[])


def test_costs_are_of_the_file_that_is_played(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected a live model"):
        played_costs([load_artifact(EXPORTED / "stem_separator")], RATE)
    (found,) = played_costs([load_artifact(EXPORTED / "lstm_amp")], RATE, [1024], rounds=3)
    assert found.to_dict()["block_us"] == {"1024": found.block_us[1024]}
    assert (
        found.file_bytes
        == (EXPORTED / "lstm_amp" / f"model.{'nlc' if found.backend == 'compiled' else 'nm'}").stat().st_size
    )
