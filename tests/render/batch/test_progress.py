"""The bar of a job: files, rates, time left and failures, on a terminal only."""

import io
import re
import sys

import pytest

from neutone_like.render import FileRecord
from neutone_like.render.batch.batch_progress import showing_files

DONE = FileRecord("/in", "/out", "done", audio={"audio_seconds": 2.0})
FAILED = FileRecord("/in", "/out", "failed", error="broken")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, progress: bool) -> str:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stream)
    with showing_files(progress, 9) as show:
        for record in (DONE, DONE, FAILED, DONE):
            show(record)
    return stream.getvalue()


def test_a_bar_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn(monkeypatch, Terminal(), progress=True))
    last = text.rstrip().splitlines()[-1]
    assert re.search(r"━ +4/9 [\d.]+ files/s, [\d.]+ x real time +\d+:\d\d:\d\d +1 failed", last)
    assert len(last.split("\r")[-1].rstrip()) <= 80


@pytest.mark.parametrize(("stream", "progress"), [(io.StringIO(), True), (Terminal(), False)])
def test_no_bar(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, progress: bool) -> None:
    assert drawn(monkeypatch, stream, progress) == ""
