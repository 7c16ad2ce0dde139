"""The command line's verbs that make and check artifacts."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from neutone_like.artifact import write_artifact
from neutone_like.validate import Check, ValidationReport
from support.cli_runner import FELL_SHORT, GOOD, WRONG_USE, Run, runner
from support.lighter_exports import without_pictures, without_times
from support.render_models import Volume

MODEL_FILE = """
from typing import Dict
import torch
from torch import Tensor, nn
from neutone_like import ContinuousParameter, ModelMetadata, WaveformToWaveformBase
from helper import NAME

class Quiet(WaveformToWaveformBase):
    metadata = ModelMetadata(name=NAME, authors=("Ada",), version="1.0.0", short_description="For tests")

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return 0.5 * x

def build_model():
    return Quiet(nn.Identity())

def louder():
    model = build_model()
    model.metadata = ModelMetadata(name="Louder", authors=("Ada",), version="1.0.0")
    return model

def nothing():
    return missing_name

finished = build_model()
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("volume") / "artifact"
    return write_artifact(Volume(nn.Identity()), folder, render_samples=False).model_path


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    (tmp_path / "helper.py").write_text('NAME = "Quiet"\n')
    (tmp_path / "quiet.py").write_text(MODEL_FILE)
    return tmp_path / "quiet.py"


@pytest.fixture(autouse=True)
def forget_model_files(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "path", sys.path.copy())
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name in ("quiet", "helper", "broken"):
            del sys.modules[name]


def test_export_json_is_all_that_stands_on_stdout(run: Run, model_file: Path, tmp_path: Path) -> None:
    talking = 'print("imported")\n' + MODEL_FILE.replace("build_model():\n", 'build_model():\n    print("built")\n')
    model_file.write_text(talking)
    code, out, err = run("export", model_file, "--out", tmp_path / "out", "--no-validate", "--no-samples", "--json")
    assert code == GOOD
    assert json.loads(out)["directory"] == str(tmp_path / "out")
    assert "imported" in err
    assert "built" in err


@pytest.mark.parametrize(("callable_name", "name"), [("", "Quiet"), (":louder", "Louder"), (":finished", "Quiet")])
def test_export(run: Run, model_file: Path, tmp_path: Path, callable_name: str, name: str) -> None:
    arguments = ("--no-validate", "--no-samples", "--quality", "fast")
    code, out, err = run("export", f"{model_file}{callable_name}", "--out", tmp_path / "out", *arguments)
    assert (code, err) == (GOOD, "")
    assert f"{tmp_path}/out/model.nm" in out
    metadata = json.loads((tmp_path / "out" / "metadata.json").read_text())
    assert metadata["model_name"] == name
    assert metadata["neutone_like"]["quality"] == "fast"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["metadata.json", "model.nm"]


@pytest.mark.slow
def test_export_and_validate_with_a_report(
    run: Run, model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_times(monkeypatch)
    without_pictures(monkeypatch)  # of the export
    code, out, _ = run("export", model_file, "--out", tmp_path / "out", "--mp3-samples", "--json")
    assert code == GOOD
    exported = json.loads(out)
    assert exported["validation"]["passed"] is True
    assert all(Path(file).is_file() for file in exported["files"])
    assert str(tmp_path / "out" / "report.html") in exported["files"]
    page = tmp_path / "page.html"
    code, out, err = run("validate", tmp_path / "out", "--quick", "--json", "--report-to", page)
    assert code == GOOD
    assert err.strip() == f"Report: {page}"
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert json.loads(out)["passed"] is True


def test_export_of_what_can_t_be(run: Run, model_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, _, err = run("export", f"{model_file}:nothing", "--out", out)
    assert code == FELL_SHORT
    assert (
        f"nothing() in {model_file} failed: {model_file}:23 return missing_name NameError: name 'missing_name'" in err
    )
    code, _, err = run("export", f"{model_file}:absent", "--out", out)
    assert code == WRONG_USE
    assert "has nothing called 'absent'. What can be called in it: " in err
    assert "build_model, finished, louder, nothing" in err
    code, _, err = run("export", f"{model_file}:NAME", "--out", out)
    assert code == FELL_SHORT
    assert "a subclass of neutone_like.WaveformToWaveformBase or neutone_like.NonRealtimeBase, got 'Quiet'" in err
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import torch\nx = 1 / 0\n", "broken.py:2 x = 1 / 0 ZeroDivisionError: division by zero"),
        ("def f(:\n    pass\n", "broken.py:1 def f(: SyntaxError: invalid syntax"),
        (
            "import helper\n",
            "helper.py:1 import no_such_package ModuleNotFoundError: No module named 'no_such_package'",
        ),
        ("import sys\nsys.exit(3)\n", "broken.py:2 sys.exit(3) SystemExit: 3"),
        ("from torch import nn\n\nnn.Linear('a', 2)\n", "broken.py:3 nn.Linear('a', 2) TypeError: "),
    ],
)
def test_export_of_a_file_that_fails(run: Run, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "broken.py").write_text(text)
    (tmp_path / "helper.py").write_text("import no_such_package\n")
    code, out, err = run("export", tmp_path / "broken.py", "--out", tmp_path / "out")
    assert (code, out) == (FELL_SHORT, "")
    assert f"Error: {tmp_path}/broken.py can't be imported: {tmp_path}/{message}" in err


def test_export_of_no_python_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_text("")
    code, _, err = run("export", tmp_path / "model.txt", "--out", tmp_path / "out")
    assert code == WRONG_USE
    assert "Expected a Python file, FILE.py or FILE.py:callable" in err


def test_validate_exits_by_the_report(run: Run, volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for passed, code in ((True, GOOD), (False, FELL_SHORT)):
        check = Check("speed", "passed" if passed else "failed", "12 ms", "at most 10 ms")
        report = ValidationReport("Volume", (check,))
        monkeypatch.setattr("neutone_like.validate.validate_artifact", lambda path, report=report, **_: report)
        given, out, err = run("validate", volume, "--json")
        assert (given, json.loads(out), err) == (code, report.to_dict(), "")
        assert run("validate", volume)[0] == code
