"""The page about real-time safety: its callback has the mistake that it says, and loses it as it says."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from neutone_like.realtime_safety import check_realtime_safety
from support.realtime_safety_tools import PROJECT, needs_linux
from support.snippets import Snippet, snippets

pytestmark = needs_linux
PAGE = PROJECT / "docs" / "how-to" / "real-time-safety.md"


def block(language: str, holding: str) -> Snippet:
    found = snippets(PAGE.read_text(encoding="utf-8"))
    return next(each for each in found if each.language == language and holding in each.text)


def build_as_told(folder: Path, source: str) -> None:
    (folder / "smoother.cpp").write_text(source)
    lines = [line for line in block("bash", "g++").text.splitlines() if not line.startswith("neutone-like")]
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(PROJECT)}
    subprocess.run(["bash", "-ec", "\n".join(lines)], cwd=folder, env=environment, check=True, timeout=600)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="the page compiles with g++")
def test_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    source = block("cpp", "neutone_like_callback_process").text
    monkeypatch.chdir(tmp_path)
    build_as_told(tmp_path, source)
    assert check_realtime_safety("smoother.so").summary() == "FAILED: malloc 1 in 100000 callbacks of 64 samples"
    exec(block("python", "check_realtime_safety").text, {})
    printed = capsys.readouterr().out
    assert "malloc first in callback 1" in printed
    if shutil.which("addr2line") is not None:
        line = next(number for number, text in enumerate(source.splitlines(), 1) if "history.assign" in text)
        assert f"smoother.cpp:{line}" in printed

    prepare = "int32_t neutone_like_callback_prepare(void*, double, int32_t, int32_t channels) { "
    reserve = "static_cast<Smoother*>(instance)->history.reserve(longest_block);"
    assert prepare in source
    mended = prepare.replace("(void*, double, int32_t,", "(void* instance, double, int32_t longest_block,") + reserve
    build_as_told(tmp_path, source.replace(prepare, mended))
    assert check_realtime_safety("smoother.so").passed
