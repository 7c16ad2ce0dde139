"""What the other process is to play is written by Python, where a full disk is an error and no end of the process."""

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from neutone_like import ArtifactError
from neutone_like.validate.checks.reload import FreshProcess


def test_no_room_for_what_is_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject: Any = SimpleNamespace(
        native_rate=48000,
        native=SimpleNamespace(block_size=64),
        defaults=None,
        reused=lambda native: None,
        calls_until_output=lambda module, native: 1,
        memory=lambda native, values, seed: SimpleNamespace(copy=lambda: None),
        call=lambda module, memory: [torch.zeros(2, 64)],
        arguments=lambda memory: (torch.zeros(2, 64),),
    )
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no folder"))
    with pytest.raises(ArtifactError, match="can't be written to .*no folder: No such file or directory. Make room"):
        FreshProcess(subject)
