"""The examples as people run them: ``python examples/x.py``, and the demo."""

import json
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from neutone_like import render_file
from support.example_programs import run_here
from support.lighter_exports import ALL, FRESH_PROCESS, only_checks, without_pictures
from support.places import EXAMPLES


def run_program(
    name: str, arguments: list[str], folder: Path, environment: dict[str, Any]
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py"), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
def test_an_example_exports_itself(tmp_path: Path, subprocess_environment: dict[str, Any]) -> None:
    result = run_program("overdrive", [], tmp_path, subprocess_environment)
    assert result.returncode == 0, result.stderr
    assert "Wrote build/overdrive/model.nm" in result.stdout
    look_at(tmp_path / "build" / "overdrive" / "model.nm")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["echo", "tone_control", "lstm_amp"])
def test_an_example_exports_itself_where_it_is_told_to(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only_checks(monkeypatch, *(ALL - {FRESH_PROCESS}))
    without_pictures(monkeypatch)
    run_here(name, ["else where"], tmp_path, monkeypatch)
    assert "Wrote else where/model.nm" in capsys.readouterr().out
    look_at(tmp_path / "else where" / "model.nm")


def look_at(model: Path) -> None:
    assert model.stat().st_size < 100_000
    checks = json.loads((model.parent / "validation.json").read_text(encoding="utf-8"))["checks"]
    assert len(checks) > 5


@pytest.mark.slow
@pytest.mark.compiles
def test_demo_renders_the_riff_and_the_drums(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only_checks(monkeypatch, "metadata")
    without_pictures(monkeypatch)
    run_here("demo", [], tmp_path, monkeypatch)
    told = capsys.readouterr().out
    out = tmp_path / "build" / "demo"
    assert (out / "overdrive" / "model.nm").is_file()
    assert (out / "lstm_amp" / "validation.json").is_file()
    assert sorted(path.parent.name for path in (out / "pages").glob("*/index.html")) == ["lstm_amp", "overdrive"]
    assert "No plugins: " in told or (out / "plugins" / "LSTM_amp.clap").is_file()
    for source in ("guitar_riff", "drum_loop"):
        dry = soundfile.info(out / "input" / f"{source}.wav")
        for through in ("overdrive", "lstm_amp", "board"):
            name = f"{source}-{through}.wav"
            assert name in told
            wet, rate = soundfile.read(out / name, always_2d=True)
            assert (len(wet), rate) == (dry.frames, dry.samplerate)
            assert np.isfinite(wet).all()
            assert 0.05 < np.abs(wet).max() <= 1.0
    look_at_what_was_played_live(out, told)


def look_at_what_was_played_live(out: Path, told: str) -> None:
    """It is what a render gives whose drive turns with the same callbacks."""
    take, rate = soundfile.read(out / "live" / "guitar_riff-overdrive.wav", dtype="float32")
    said = re.search(r"(\d+) callbacks in \S+ s, 0 underruns, 0 samples missing, .* latency (\d+) samples", told)
    assert said is not None, told
    callbacks, latency = map(int, said.groups())
    assert callbacks * 128 == len(take)
    assert f"The recording, for any player: {Path('build', 'demo', 'live', 'guitar_riff-overdrive.wav')}" in told
    drive = np.zeros(8 * rate)
    for seconds, decibels in ((1, 36.0), (3, 12.0)):
        drive[seconds * rate // 128 * 128 :] = decibels
    model, riff = out / "overdrive" / "model.nm", out / "input" / "guitar_riff.wav"
    render_file(model, riff, out / "turned.wav", params={"drive": drive}, output_gain_db=-6.0, progress=False)
    wanted, _ = soundfile.read(out / "turned.wav", dtype="float32")
    assert np.abs(take).max() < 1.0
    begin, end = rate // 10, len(take) - latency  # at the beginning it glides from the default
    np.testing.assert_allclose(take[latency + begin :], wanted[begin:end], rtol=0, atol=1e-5)


@pytest.mark.slow
def test_demo_takes_any_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only_checks(monkeypatch, "metadata")
    without_pictures(monkeypatch)
    recording = tmp_path / "my take [1].flac"
    time = np.arange(33_333) / 96_000
    soundfile.write(recording, 0.5 * np.sin(2 * np.pi * 220 * time[:, None] * [1.0, 1.5]), 96_000)
    run_here("demo", ["--input", str(recording), "--out", "here"], tmp_path, monkeypatch)
    assert "my take [1]-board.wav" in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "here").glob("*.wav")) == [
        f"my take [1]-{through}.wav" for through in ("board", "lstm_amp", "overdrive")
    ]
    assert soundfile.info(tmp_path / "here" / "my take [1]-overdrive.wav").frames == 33_333


def test_demo_says_which_recording_is_missing(tmp_path: Path, subprocess_environment: dict[str, Any]) -> None:
    result = run_program("demo", ["--input", "nothing.wav"], tmp_path, subprocess_environment)
    assert result.returncode == 2
    assert "nothing.wav" in result.stderr
    assert not (tmp_path / "build").exists()


@pytest.mark.slow
def test_an_amp_is_distilled_and_what_came_out_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--family", "lstm", "--budget", "0.95", "--seconds", "1", "--out", "small"]
    run_here("distil_lstm_amp", arguments, tmp_path, monkeypatch)
    out = capsys.readouterr().out
    assert "within 0.95 x" in out
    assert "the time, ESR " in out
    told = json.loads((tmp_path / "small" / "best" / "result.json").read_text(encoding="utf-8"))
    assert told["quality"]["error_to_signal_ratio"] > 0.0
    assert (tmp_path / "small" / "best" / "student" / "model.nlc").stat().st_size == told["student_cost"]["file_bytes"]


def test_a_nam_amp_is_cut_and_taught_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {"channels": 8, "dilations": [1, 4], "batchnorm": False, "activation": "Tanh"}
    drawn = random.Random(1)
    weights = [drawn.uniform(-0.5, 0.5) for _ in range((1 * 8 * 2 + 8) + (8 * 8 * 2 + 8) + 8 + 1)]
    amp = {"version": "0.5.4", "architecture": "ConvNet", "config": config, "weights": weights}
    (tmp_path / "amp.nam").write_text(json.dumps(amp), encoding="utf-8")
    run_here(
        "smaller_nam", ["amp.nam", "--seconds", "2", "--audio-seconds", "12", "--out", "small"], tmp_path, monkeypatch
    )
    assert "69 % of its parameters are gone" in capsys.readouterr().out
    told = json.loads((tmp_path / "small" / "result.json").read_text(encoding="utf-8"))
    begun, *_, ended = [error for *_, error in told["curve"]]
    assert ended < 0.5 * begun
    assert told["quality"]["error_to_signal_ratio"] < 0.5 * begun
    assert told["student_cost"]["file_bytes"] == (tmp_path / "small" / "student" / "model.nlc").stat().st_size
