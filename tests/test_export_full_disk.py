"""A disk without room for an artifact: an ExportError with numbers, the earlier artifact whole, nothing left behind."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import resource, sys
from typing import Dict
import torch
from torch import Tensor, nn
from neutone_like import ExportError, ModelMetadata, WaveformToWaveformBase, export_model

class Net(WaveformToWaveformBase):
    metadata = ModelMetadata(name="Net", authors=("Ada",), version="1")
    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.register_buffer("table", torch.zeros(250_000))
    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:
        return x + self.table[0]

resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
try:
    export_model(Net(), sys.argv[1], validate=False, report=False, render_samples=False)
except ExportError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of file size there")
def test_a_model_that_does_not_fit_is_an_export_error_and_leaves_nothing(
    tmp_path: Path, subprocess_environment: dict[str, str]
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    old = tmp_path / "net" / "model.nm"
    old.parent.mkdir()
    old.write_bytes(b"earlier")
    run = subprocess.run(
        [sys.executable, str(program), str(old.parent)],
        env=subprocess_environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stderr
    assert "Can't write the artifact to" in run.stdout
    assert "bytes left" in run.stdout
    assert old.read_bytes() == b"earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net", "program.py"]
