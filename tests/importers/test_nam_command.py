"""`neutone-like export FILE.nam`."""

import json
from pathlib import Path

import pytest

from support.cli_runner import FELL_SHORT, GOOD, runner

FILE = {
    "version": "0.5.4",
    "architecture": "Linear",
    "config": {"receptive_field": 2, "bias": False},
    "weights": [0.5, 0.25],
    "metadata": {"name": "An amplifier with a name beyond thirty characters", "modeled_by": "Ada"},
    "sample_rate": 44100,
}


def test_export_takes_a_nam_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "amp.nam", tmp_path / "out"
    path.write_text(json.dumps(FILE))
    run = runner(capsys)
    assert run("export", path, "--out", out, "--no-validate", "--no-samples", "--no-report")[0] == GOOD
    metadata = json.loads((out / "metadata.json").read_text())
    assert metadata["model_name"] == "An amplifier with a name beyond thirty characters"[:30]
    assert metadata["model_authors"] == ["Ada"]
    path.write_text(json.dumps({**FILE, "architecture": "CatLSTM"}))
    code, _, err = run("export", path, "--out", tmp_path / "other")
    assert code == FELL_SHORT
    assert "'CatLSTM' is not known" in err
    assert not (tmp_path / "other").exists()
