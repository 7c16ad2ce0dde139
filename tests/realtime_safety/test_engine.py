"""The native engine's audio thread, playing an artifact: what the design promises, counted."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from neutone_like import ModelMetadata, WaveformToWaveformBase, compile_model
from neutone_like.artifact import write_artifact
from neutone_like.errors import ArtifactError, RuntimeEngineError
from neutone_like.realtime_safety import check_realtime_safety
from neutone_like.realtime_safety.checking import INTERPOSER, Wake
from neutone_like.runtime.native_files import native_file
from support.realtime_safety_tools import needs_linux
from support.wide_models import Wide

pytestmark = needs_linux


@pytest.fixture
def lstm_amp(project_folder: Path, tmp_path: Path) -> Path:
    """An artifact without its compiled form."""
    return Path(shutil.copy(project_folder / "exported" / "lstm_amp" / "model.nm", tmp_path / "model.nm"))


@pytest.mark.slow
@pytest.mark.parametrize("wake", ["event", "poll"])
def test_engine(project_folder: Path, wake: Wake) -> None:
    """100,000 callbacks of 64 samples, converted from 44.1 to 48 kHz and back, with a parameter that keeps changing."""
    report = check_realtime_safety(project_folder / "exported" / "overdrive", wake=wake)
    assert report.passed, [(each.name, each.count, each.stack) for each in report.offences]
    assert report.callbacks == report.conditions.callbacks == 100_000
    assert report.conditions.sample_rate == 44100
    assert (report["futex_wake_ups"].count > 0) == (wake == "event")
    assert sum(counter.count for counter in report.counters) == report["futex_wake_ups"].count


@pytest.mark.slow
def test_a_declared_wait_is_one_a_callback_and_no_longer_than_declared(project_folder: Path) -> None:
    report = check_realtime_safety(project_folder / "exported" / "overdrive", callbacks=2000, wait_fraction=0.25)
    assert report.passed, [(each.name, each.count, each.stack) for each in report.offences]
    assert report["bounded_waits"].count > 0
    assert report["bounded_waits"].most_in_callback == report["bounded_waits"].allowed_in_callback == 1
    assert 0.0 < report.longest_wait_seconds <= 0.25 * 64 / 44100
    assert not replace(report, longest_wait_seconds=0.26 * 64 / 44100).passed
    with pytest.raises(RuntimeEngineError, match="wait_fraction is for artifacts"):
        check_realtime_safety(native_file(INTERPOSER), wait_fraction=0.5)


class Saves(WaveformToWaveformBase):
    metadata = ModelMetadata(name="Saves", authors=("A",), version="1")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        torch.save(x, "mark")
        return 0.5 * x


@pytest.mark.slow
def test_a_model_that_somebody_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    allowed = ["aten::save"]
    path = write_artifact(Saves(), tmp_path / "saves", render_samples=False, allow_operators=allowed).model_path
    with pytest.raises(RuntimeEngineError, match="aten::save"):
        check_realtime_safety(path, callbacks=1000)
    assert check_realtime_safety(path, callbacks=1000, allow_operators=allowed).passed
    with pytest.raises(RuntimeEngineError, match="allow_operators is for artifacts"):
        check_realtime_safety(native_file(INTERPOSER), allow_operators=allowed)
    with pytest.raises(ArtifactError, match="allow_operators must hold names such as 'aten::save', got 'save'"):
        check_realtime_safety(path, allow_operators=["save"])


@pytest.mark.slow
def test_eighteen_knobs_and_six_channels(tmp_path: Path) -> None:
    """As many channels are sent as the model takes, and all of its knobs keep moving."""
    path = write_artifact(
        Wide(3, 6, knobs=18, sample_rates=(48000,)), tmp_path / "wide", render_samples=False
    ).model_path
    report = check_realtime_safety(path, callbacks=3000)
    assert report.passed, [(each.name, each.count, each.stack) for each in report.offences]
    assert (report.callbacks, report.conditions.channels) == (3000, 3)


@pytest.mark.slow
def test_inline_model_is_caught(lstm_amp: Path) -> None:
    """The control: TorchScript in the callback allocates hundreds of times, and the stack leads through libtorch."""
    report = check_realtime_safety(lstm_amp, callbacks=200, mode="inline")
    assert {counter.name for counter in report.offences} >= {"malloc", "free", "pthread_mutex_lock"}
    assert report["malloc"].callbacks == report["free"].callbacks == report.callbacks == 200
    assert report["free"].count > 100 * report.callbacks
    functions = {frame.function for counter in report.offences for frame in counter.stack}
    assert any(function.startswith("at::") for function in functions)
    assert not any(function.startswith("_Z") for function in functions)


@pytest.mark.slow
def test_compiled_model_may_be_in_the_callback(lstm_amp: Path) -> None:
    """The same model compiled, converted from 44.1 to 48 kHz and back, with a parameter that keeps changing."""
    compile_model(lstm_amp)
    report = check_realtime_safety(lstm_amp, callbacks=3000, mode="inline")
    assert report.passed, [(each.name, each.count, each.stack) for each in report.offences]
    assert sum(counter.count for counter in report.counters) == 0
    assert report.callbacks == 3000


@pytest.mark.slow
def test_onnx_runtime_stays_on_the_worker(tmp_path: Path) -> None:
    """Nothing of it is in the callback; the control puts it there, where it allocates."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from support.exchange_files import overdriven

    path = overdriven(tmp_path).with_suffix(".onnx")
    report = check_realtime_safety(path, callbacks=3000)
    assert report.passed, [(each.name, each.count, each.stack) for each in report.offences]
    assert (report.callbacks, report.conditions.sample_rate) == (3000, 44100)
    inline = check_realtime_safety(path, callbacks=200, mode="inline")
    assert inline["malloc"].callbacks == 200
    assert not inline.passed
