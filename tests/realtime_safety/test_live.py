"""What a sound card calls: no allocation, lock, wait or system call, and nothing of Python."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from neutone_like.realtime_safety.checking import CONTROLS, INTERPOSER
from neutone_like.realtime_safety.process import run_child
from neutone_like.realtime_safety.reading import read_result
from neutone_like.realtime_safety.report import RealtimeSafetyReport, SafetyConditions
from neutone_like.runtime.native_files import native_file
from support.fake_portaudio import fake_portaudio
from support.places import PROJECT
from support.realtime_safety_tools import needs_linux

pytestmark = [needs_linux, pytest.mark.slow]
CALLBACKS = 3000
BEFORE = 8  # until the device's block is known


def check(folder: Path, monkeypatch: pytest.MonkeyPatch, **chosen: Any) -> RealtimeSafetyReport:
    fake_portaudio()
    monkeypatch.setenv("FAKE_HOLD_AFTER", str(BEFORE))
    monkeypatch.setenv("FAKE_BLOCK", "64")
    monkeypatch.setenv("FAKE_RATE", "44100")  # which the model is not made for
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(PROJECT), str(PROJECT / "tests")]))
    settings: dict[str, Any] = {
        "model": "",
        "callbacks": CALLBACKS,
        "warm_up_callbacks": 100,
        "folder": str(folder),
        **chosen,
    }
    controls = native_file(CONTROLS)

    def command(report_file: int) -> list[str]:
        told = {**settings, "controls": str(controls), "report_file": report_file}
        return [sys.executable, "-m", "support.live_child", json.dumps(told)]

    conditions = SafetyConditions(
        "live", "a sound card's callback", settings["callbacks"], 100, 64, 44100, 2, "poll", "here"
    )
    child = run_child(command, interposer=str(native_file(INTERPOSER)), timeout_seconds=120.0)
    report = read_result(child, conditions)
    assert report.ending.kind == "finished", (report.ending, child.output)
    return report


def test_the_callback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiled model in it, converted from the device's rate, recorded all the while."""
    report = check(tmp_path, monkeypatch, model=str(PROJECT / "exported" / "lstm_amp"), mode="inline")
    assert report.passed, [(each.name, each.count, each.stack) for each in report.offences]
    assert report.callbacks == CALLBACKS + BEFORE
    assert sum(counter.count for counter in report.counters) == 0
    assert (tmp_path / "output.wav").stat().st_size > CALLBACKS * 64 * 8


def test_a_model_in_python_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: it takes the GIL in the callback, and allocates."""
    report = check(tmp_path, monkeypatch, mode="inline", callbacks=200)
    assert not report.passed
    assert report["malloc"].count > 0
