"""Interrupts that arrive while soundfile's C code calls Python, where what is raised gets lost."""

import io
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from neutone_like.artifact.format.packing import _repack, repack  # pyright: ignore[reportPrivateUsage]
from neutone_like.audio import AudioReader
from neutone_like.audio.source import View
from neutone_like.render import render_file
from neutone_like.uninterrupted import uninterrupted
from support.board_tools import volume
from support.interrupts import Ended, interrupt_sent_by, interrupted_at_each_line

interrupt = pytest.fixture(interrupt_sent_by)
RATE = 48000


@pytest.fixture(params=["flac", "mp3", "wav", "ogg"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"in.{request.param}"
    soundfile.write(path, np.random.default_rng(1).uniform(-0.5, 0.5, (2 * RATE, 2)), RATE)
    return path


def interrupted_inside(
    monkeypatch: pytest.MonkeyPatch, name: str, call: int, interrupt: Callable[[], None]
) -> list[None]:
    """From now on libsndfile is interrupted in that call of a function of its file; with what was called so far."""
    calls: list[None] = []
    ordinary = getattr(View, name)

    def called(self: View, *given: Any) -> Any:
        calls.append(None)
        if len(calls) == call:
            interrupt()
        return ordinary(self, *given)

    monkeypatch.setattr(View, name, called)
    return calls


@pytest.mark.parametrize("name", ["readinto", "seek", "tell"])
def test_an_interrupt_while_a_file_is_opened_or_read(
    source: Path, monkeypatch: pytest.MonkeyPatch, interrupt: Callable[[], None], name: str
) -> None:
    calls = interrupted_inside(monkeypatch, name, -1, interrupt)
    with AudioReader(source) as reader:
        opened = len(calls)
        reader.read_all()
    for call in {1, opened, opened + 1, len(calls)} & set(range(1, len(calls) + 1)):
        monkeypatch.undo()
        interrupted_inside(monkeypatch, name, call, interrupt)
        with pytest.raises(Ended), AudioReader(source) as reader:  # and no error that tells of a damaged file
            reader.read_all()


def test_an_interrupted_render_leaves_nothing(
    source: Path, monkeypatch: pytest.MonkeyPatch, interrupt: Callable[[], None]
) -> None:
    calls = interrupted_inside(monkeypatch, "readinto", -1, interrupt)
    render_file(volume(), source, source.with_name("out.wav"))
    monkeypatch.undo()
    source.with_name("out.wav").unlink()
    interrupted_inside(monkeypatch, "readinto", len(calls) - 1, interrupt)
    with pytest.raises(Ended):
        render_file(volume(), source, source.with_name("out.wav"))
    assert list(source.parent.iterdir()) == [source]


def test_an_interrupt_while_a_file_is_written(interrupt: Callable[[], None]) -> None:
    class Interrupting(io.BytesIO):
        """At the first write."""

        def write(self, content: Any) -> int:
            if not self.getvalue():
                interrupt()
            return super().write(content)

    target, x = Interrupting(), np.zeros((RATE, 2))
    with pytest.raises(Ended):
        uninterrupted(lambda: soundfile.write(target, x, RATE, format="WAV", subtype="PCM_16"))
    target.seek(0)
    assert soundfile.info(target).frames == RATE  # since the call ended as ever


def test_a_file_is_closed_when_nobody_reads_it(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """libsndfile would free what a second Ctrl-C closes, while it reads."""
    inside, go_on, order = threading.Event(), threading.Event(), list[str]()
    with AudioReader(source) as reader:
        ordinary = View.readinto

        def waits(self: View, buffer: Any) -> int:
            inside.set()
            go_on.wait()
            return ordinary(self, buffer)

        monkeypatch.setattr(View, "readinto", waits)

        def read() -> None:
            reader.read(2 * RATE)  # more than what was read in advance
            order.append("read")

        def close() -> None:
            reader.__exit__(None, None, None)
            order.append("closed")

        threads = [threading.Thread(target=read)]
        threads[0].start()
        assert inside.wait()
        threads.append(threading.Thread(target=close))
        threads[1].start()
        threads[1].join(0.2)
        assert order == []
        go_on.set()
        for each in threads:
            each.join()
    assert sorted(order) == ["closed", "read"]


@pytest.mark.parametrize(("packing", "raised"), [(repack, Ended), (_repack, ValueError)])
def test_an_interrupt_while_an_archive_is_packed(
    monkeypatch: pytest.MonkeyPatch,
    interrupt: Callable[[], None],
    packing: Callable[..., None],
    raised: type[BaseException],
) -> None:
    """While a member is half written the archive can't be closed, which would be raised in the interrupt's place."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("archive/data.pkl", bytes(100))
    ordinary = zipfile.ZipFile.open

    def opened(self: zipfile.ZipFile, *given: Any, **options: Any) -> Any:
        member = ordinary(self, *given, **options)
        if "w" in given:
            interrupt()
        return member

    monkeypatch.setattr(zipfile.ZipFile, "open", opened)
    with pytest.raises(raised):
        packing(archive, io.BytesIO(), None)


def test_an_interrupt_at_any_line_is_raised(interrupt: Callable[[], None]) -> None:
    """The call was made once or not at all, and no thread is left waiting, for which the interpreter would wait."""
    calls, made, threads = list[None](), set[int](), threading.active_count()
    for _ in interrupted_at_each_line(lambda: uninterrupted(lambda: calls.append(None)), interrupt):
        made.add(len(calls))
        calls.clear()
    assert made == {0, 1}
    assert threading.active_count() == threads


def test_errors_come_out() -> None:
    def fail() -> None:
        raise ValueError("7")

    with pytest.raises(ValueError, match="7"):
        uninterrupted(fail)


def test_files_are_read_while_the_interpreter_ends(source: Path, subprocess_environment: dict[str, str]) -> None:
    """When it starts no threads any more."""
    code = (
        "import atexit, sys; from pathlib import Path; from neutone_like.audio import AudioReader\n"
        "atexit.register(lambda: print(AudioReader(Path(sys.argv[1])).read(10).shape))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(source)],
        env=subprocess_environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "(2, 10)", done.stderr


def test_it_calls_when_no_thread_runs_any_more(subprocess_environment: dict[str, str]) -> None:
    """The interpreter collects what is left at its very end; a thread that is started then never begins."""
    code = (
        "import gc, sys; from neutone_like.uninterrupted import uninterrupted\n"
        "class Late:\n"
        "    def __del__(self): print(uninterrupted(lambda: 7), sys.is_finalizing())\n"
        "late = Late(); late.itself = late"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=subprocess_environment, capture_output=True, text=True, timeout=600)
    assert done.stdout.split() == ["7", "True"], done.stderr
