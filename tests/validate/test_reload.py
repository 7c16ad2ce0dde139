"""What the other process is to play is written by Python, where a full disk is an error and no end of the process."""

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from neutone_like import ArtifactError
from neutone_like.validate.checks import reload
from neutone_like.validate.checks.reload import FreshProcess


@pytest.fixture
def subject() -> Any:
    return SimpleNamespace(
        artifact=SimpleNamespace(path="absent.nm"),
        native_rate=48000,
        native=SimpleNamespace(block_size=64),
        defaults=None,
        reused=lambda native: None,
        calls_until_output=lambda module, native: 1,
        memory=lambda native, values, seed: SimpleNamespace(copy=lambda: None),
        call=lambda module, memory: [torch.zeros(2, 64)],
        arguments=lambda memory: (torch.zeros(2, 64),),
    )


def test_no_room_for_what_is_played(subject: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no folder"))
    with pytest.raises(ArtifactError, match="can't be written to .*no folder: No such file or directory. Make room"):
        FreshProcess(subject)


def test_what_was_given_is_gone_and_the_process_ended(
    subject: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    process = FreshProcess(subject)
    assert len(list(tmp_path.glob("*/case.pt"))) == 1
    process.close()
    process.close()
    assert list(tmp_path.iterdir()) == []
    assert process._process.returncode is not None  # pyright: ignore[reportPrivateUsage]

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(reload, "child_process", interrupt)
    with pytest.raises(KeyboardInterrupt):
        FreshProcess(subject)
    assert list(tmp_path.iterdir()) == []
