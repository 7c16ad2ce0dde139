"""Files for other engines beside an artifact: played by the engine, and held to the artifact's sound."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from torch import Tensor

pytest.importorskip("onnxruntime")

from neutone_like import WaveformToWaveformBase, export_model, load_artifact, validate_artifact
from neutone_like.validate.check_lists import EXPORTED
from neutone_like.validate.checks.exported import check_exported_files
from neutone_like.validate.live_subject import LiveSubject
from support.absent_package import Absent
from support.lighter_exports import only_checks
from support.validate_models import Gain


class Louder(Gain):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return 1.01 * super().do_forward_pass(x, params)


def exported(model: WaveformToWaveformBase, folder: Path) -> Path:
    export_model(model, folder, validate=False, render_samples=False, formats=("nm", "onnx"))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(Gain(), tmp_path_factory.mktemp("gain"))


def test_a_file_that_sounds_as_the_artifact_passes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_checks(monkeypatch, EXPORTED)
    check = validate_artifact(folder, quick=True)[EXPORTED]
    assert check.passed
    assert check.measured.startswith("onnxruntime at 48000 Hz / 512: p99 of inference ")
    assert "equal to the reference within" in check.information[0]


def test_a_file_that_sounds_otherwise_fails(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "gain")
    other = exported(Louder(), tmp_path / "other")
    sidecar = json.loads((other / "model.onnx.json").read_text())
    sidecar["artifact_sha256"] = json.loads((folder / "model.onnx.json").read_text())["artifact_sha256"]
    (tmp_path / "gain" / "model.onnx.json").write_text(json.dumps(sidecar))
    shutil.copy(other / "model.onnx", tmp_path / "gain")
    outcome = check_exported_files(LiveSubject(load_artifact(tmp_path / "gain"), quick=True))
    assert outcome.status == "failed"
    assert outcome.measured.endswith("another sound")
    assert outcome.advice.startswith("The file sounds different from the artifact.")


def test_what_is_not_installed_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = LiveSubject(load_artifact(folder), quick=True)
    monkeypatch.setattr(sys, "meta_path", [Absent("onnxruntime"), *sys.meta_path])
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    outcome = check_exported_files(subject)
    assert outcome.status == "skipped"
    assert 'pip install "neutone-like[onnx]"' in outcome.measured
