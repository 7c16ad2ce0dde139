"""export_model: everything or nothing, with the failed checks in the message."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from neutone_like.artifact.reading.loader import load_artifact
from neutone_like.errors import ExportError
from neutone_like.export import ExportResult, export_model
from support.lighter_exports import only_checks
from support.places import TESTS
from support.validate_models import Gain, NeverForgets, Random


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@dataclass(frozen=True)
class Full:
    """An export with everything, and what it left behind."""

    model: Gain
    result: ExportResult
    steps: list[str]
    random_numbers: tuple[Tensor, Tensor]
    threads: tuple[int, int]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Full:
    model, steps = Gain(), list[str]()
    model.last = torch.full((2, 1), 0.25)
    model.train()
    numbers, threads = torch.get_rng_state(), torch.get_num_threads()
    result = export_model(model, tmp_path_factory.mktemp("full") / "gain", progress=steps.append)
    return Full(model, result, steps, (numbers, torch.get_rng_state()), (threads, torch.get_num_threads()))


@pytest.fixture
def reset_check_only(monkeypatch: pytest.MonkeyPatch) -> None:
    only_checks(monkeypatch, "reset repeats")


def test_an_export_holds_what_it_says(full: Full) -> None:
    result = full.result
    assert set(_files(result.directory)) == {
        "model.nm",
        "metadata.json",
        "validation.json",
        "report.html",
        *(str(path.relative_to(result.directory)) for path in result.sample_paths),
    }
    assert result.sample_paths
    assert result.report_path is not None
    assert "<title>Gain 1.0.0: passed</title>" in result.report_path.read_text(encoding="utf-8")
    assert result.validation is not None
    assert result.validation.passed
    assert result.validation_path is not None
    assert json.loads(result.validation_path.read_text(encoding="utf-8")) == result.validation.to_dict()
    assert load_artifact(result.model_path).metadata == result.metadata
    assert "Validating: any chunking equals whole" in full.steps
    assert [path.name for path in result.directory.parent.iterdir()] == ["gain"]


def test_validation_and_samples_can_be_left_out(tmp_path: Path) -> None:
    result = export_model(Gain(), tmp_path, validate=False, render_samples=False)
    assert result.validation is None
    assert result.validation_path is None
    assert result.report_path is None
    assert set(_files(tmp_path)) == {"model.nm", "metadata.json"}


@pytest.mark.usefixtures("reset_check_only")
def test_a_failed_check_stops_the_export_and_spares_the_old_artifact(tmp_path: Path) -> None:
    folder = tmp_path / "amp"
    export_model(Gain(), folder, validate=False, render_samples=False)
    before = _files(folder)
    with pytest.raises(ExportError, match=r"Never forgets failed \d of \d+ checks(.|\n)*reset repeats: failed"):
        export_model(NeverForgets(), folder, render_samples=False)
    assert _files(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["amp"]


@pytest.mark.usefixtures("reset_check_only")
def test_a_failed_check_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"Random numbers need a seed(.|\n)*allow_failed_validation=True"):
        export_model(Random(), tmp_path / "random", render_samples=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("reset_check_only")
def test_a_failed_check_can_be_allowed(tmp_path: Path) -> None:
    result = export_model(NeverForgets(), tmp_path, render_samples=False, allow_failed_validation=True, report=False)
    assert result.report_path is None
    assert not (tmp_path / "report.html").exists()
    assert result.validation is not None
    assert not result.validation.passed
    assert json.loads((tmp_path / "validation.json").read_text(encoding="utf-8"))["passed"] is False


def test_exporting_leaves_the_model_as_it_was(full: Full) -> None:
    assert torch.equal(full.model.last, torch.full((2, 1), 0.25))
    assert full.model.training
    assert torch.equal(*full.random_numbers)
    assert full.threads[0] == full.threads[1]


SLOW_EXPORT = """
import sys
sys.path.insert(0, sys.argv[1])
import warnings; warnings.simplefilter("ignore")
from support.validate_models import Gain
from neutone_like.export import ExportResult, export_model
def progress(step):
    print(step, flush=True)
export_model(Gain(), sys.argv[2], render_samples=False, progress=progress)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process the POSIX way")
@pytest.mark.parametrize("there_before", [False, True])
def test_a_killed_export_leaves_no_half_artifact(
    there_before: bool, tmp_path: Path, subprocess_environment: dict[str, Any]
) -> None:
    folder = tmp_path / "amp"
    if there_before:
        export_model(Gain(), folder, validate=False, render_samples=False)
    before = _files(folder)
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_EXPORT, str(TESTS), str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env=subprocess_environment,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Validating: contract"):
            break
    time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert _files(folder) == before

    export_model(Gain(), folder, validate=False, render_samples=False)
    assert set(_files(folder)) == {"model.nm", "metadata.json"}
    assert [path.name for path in tmp_path.iterdir()] == ["amp"], "the killed export's leftovers are cleared away"
