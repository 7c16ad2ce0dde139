"""Worker processes: the same bits as without, and nothing lost when one dies."""

import multiprocessing
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from neutone_like import ArtifactError, BatchResult, RenderError, render_files
from neutone_like.render import RenderInterrupted
from neutone_like.render.batch import PlanError, pool, running
from neutone_like.render.batch.planning import Item
from neutone_like.render.batch.player import Job
from neutone_like.render.batch.pool import processor_count
from neutone_like.render.batch.rendering import Task
from neutone_like.render.batch.settings import RenderSettings
from support import batch_workers
from support.batch_tools import TREE, Noisy, artifact_of, contents, lines, make_tree

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills processes as POSIX does")


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return artifact_of(Noisy(), tmp_path_factory.mktemp("noisy") / "artifact")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "in")


@pytest.fixture(autouse=True)
def no_process_is_left() -> Any:
    yield
    assert multiprocessing.active_children() == []


@pytest.fixture(autouse=True)
def starts(request: pytest.FixtureRequest) -> None:
    """Quick ones, but for one test: that workers start from nothing is seen there, and in test_cli.py."""
    if request.function is not test_the_same_bits_as_in_this_process:
        request.getfixturevalue("quick_starts")


def pooled(model: Path, source: Any, output: Path, workers: int = 2, **options: Any) -> BatchResult:
    chosen: dict[str, Any] = {"workers": workers, "progress": False, **options}
    return render_files(model, source, output, **chosen)


def test_the_same_bits_as_in_this_process(noisy: Path, tree: Path, tmp_path: Path) -> None:
    (tree / "bad.wav").write_text("no audio")
    result = pooled(noisy, tree, tmp_path / "pool")
    pooled(noisy, tree, tmp_path / "here", workers=0)
    assert (len(result.done), len(result.failed)) == (5, 1)
    assert contents(tmp_path / "pool") == contents(tmp_path / "here")
    files = [line for line in lines(tmp_path / "pool" / "manifest.jsonl") if line["kind"] == "file"]
    workers = {line["worker"] for line in files}
    assert 1 <= len(workers) <= 2
    assert not any(worker.endswith(f":{os.getpid()}") for worker in workers)


def test_workers_are_as_many_as_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    count = processor_count()
    assert 1 <= count <= (os.cpu_count() or 1)
    if hasattr(os, "sched_getaffinity"):
        code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); import neutone_like; "
        code += "from neutone_like.render.batch.pool import processor_count; print(processor_count())"
        run = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=600)
        assert run.stdout == "1\n", run.stderr


