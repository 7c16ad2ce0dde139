"""Validation at real deadlines: good models pass, slow ones and those that sound different in the engine don't."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from neutone_like.artifact.reading.loader import Artifact, load_artifact
from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.errors import RuntimeEngineError
from neutone_like.model import WaveformToWaveformBase
from neutone_like.runtime import torch_backend
from neutone_like.validate import Check, HostSetting, ValidationReport
from neutone_like.validate.checks import realtime
from neutone_like.validate.conditions import steady_conditions
from neutone_like.validate.deadlines.findings import DeadlineFindings, SmallestBlock
from neutone_like.validate.deadlines.run import play_setting
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.outcome import Outcome
from support.deadline_models import KnowsItsCaller, Slow
from support.runtime_models import Rig
from support.validate_models import Delayed, FiltersMonoToStereo, Gain

Made = Callable[[WaveformToWaveformBase], LiveSubject]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """The context of a quick validation of a model."""

    def make(model: WaveformToWaveformBase) -> LiveSubject:
        folder = tmp_path / type(model).__name__
        write_artifact(model, folder, render_samples=False)
        return LiveSubject(load_artifact(folder), quick=True)

    return make


def check(context: LiveSubject) -> tuple[Outcome, DeadlineFindings]:
    with steady_conditions():
        outcome = realtime.check_realtime_deadlines(context)
    assert isinstance(outcome.findings, DeadlineFindings)
    return outcome, outcome.findings


def assert_sounds_right(context: LiveSubject) -> DeadlineFindings:
    """Played, compared, and not a sample wrong but late ones; whether this machine is in time is its own affair."""
    _, findings = check(context)
    for one in findings.played:
        assert one.trouble == ""
        assert one.run.ended_early == ""
        if one.speed != "too slow":
            assert one.comparison is not None
            assert one.comparison.holds
    return findings


@pytest.mark.parametrize(
    "model",
    [
        lambda: Delayed(),
        lambda: FiltersMonoToStereo(),
        lambda: Rig((44100,), (128,), 50),
        lambda: Rig((), (), 0),
    ],
    ids=["delay", "mono to stereo", "resampled, look-behind", "any rate, any block"],
)
def test_models_of_every_kind_sound_in_the_engine_as_in_python(
    made: Made, model: Callable[[], WaveformToWaveformBase]
) -> None:
    assert_sounds_right(made(model()))


def test_everything_is_in_the_json(made: Made) -> None:
    context = made(Gain())
    outcome, findings = check(context)
    assert outcome.status == "passed", outcome
    assert findings.smallest_blocks == ()
    entry = Check("x", outcome.status, outcome.measured, outcome.allowed, "", 0.0, outcome.information, findings)
    report: dict[str, Any] = json.loads(ValidationReport("Gain", (entry,)).to_json())
    content = report["checks"][0]["findings"]
    assert content["workers"] == 1
    assert content["wake"] == "event"
    assert content["conditions"] == outcome.information[-1]
    assert [settings["host"] for settings in content["settings"]] == [vars(one) for one in context.settings]
    for one, line in zip(content["settings"], outcome.information, strict=False):
        session = one["session"]
        times = session["inference_time"]
        assert sum(count for _, count in times["buckets"]) == times["count"] > 0
        assert session["samples"] == session["callbacks"] * one["host"]["block_size"]
        assert f"p99 {times['p99_us']:.0f} us" in line
        assert one["inference_limit_us"] == pytest.approx(0.8 * session["inference_budget_us"], abs=1e-3)
        assert session["inference_budget_us"] == 1e6 * one["host"]["block_size"] / one["host"]["sample_rate"] or (
            one["model"]["block_size"] is not None
        )
        assert one["no_op"]["callbacks"] == session["callbacks"]
    assert content["settings"][1]["model"] == {"sample_rate": 48000, "block_size": None}


def test_the_json_keeps_texts_as_they_are(made: Made) -> None:
    _, findings = check(made(Gain()))
    text = 'buckets [\n  1.5,\n  2\n], [ 1, 2 ] and "[1,\\n 2]"'
    report = ValidationReport("Gain", (Check("x", "passed", text, "", findings=findings),))
    assert json.loads(report.to_json()) == json.loads(json.dumps(report.to_dict()))
    assert json.loads(report.to_json())["checks"][0]["measured"] == text


@pytest.mark.slow
def test_too_slow_fails_with_the_numbers_and_the_smallest_block_that_works(made: Made) -> None:
    """Thirty milliseconds a call: three times what 512 samples last, and a third of what 4096 do."""
    outcome, findings = check(made(Slow(0.03)))
    assert outcome.status == "failed"
    assert {one.speed for one in findings.played} == {"too slow"}
    assert all((one.repeated or one.is_slow_by_itself) and one.run.missing_samples > 0 for one in findings.played)
    assert [block.sample_rate for block in findings.smallest_blocks] == [48000, 44100]
    sizes = {block.samples for block in findings.smallest_blocks}
    assert sizes <= {1024, 2048, 4096}
    for shown in ("p99 of inference", "smallest block that works: "):
        assert shown in outcome.measured
    assert f"declare block_sizes = ({max(size or 0 for size in sizes)},)" in outcome.advice


@pytest.mark.slow
def test_too_slow_with_blocks_of_its_own_has_no_other_to_try(made: Made) -> None:
    outcome, findings = check(made(Slow(0.03, (128,))))
    assert outcome.status == "failed"
    assert str(findings.smallest_blocks[0]) == "none up to 128 (the model's, at 48000 Hz)"
    assert len(findings.smallest_blocks) == 1
    assert "none up to 128" in outcome.measured
    assert "Longer blocks don't help." in outcome.advice


def test_a_model_that_is_different_in_the_engine_is_caught(made: Made) -> None:
    outcome, findings = check(made(KnowsItsCaller()))
    assert outcome.status == "failed"
    comparison = findings.played[0].comparison
    assert comparison is not None
    assert comparison.differing_samples > 10000
    assert comparison.first_sample == findings.played[0].run.latency_samples
    assert f"{comparison.differing_samples} samples differ from the reference" in outcome.measured
    assert "sounds different in the engine" in outcome.advice


def test_advice_is_of_what_was_measured_where_another_setting_was_too_slow() -> None:
    different, slow = SimpleNamespace(good=False, speed="in time"), SimpleNamespace(good=False, speed="too slow")
    smallest = (SmallestBlock(1024, 48000, False, 4096),)
    for played, said in (((different, slow), "sounds different"), ((slow, different), "Make the model faster")):
        findings: Any = SimpleNamespace(played=played, smallest_blocks=smallest)
        assert said in realtime._advice(findings)  # pyright: ignore[reportPrivateUsage]


class Other(Artifact):
    """An artifact whose file is not what Python holds."""

    other: Artifact

    def fresh_module(self) -> Any:
        return self.other.fresh_module()


class Dropout(Gain):
    """As the gain, but every 997th sample is zero."""

    def __init__(self) -> None:
        super().__init__()
        self.played = 0

    @torch.jit.export
    def reset_model(self) -> None:
        self.last = torch.zeros(2, 1)
        self.played = 0

    def do_forward_pass(self, x: torch.Tensor, params: dict[str, torch.Tensor]) -> torch.Tensor:
        before = torch.cat((self.last, x), 1)[:, : x.size(1)]
        self.last = x[:, -1:].clone()
        position = torch.arange(x.size(1)) + self.played
        self.played += x.size(1)
        return (x + 0.3 * before) * torch.pow(10.0, params["gain"] / 20.0) * (position % 997 != 0)


def test_every_wrong_sample_is_counted(made: Made) -> None:
    good, wrong = made(Gain()), made(Dropout())
    altered = Other(wrong.artifact.path, good.artifact.metadata, wrong.artifact.module)
    altered.other = good.artifact
    setting = HostSetting(48000, 512)
    with steady_conditions():
        one = play_setting(replace(good, artifact=altered, module=None), setting, 0.4)
    assert one.comparison is not None
    heard = one.run.samples - one.run.latency_samples
    wrong_samples = math.ceil(heard / 997)
    assert one.comparison.differing_samples >= wrong_samples - one.run.missing_samples
    assert one.comparison.differing_samples <= wrong_samples + one.run.missing_samples
    if one.run.missing_samples == 0:
        assert one.comparison.first_sample == one.run.latency_samples
        assert not one.comparison.holds


def test_without_the_native_engine_it_is_skipped_with_the_reason(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise RuntimeEngineError("The native engine is not there (no compiler).")

    monkeypatch.setattr(realtime, "native_module", missing)
    outcome = realtime.check_realtime_deadlines(made(Gain()))
    assert outcome.status == "skipped"
    assert outcome.measured == "not run: The native engine is not there (no compiler)."
    assert outcome.findings is None


def test_without_a_backend_for_this_torch_it_is_skipped_with_the_reason(
    made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(torch_backend, "NATIVE_FOLDER", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    outcome = realtime.check_realtime_deadlines(made(Gain()))
    assert outcome.status == "skipped"
    assert outcome.measured.startswith("not run: The libtorch backend has not been built, and the installed torch is")


def test_an_installation_without_compiled_files_validates_the_rest(
    tmp_path: Path, subprocess_environment: dict[str, str]
) -> None:
    write_artifact(Gain(), tmp_path, render_samples=False)
    code = """
import sys
sys.modules["neutone_like.runtime._native"] = None
from neutone_like import validate_artifact
from neutone_like.validate import write_report
report = validate_artifact(sys.argv[1], quick=True)
print(report.passed, report["real-time deadlines"].status, report["real-time deadlines"].measured)
print("has nothing to show" in write_report(sys.argv[1], report, sys.argv[1]).read_text("utf-8"))
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    run = subprocess.run(command, env=subprocess_environment, capture_output=True, text=True, timeout=600)
    lines = run.stdout.splitlines()
    assert lines[0].startswith("True skipped not run: The native engine is not there ("), run.stderr
    assert lines[1:] == ["True"]
