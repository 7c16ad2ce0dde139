"""What is tried of models that take long: the most telling first, what is left out is told, small ones in full."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from neutone_like import ModelMetadata, WaveformToWaveformBase
from neutone_like.artifact.reading.loader import load_artifact
from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.validate import effort
from neutone_like.validate.check_lists import EXPORTED, LIVE_CHECKS
from neutone_like.validate.checks.chunking import check_any_chunking_equals_whole
from neutone_like.validate.conditions import optimiser, steady_conditions
from neutone_like.validate.effort import Effort
from neutone_like.validate.live_subject import LiveSubject
from support.validate_models import NormalisesByBlock


class Clock:
    """Processor time that passes when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def thread_time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(effort, "time", made)
    return made


def chosen(asked: Effort, clock: Clock, seconds_each: float, count: int, fewest: int) -> list[int]:
    found: list[int] = []
    for case in asked.choose(range(count), "cases", fewest):
        clock.now += seconds_each
        found.append(case)
    return found


def test_cheap_cases_are_all_tried(clock: Clock) -> None:
    asked = Effort(quick=True)
    assert chosen(asked, clock, 0.01, 16, 1) == list(range(16))
    assert asked.taken_notes() == ()


def test_dear_cases_are_cut_short_and_told(clock: Clock) -> None:
    asked = Effort(quick=True)
    assert chosen(asked, clock, 0.5, 16, 1) == [0, 1, 2, 3]
    assert asked.taken_notes() == ("left out for want of time: 12 of 16 cases",)
    assert asked.taken_notes() == ()
    assert len(chosen(Effort(quick=False), clock, 0.5, 100, 1)) == 60


def test_the_fewest_are_tried_whatever_they_take(clock: Clock) -> None:
    assert chosen(Effort(quick=True), clock, 100.0, 16, 3) == [0, 1, 2]


def test_how_many_there_is_time_for() -> None:
    asked = Effort(quick=True)
    assert asked.most(80, 0.0, 8) == 80
    assert asked.most(80, 0.1, 8) == 20
    assert asked.most(80, 10.0, 8) == 8


class Heavy(NormalisesByBlock):
    """Wrong, and slow: it computes much that it does not need."""

    metadata = ModelMetadata(name="Heavy", authors=("Ada",), version="1.0.0", short_description="For tests")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y = torch.ones(100, 100)
        for _ in range(3):
            y = torch.mm(y, y) * 1e-2
        return 0.5 * x / (x.abs().max() + 0.1) + 0.0 * y[0, 0]


def subject_of(model: WaveformToWaveformBase, folder: Path) -> LiveSubject:
    with optimiser(False):
        write_artifact(model, folder, render_samples=False)
    return LiveSubject(load_artifact(folder), None, quick=True)


def test_a_wrong_model_fails_however_little_time_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effort, "QUICK_SECONDS", 1e-4)
    subject = subject_of(Heavy(), tmp_path)
    with steady_conditions():
        outcome = check_any_chunking_equals_whole(subject)
    assert outcome.status == "failed"
    notes = "\n".join(subject.effort.taken_notes())
    assert "settings and parameter values" in notes
    assert "calls of one sample" in notes


def test_every_check_works_when_there_is_hardly_any_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effort, "QUICK_SECONDS", 1e-4)

    class Plain(Heavy):
        def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
            return 0.5 * x

    subject = subject_of(Plain(), tmp_path)
    skip = {"real-time deadlines", "compiled equals eager", EXPORTED}
    with steady_conditions():
        outcomes: dict[str, Any] = {each.name: each.run(subject) for each in LIVE_CHECKS if each.name not in skip}
    assert {name for name, outcome in outcomes.items() if outcome.status != "passed"} == set()
    assert "since the model is slow" in outcomes["silence"].information[0]
