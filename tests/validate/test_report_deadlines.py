"""The report's part about real deadlines: the numbers of the check, one row a run, and their histograms."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from neutone_like.artifact.reading.loader import Artifact, load_artifact
from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.validate import Check, HostSetting, ValidationReport, write_report
from neutone_like.validate.deadlines.findings import DeadlineFindings, PlayedSetting, SmallestBlock
from neutone_like.validate.html.figures.deadline_figures import binned, callback_figure, inference_figure
from neutone_like.validate.html.figures.drawing import drawing_settings
from support.deadline_runs import played, run_of, times
from support.report_models import AnyRate, Page

SLOW = HostSetting(44100, 64)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tmp_path_factory.mktemp("any_rate")
    write_artifact(AnyRate(), folder, render_samples=False)
    return load_artifact(folder)


def findings_of(*settings: PlayedSetting, smallest: tuple[SmallestBlock, ...] = ()) -> DeadlineFindings:
    return DeadlineFindings(2, "poll", settings, smallest)


def section(artifact: Artifact, folder: Path, check: Check | None) -> tuple[str, Page]:
    """The text of the part, and the page."""
    report = ValidationReport("Any rate", () if check is None else (check,))
    page = Page(write_report(artifact, report, folder / "report.html").read_text(encoding="utf-8"))
    text = page.text
    start = text.index("At real deadlines")
    return text[start : text.index("Checks", start)], page


def test_every_number_of_a_run_is_in_its_row(artifact: Artifact, tmp_path: Path) -> None:
    good = played(times((1001.0, 50), (2002.0, 49), (3003.0, 1)), 0.2, underruns=3)
    good = replace(good, run=replace(good.run, callback_time=times((11.0, 98), (22.0, 2)), deadline_misses=17))
    slow = replace(played(times((1700.0, 100)), 0.17, setting=SLOW), repeated=True)
    slow = replace(slow, no_op=run_of(times((5.0, 100)), underruns=1, setting=SLOW))
    smallest = SmallestBlock(128, 44100, False, 4096)
    findings = findings_of(good, slow, smallest=(smallest,))
    text, page = section(artifact, tmp_path, Check("x", "failed", "y", "z", findings=findings))
    assert "2 workers, polling; real-time priority granted." in text
    row = "48000 Hz / 480 good 1001, 2002, 3003, 3003 20.0 % of 10000 µs 11, 22, 22, 22 17 3 of 100 1440 of 48000 480"
    assert f"{row} doing nothing 1, 1, 1, 1 20, 20, 20, 20 0 0 of 100 0 of 48000 480" in text
    row = "44100 Hz / 64 too slow , second, longer run 1700, 1700, 1700, 1700 117.1 % of 1451 µs"
    assert row in text
    assert "doing nothing 5, 5, 5, 5 20, 20, 20, 20 0 1 of 100 480 of 48000 480" in text
    assert "keeps up, measured: 128 (the host's, at 44100 Hz)." in text
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert html[html.index('<section id="deadlines"') : html.index('<section id="checks"')].count("number over") == 1
    labels = page.values("aria-label")
    assert any("48000 Hz / 480: 99 % below 20.0%; 44100 Hz / 64: 99 % below 117.1%" in label for label in labels)
    assert any("48000 Hz / 480: 99 % below 22 us, doing nothing 20 us" in label for label in labels)
    assert page.misplaced == page.open == []


def test_what_is_wrong_is_called_so(artifact: Artifact, tmp_path: Path) -> None:
    wrong = replace(played(times((1000.0, 100)), 0.1), trouble="3 blocks failed: <b>")
    busy = played(times((500.0, 90), (20000.0, 10)), 0.06)
    text, page = section(artifact, tmp_path, Check("x", "failed", "y", "z", findings=findings_of(wrong, busy)))
    assert "48000 Hz / 480 wrong 1000" in text
    assert "48000 Hz / 480 machine too busy 500" in text
    assert not [tag for tag, _ in page.elements if tag == "b"]


def test_a_model_from_which_nothing_came_back_is_shown(artifact: Artifact, tmp_path: Path) -> None:
    silent = replace(played(times(), 0.0), trouble="no block came back")
    text, _ = section(artifact, tmp_path, Check("x", "failed", "y", "z", findings=findings_of(silent)))
    assert "48000 Hz / 480 too slow 0, 0, 0, 0" in text


def test_without_findings_the_reason_is_there(artifact: Artifact, tmp_path: Path) -> None:
    check = Check("real-time deadlines", "skipped", "not run: The native <engine> is not there.", "z")
    text, page = section(artifact, tmp_path, check)
    assert "nothing to show: not run: The native <engine> is not there." in text
    assert not [label for label in page.values("aria-label") if label.startswith("Histogram")]
    text, _ = section(artifact, tmp_path, None)
    assert "nothing to show: not run" in text


def test_bins_hold_every_time_once() -> None:
    ends = np.geomspace(3.0, 50000.0, 200)
    counts = np.arange(1.0, 201.0)
    edges, shares = binned(ends, counts)
    assert shares.sum() == pytest.approx(1.0)
    expected = [counts[(ends >= low) & (ends < high)].sum() for low, high in pairwise(edges)]
    np.testing.assert_allclose(shares, np.array(expected) / counts.sum())
    assert shares[0] > 0.0
    assert shares[-1] > 0.0


def test_the_figures_say_what_they_show() -> None:
    one = played(times((1000.0, 100)), 0.1)
    with drawing_settings():
        inference, callbacks = inference_figure(findings_of(one)), callback_figure(findings_of(one))
    assert "80 %" in inference.svg
    assert "48000 Hz / 480" in inference.svg
    assert "doing nothing" not in inference.text
    assert callbacks.text == "Histogram of callbacks: 48000 Hz / 480: 99 % below 20 us, doing nothing 20 us."
