"""A whole validation: of a file, of a folder, of a loaded artifact; what the report says, shows and writes."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from neutone_like.artifact.reading.loader import load_artifact
from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.errors import ArtifactError, ExportError
from neutone_like.validate import Check, ValidationReport, validate_artifact
from neutone_like.validate.check_lists import EXPORTED, LIVE_CHECKS
from neutone_like.validate.validation import FRESH_PROCESS
from support.validate_models import Gain, NeverForgets

NAMES = [check.name for check in LIVE_CHECKS if check.name != EXPORTED] + [FRESH_PROCESS]  # no such file is there


@pytest.fixture(scope="module")
def good_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    write_artifact(Gain(), folder, render_samples=False)
    return folder


def test_a_good_artifact_passes_every_check_at_every_setting(good_folder: Path) -> None:
    """And leaves torch and the artifact as they were."""
    artifact, steps = load_artifact(good_folder), list[str]()
    x = torch.rand(2, 512)
    expected = load_artifact(good_folder).module.forward(x)
    numbers, threads = torch.get_rng_state(), torch.get_num_threads()
    report = validate_artifact(artifact, eager_model=Gain(), progress=steps.append)
    assert torch.equal(torch.get_rng_state(), numbers)
    assert torch.get_num_threads() == threads
    assert torch.is_grad_enabled()
    assert torch.equal(artifact.module.forward(x), expected)
    assert report.passed, [check.line() for check in report.failures]
    assert [check.name for check in report] == NAMES == steps
    assert {check.name for check in report if not check.passed} == {"compiled equals eager"}, "there is no model.nlc"
    assert dict(report.conditions)["host settings"].count("Hz") == 4


def test_a_bad_artifact_fails_and_the_rest_is_still_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neutone_like.validate.effort.QUICK_SECONDS", 0.3)
    write_artifact(NeverForgets(), tmp_path, render_samples=False)
    report = validate_artifact(tmp_path / "model.nm", quick=True)
    assert not report.passed
    assert not report["reset repeats"].passed
    assert report[FRESH_PROCESS].passed
    assert len(report.checks) == len(NAMES)


def test_what_is_no_artifact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"folder without model\.nm"):
        validate_artifact(tmp_path)


def _report(*checks: Check) -> ValidationReport:
    return ValidationReport("Amp", checks, (("torch", "2"),))


GOOD = Check("one", "passed", "0.01", "0.05", "never shown", 1.0, ("in detail",))
BAD = Check("two", "failed", "0.09", "0.05", "Turn it down.", 0.25)
SKIPPED = Check("three", "skipped", "not run: no engine", "80 %")


def test_a_report_fails_with_one_check_and_not_with_one_that_was_skipped() -> None:
    assert _report(GOOD, SKIPPED).passed
    assert not _report(GOOD, BAD).passed
    assert _report(GOOD, BAD).failures == (BAD,)
    assert _report(GOOD, BAD, SKIPPED).summary() == "FAILED: 1 passed, 1 failed, 1 skipped, in 1.2 s"
    with pytest.raises(KeyError, match="No check is called 'four'; there are: one, two"):
        _report(GOOD, BAD)["four"]


def test_the_table_shows_measured_allowed_and_advice() -> None:
    console = Console(width=200, record=True)
    console.print(_report(GOOD, BAD, SKIPPED).table())
    text = console.export_text()
    for shown in ("0.01", "(in detail)", "FAILED", "0.09", "Turn it down.", "skipped", "not run: no engine"):
        assert shown in text
    assert "never shown" not in text


def test_a_line_of_a_failed_check_ends_with_the_advice() -> None:
    assert BAD.line() == "two: failed; measured 0.09; allowed 0.05. Turn it down."
    assert GOOD.line() == "one: passed; measured 0.01; allowed 0.05"


def test_the_json_holds_everything(tmp_path: Path) -> None:
    path = _report(GOOD, BAD).write(tmp_path / "validation.json")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert content["passed"] is False
    assert content["conditions"] == {"torch": "2"}
    assert [entry["status"] for entry in content["checks"]] == ["passed", "failed"]
    assert content["checks"][1]["advice"] == "Turn it down."
    assert [entry.name for entry in tmp_path.iterdir()] == ["validation.json"]


def test_a_report_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"can't be written to .*missing.*Choose a folder that exists"):
        _report(GOOD).write(tmp_path / "missing" / "validation.json")