@pytest.mark.slow
def test_a_worker_that_dies_costs_nothing(
    noisy: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tree(tree, ["bomb.wav"])
    monkeypatch.setattr(pool, "_serve", batch_workers.dying_once)
    result = pooled(noisy, tree, tmp_path / "out", workers=1)
    assert (len(result.done), len(result.failed)) == (6, 0)
    assert (tmp_path / "out" / "bomb.wav.scar").exists()
    assert set(contents(tmp_path / "out")) == {*TREE, "bomb.wav", "bomb.wav.scar"}


@pytest.mark.slow
def test_a_file_that_takes_every_worker_with_it_fails(
    noisy: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tree(tree, ["bomb.wav"])
    monkeypatch.setattr(pool, "_serve", batch_workers.dying)
    result = pooled(noisy, tree, tmp_path / "out", workers=1, retries=1)
    assert (len(result.done), len(result.failed)) == (5, 1)
    assert str(result.failed[0].error).startswith("The process that rendered it ended (killed by SIGKILL)")
    assert set(contents(tmp_path / "out")) == set(TREE)


def test_workers_that_can_t_start(noisy: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_serve", batch_workers.stillborn)
    message = r"A worker process ended before it could load the model \(exit code 3\).*under `if __name__ =="
    with pytest.raises(RenderError, match=message):
        pooled(noisy, tree, tmp_path / "out", workers=1)


@pytest.mark.slow
def test_a_worker_that_is_killed_while_it_starts_is_replaced(
    noisy: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_serve", batch_workers.killed_once_at_its_start)
    result = pooled(noisy, tree, tmp_path / "out", workers=1)
    assert (len(result.done), len(result.failed)) == (5, 0)


@pytest.mark.slow
def test_workers_that_are_killed_again_and_again_while_they_start(
    noisy: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_serve", batch_workers.killed_at_its_start)
    monkeypatch.setattr(pool, "MOST_LOST_STARTS", 1)
    message = r"^2 worker processes in a row .* killed by SIGKILL, as when memory runs out. Render with fewer workers"
    with pytest.raises(RenderError, match=message):
        pooled(noisy, tree, tmp_path / "out", workers=1)


@pytest.mark.slow
def test_a_file_that_takes_too_long_fails_and_the_rest_go_on(
    noisy: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tree(tree, ["stuck.wav"])
    monkeypatch.setattr(pool, "_serve", batch_workers.stuck)
    result = pooled(noisy, tree, tmp_path / "out", workers=1, file_timeout_seconds=6.0)
    assert (len(result.done), len(result.failed)) == (5, 1)
    assert result.failed[0].input == str(tree / "stuck.wav")
    assert str(result.failed[0].error).startswith("It took longer than 6 s, the limit for a file, and was stopped.")
    assert set(contents(tmp_path / "out")) == set(TREE)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"file_timeout_seconds": 0}, "must be a number of seconds above 0, got 0"),
        ({"file_timeout_seconds": float("nan")}, "must be a number of seconds above 0, got nan"),
        ({"file_timeout_seconds": 1.0, "workers": 0}, r"in this process \(workers=0\) can't be stopped"),
        ({"file_timeout_seconds": 1.0, "workers": None, "engine": "dask", "scheduler": "tcp://a:1"}, "a Dask cluster"),
    ],
)
def test_a_time_limit_that_can_t_be_kept(
    noisy: Path, tree: Path, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(PlanError, match=message):
        pooled(noisy, tree, tmp_path / "out", **options)


def test_what_a_worker_can_t_load_is_said(
    noisy: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaging(job: Any) -> Any:
        checked = whole(job)
        job.model.write_bytes(b"PK")
        return checked

    whole = running.Player
    monkeypatch.setattr(running, "Player", damaging)
    with pytest.raises(ArtifactError, match=re.escape("model.nm")):
        pooled(noisy, tree, tmp_path / "out", workers=1)


@pytest.mark.slow
def test_an_interruption_does_not_wait_for_a_worker_that_hears_nothing(
    noisy: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == len(TREE):
            deadline = time.monotonic() + 600
            while not (tmp_path / "out" / ".stuck.wav.01234567.part").exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            raise KeyboardInterrupt

    make_tree(tree, ["stuck.wav"])
    monkeypatch.setattr(pool, "_serve", batch_workers.stuck)
    monkeypatch.setattr(pool, "STOP_SECONDS", 0.5)
    with pytest.raises(RenderInterrupted, match="Interrupted: 5 of 6 files rendered, 1 are left"):
        pooled(noisy, tree, tmp_path / "out", progress=interrupt)
    assert set(contents(tmp_path / "out")) == set(TREE)


@pytest.mark.slow
def test_a_worker_hears_the_end_of_the_pipe_in_the_middle_of_a_file(
    noisy: Path, long_silence: Path, tmp_path: Path
) -> None:
    """As after Ctrl-C, or when the program that started it is killed."""
    out = str(tmp_path / "out" / "long.wav")
    job = Job(noisy, "artifact", RenderSettings(), tmp_path)
    worker = pool._Worker(job)  # pyright: ignore[reportPrivateUsage]
    assert worker.connection.recv() is None
    task = Task(Item(str(long_silence), out), (out,))
    worker.connection.send(task)
    deadline = time.monotonic() + 600
    while not list(tmp_path.glob("out/.*.part")) and time.monotonic() < deadline:
        time.sleep(0.01)
    (process,) = multiprocessing.active_children()
    worker.hang_up()
    process.join(600)
    assert process.exitcode == 0  # not killed
    assert list((tmp_path / "out").iterdir()) == []


SCRIPT = """
from neutone_like import render_files
render_files({model!r}, {source!r}, {target!r}, workers=1)
"""


@pytest.mark.slow
def test_a_script_without_a_guard_is_told_so(
    noisy: Path, tree: Path, tmp_path: Path, subprocess_environment: dict[str, str]
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(model=str(noisy), source=str(tree), target=str(tmp_path / "out")))
    command = [sys.executable, "-W", "ignore", str(script)]
    run = subprocess.run(command, env=subprocess_environment, capture_output=True, text=True, timeout=600)
    assert run.returncode == 1
    assert "neutone_like.errors.RenderError: A worker process ended before it could load the model" in run.stderr
    assert "if __name__ == '__main__':" in run.stderr
