"""The command line's verb that compiles an artifact."""

import json
import shutil
from pathlib import Path

import pytest

from neutone_like.artifact import write_artifact
from neutone_like.runtime.compiled_model import load_compiled
from support.cli_runner import FELL_SHORT, GOOD, WRONG_USE, Run, runner
from support.compiled_live_models import LooksBehind, Ringing, Sorted


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_artifact(LooksBehind(), tmp_path_factory.mktemp("behind") / "model", render_samples=False).model_path


@pytest.fixture
def model(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written.parent, tmp_path / "model")) / written.name


def test_it_writes_beside_the_model_and_tells(run: Run, model: Path) -> None:
    code, out, err = run("compile", model)
    assert (code, err) == (GOOD, "")
    compiled = load_compiled(model)
    assert f"CompiledModel: 'Small', {compiled.steps} steps" in out
    assert f"file: {model.with_name('model.nlc')}" in out
    assert "CompileReport: " in out
    assert "accuracy: error " in out
    assert "..." not in out


def test_json_is_all_that_stands_on_stdout(run: Run, model: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.nlc"
    code, out, err = run("compile", model.parent, "--out", target, "--json")
    assert (code, err) == (GOOD, "")
    told = json.loads(out)
    compiled = load_compiled(target)
    assert told["path"] == str(target)
    assert told["steps"] == compiled.steps
    assert told["file_bytes"] == target.stat().st_size
    assert told["granules"] == list(compiled.granules)
    assert told["sample_rates"] == told["left_out"] == []
    assert 0 <= told["error"] <= told["allowed_error"] < told["peak"]
    assert not model.with_name("model.nlc").exists()


def test_a_plan_is_listed_and_nothing_written(run: Run, model: Path) -> None:
    code, out, err = run("compile", model, "--plan")
    assert (code, err) == (GOOD, "")
    lines = out.splitlines()
    assert lines[0] == "blocks of any length, at most 64"
    assert lines[1].startswith("audio ")
    assert lines[-1].startswith("output ")
    assert not model.with_name("model.nlc").exists()


def test_a_rate_is_chosen(run: Run, tmp_path: Path) -> None:
    path = write_artifact(Ringing(), tmp_path / "ringing", render_samples=False).model_path
    code, out, _ = run("compile", path, "--rate", 48000, "--json")
    assert (code, json.loads(out)["sample_rates"]) == (GOOD, [48000])
    code, _, err = run("compile", path, "--rate", 22050)
    assert code == FELL_SHORT
    assert "22050 Hz was asked for" in err


def test_where_it_cannot_write_is_said(run: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "out"
    for arguments in ((), ("--source",)):
        code, said, err = run("compile", model, "--out", out, *arguments)
        assert (code, said) == (FELL_SHORT, "")
        assert err.startswith(f"Error: Can't write {out}: ")
        assert "Choose a folder that you may write to" in err


def test_what_does_not_compile_is_said_and_leaves_nothing(run: Run, tmp_path: Path) -> None:
    path = write_artifact(Sorted(), tmp_path / "sorted", render_samples=False).model_path
    for arguments in ((), ("--plan",), ("--json",)):
        code, out, err = run("compile", path, *arguments)
        assert (code, out) == (FELL_SHORT, "")
        assert f"{path} does not compile: aten::sort.default" in err
        assert "is not among the operations that compile. TorchScript plays it." in err
    assert not path.with_name("model.nlc").exists()
    assert run("compile", tmp_path / "absent.nm")[0] == WRONG_USE
