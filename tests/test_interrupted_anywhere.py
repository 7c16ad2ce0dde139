"""Files and folders after an interrupt at any line: all of what is written or nothing, and nothing beside it."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from neutone_like.plugin.web_folder import replace_page
from neutone_like.scratch_folder import scratch_folder
from neutone_like.targets.building import _appearing  # pyright: ignore[reportPrivateUsage]
from support.interrupts import interrupt_sent_by, interrupted_at_each_line

interrupt = pytest.fixture(interrupt_sent_by)

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals"),
    # Of files that Python's library had opened, and not yet entered, when the interrupt came.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
FILES = {"a/sound.flac", "index.html", "model.nm"}


def test_a_scratch_folder_is_gone(tmp_path: Path, interrupt: Callable[[], None]) -> None:
    def use() -> None:
        with scratch_folder(tmp_path) as folder:
            (folder / "file").touch()

    left = [len(list(tmp_path.iterdir())) for _ in interrupted_at_each_line(use, interrupt)]
    assert len(left) > 30
    assert max(left) == 0


def _fill(folder: Path) -> None:
    for name in FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("new")


def _by_halves(folder: Path) -> None:
    folder.mkdir()
    _fill(folder)


def _replace_page(folder: Path) -> None:
    replace_page(folder, _fill)


def _appear(folder: Path) -> None:
    with _appearing(folder) as staging:
        _fill(staging)


def test_what_comes_by_halves_is_found(tmp_path: Path, interrupt: Callable[[], None]) -> None:
    out, seen = tmp_path / "out", set[int]()
    for _ in interrupted_at_each_line(lambda: _by_halves(out), interrupt):
        seen.add(len(list(out.rglob("*.*"))))
        shutil.rmtree(out, ignore_errors=True)
    assert seen == {0, 1, 2, 3}


@pytest.mark.parametrize("write", [_replace_page, _appear])
def test_files_come_together(tmp_path: Path, interrupt: Callable[[], None], write: Callable[[Path], Any]) -> None:
    """Into a folder that is not there yet, which is not left empty either."""
    out, seen = tmp_path / "out", set[int]()
    for _ in interrupted_at_each_line(lambda: write(out), interrupt):
        names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
        assert names in (set(), FILES)
        assert list(tmp_path.iterdir()) == [out] * bool(names)
        assert all(path.is_file() or path.name == "a" for path in out.rglob("*"))
        seen.add(len(names))
        shutil.rmtree(out, ignore_errors=True)
    assert seen == {0, len(FILES)}
