"""``backend="auto"``: who is measured, who is left out, what is kept, and that nothing is measured without need."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx import helper

from neutone_like.runtime import Engine, HostConfig, Session, measured_choice
from neutone_like.runtime.mode import Mode
from support.compiled_files import write_late_model
from support.exchange_files import overdriven, write_onnx, write_sidecar
from support.places import PROJECT
from support.runtime_models import noise, play

HOST = HostConfig(48000, 64)


class Clock:
    """Stands in for the measuring: gives times that a test chose, and counts."""

    def __init__(self, **times: float) -> None:
        self.times = times
        self.calls = 0

    def __call__(self, sessions: Mapping[str, Session], host: HostConfig) -> dict[str, float]:
        self.calls += 1
        return {name: self.times[name] for name in sessions}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def artifact(tmp_path: Path, cache: Path) -> Path:
    (tmp_path / "model").mkdir()
    return overdriven(tmp_path / "model")


def opened(path: Path, host: HostConfig = HOST, mode: Mode = "async") -> tuple[str, str]:
    """Who plays, and why."""
    with Engine(realtime_priority=False) as engine, engine.open(path, host, mode=mode) as session:
        return session.backend_name, session.backend_reason


def clock(monkeypatch: pytest.MonkeyPatch, **times: float) -> Clock:
    made = Clock(**times)
    monkeypatch.setattr(measured_choice, "_p99_us", made)
    return made


def kept(cache: Path) -> list[Path]:
    return sorted(cache.rglob("backends/*.json"))


def test_the_fastest_plays_and_says_why(artifact: Path, cache: Path) -> None:
    """The one test that measures: whoever it is, it plays what all would."""
    with Engine(realtime_priority=False) as engine, engine.open(artifact, HOST) as session:
        assert session.backend_name in ("torchscript", "onnxruntime")
        for name in ("torchscript", "onnxruntime"):
            assert name in session.backend_reason
        assert session.backend_reason.startswith(f"{session.backend_name}: 99 of 100 blocks of 64 samples at 48000 Hz")
        x = noise(1280)
        session.set_parameter("drive", 0.0)
        heard, latency = play(session, x, [64] * 20), session.latency_samples
        np.testing.assert_allclose(heard[:, 1000:], np.tanh(x[:, 1000 - latency : 1280 - latency]), rtol=0.0, atol=1e-3)
    (file,) = kept(cache)
    assert set(json.loads(file.read_text())["p99_us"]) == {"torchscript", "onnxruntime"}


def test_what_was_measured_is_kept_until_something_changes(
    artifact: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = clock(monkeypatch, torchscript=100.0, onnxruntime=40.0)
    assert opened(artifact) == (
        "onnxruntime",
        "onnxruntime: 99 of 100 blocks of 64 samples at 48000 Hz take at most 40 us (torchscript 100 us)",
    )
    name, reason = opened(artifact)
    assert (name, times.calls) == ("onnxruntime", 1)
    assert reason.endswith("; measured before on this machine")
    opened(artifact, HostConfig(48000, 128))
    assert (times.calls, len(kept(cache))) == (2, 2)
    monkeypatch.setattr("neutone_like.runtime.choice_cache.processor_name", lambda: "another one")
    opened(artifact)
    assert times.calls == 3
    for broken in (b"", b"[]", b'{"backend": "onnxruntime"', b'{"backend": "abacus", "p99_us": {}, "notes": {}}'):
        for file in kept(cache):
            file.write_bytes(broken)
        opened(artifact)
    assert times.calls == 7
    assert read_back(kept(cache)) == {"onnxruntime"}


def read_back(files: list[Path]) -> set[str]:
    """Who is kept in those files that are whole again."""
    texts = [file.read_text() for file in files]
    return {json.loads(text)["backend"] for text in texts if "abacus" not in text}


def test_a_little_faster_is_not_faster(artifact: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock(monkeypatch, torchscript=100.0, onnxruntime=96.0)
    assert opened(artifact)[0] == "torchscript"
    clock(monkeypatch, torchscript=100.0, onnxruntime=94.0)
    assert opened(artifact, HostConfig(48000, 65))[0] == "onnxruntime"


def test_a_cache_that_cannot_be_written_is_no_reason_not_to_play(
    artifact: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.write_text("a file where the folder should be")
    clock(monkeypatch, torchscript=100.0, onnxruntime=40.0)
    name, reason = opened(artifact)
    assert name == "onnxruntime"
    assert "can't be kept in" in reason


def test_who_plays_something_else_or_later_is_left_out(artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = clock(monkeypatch, torchscript=100.0, onnxruntime=1.0)
    sidecar = json.loads((artifact.parent / "model.onnx.json").read_text())
    (artifact.parent / "model.onnx.json").write_text(json.dumps({**sidecar, "block_samples": 96}))
    name, reason = opened(artifact)
    assert name == "torchscript"
    assert "onnxruntime was left out: it would be 64 samples later" in reason
    path, shape = artifact.with_suffix(".onnx"), ("float32", [2, "N"])
    node = helper.make_node("Mul", ["audio", "drive"], ["audio_out"])
    write_onnx(path, [node], {"audio": shape, "drive": ("float32", [1])}, {"audio_out": shape})
    same = {
        key: sidecar[key] for key in ("artifact_sha256", "sample_rate", "parameters", "in_channels", "out_channels")
    }
    write_sidecar(path, **same)
    name, reason = opened(artifact)
    assert (name, times.calls) == ("torchscript", 2)
    assert "onnxruntime was left out: its output is" in reason
    assert "away from torchscript's" in reason


def test_nothing_is_measured_without_need(artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError("measured")

    monkeypatch.setattr(measured_choice, "measure", never)
    with pytest.raises(AssertionError, match="measured"):  # the control
        opened(artifact)
    shutil.copy(PROJECT / "exported" / "overdrive" / "metadata.json", artifact.parent)
    write_late_model(artifact)
    assert opened(artifact, mode="inline") == ("compiled", "")  # what may be in a callback stays there
    for path in artifact.parent.glob("model.onnx*"):
        path.unlink()
    assert opened(artifact) == ("compiled", "")
    (artifact.parent / "model.nlc").unlink()
    assert opened(artifact) == ("torchscript", "")


def test_an_exported_file_of_another_model_is_warned_of(artifact: Path) -> None:
    write_sidecar(artifact.with_suffix(".onnx"))
    with pytest.warns(
        RuntimeWarning, match=r"onnxruntime does not play .*model.nm: .* was exported from another model"
    ):
        assert opened(artifact) == ("torchscript", "")
