"""The same job on a Dask cluster of separate processes: the same bits, and nothing lost with a worker."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from neutone_like import BatchResult, RenderError, render_files
from support.batch_tools import Noisy, artifact_of, contents, lines, make_tree, rendered_counts

distributed = pytest.importorskip("distributed", reason="the dask extra is not installed")
from neutone_like.render.batch import dask_engine  # noqa: E402

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="kills processes as POSIX does"),
    # Of Dask's own threads, which end when they please.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
NAMES = [f"{number % 3}/{number:02}.wav" for number in range(24)]


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return artifact_of(Noisy(), tmp_path_factory.mktemp("noisy") / "artifact")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tree(tmp_path_factory.mktemp("tree") / "in", NAMES, samples=60_000)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take longer to connect than anybody would wait for."""
    monkeypatch.setattr(dask_engine, "CONNECT_SECONDS", 600.0)


class Cluster:
    """A scheduler and two workers, as somebody would start them on three machines."""

    def __init__(self, folder: Path, environment: dict[str, str], threads: int = 1) -> None:
        self.stack = ExitStack()
        file = folder / "scheduler.json"
        options = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file)]
        self.scheduler = self._start("dask_scheduler", options + ["--port", "0"], environment)
        while not file.exists():
            assert self.scheduler.poll() is None
            time.sleep(0.05)
        worker = ["--scheduler-file", str(file), "--no-nanny", "--no-dashboard", "--nthreads", str(threads)]
        worker += ["--local-directory", str(folder), "--death-timeout", "600"]
        self.workers = [self._start("dask_worker", worker, environment) for _ in range(2)]
        with distributed.Client(scheduler_file=str(file), set_as_default=False, timeout=600) as client:
            client.wait_for_workers(2, timeout=600)
            self.address = client.scheduler.address

    def _start(self, module: str, options: list[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-W", "ignore", "-m", f"distributed.cli.{module}", *options]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process


@pytest.fixture
def cluster(tmp_path: Path, subprocess_environment: dict[str, str]) -> Iterator[Cluster]:
    started = Cluster(tmp_path, subprocess_environment)
    with started.stack:
        yield started


def clustered(model: Path, source: Any, output: Path, address: str, **options: Any) -> BatchResult:
    chosen: dict[str, Any] = {"engine": "dask", "scheduler": address, "progress": False, **options}
    return render_files(model, source, output, **chosen)


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_loses_nothing(noisy: Path, tree: Path, tmp_path: Path, cluster: Cluster) -> None:
    def kill(done: int, total: int) -> None:
        if done == total // 3:  # one that has finished files, so that both have
            pid = int(next(line["worker"] for line in lines(book) if line["kind"] == "file").split(":")[1])
            killed.extend(process for process in cluster.workers if process.pid == pid)
            killed[0].send_signal(signal.SIGKILL)

    book, killed = tmp_path / "dask" / "manifest.jsonl", list["subprocess.Popen[bytes]"]()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "bad.wav").write_text("no audio")
    result = clustered(noisy, tree, tmp_path / "dask", cluster.address, progress=kill)
    assert (len(result.done), len(result.failed)) == (len(NAMES), 0)
    assert killed[0].wait(timeout=600) == -signal.SIGKILL
    render_files(noisy, tree, tmp_path / "here", workers=0, progress=False)
    assert contents(tmp_path / "dask") == contents(tmp_path / "here")
    assert rendered_counts(book) == {Path(name).name: 1 for name in NAMES}
    workers = {int(line["worker"].split(":")[1]) for line in lines(book) if line["kind"] == "file"}
    assert workers == {process.pid for process in cluster.workers}

    # On the worker that is left: what is finished is left out, what fails is told, a job of another kind works.
    again = clustered(noisy, tree, tmp_path / "dask", cluster.address, resume=True)
    assert (len(again.done), len(again.skipped)) == (0, len(NAMES))
    failed = clustered(noisy, tmp_path / "bad", tmp_path / "none", cluster.address).failed
    assert str(failed[0].error).startswith(f"{tmp_path}/bad/bad.wav can't be read as audio")
    louder = clustered(noisy, tree / "0", tmp_path / "louder", cluster.address, output_gain_db=6.0)
    render_files(noisy, tree / "0", tmp_path / "louder here", output_gain_db=6.0, workers=0, progress=False)
    assert len(louder.done) == 8
    assert contents(tmp_path / "louder") == contents(tmp_path / "louder here")


@pytest.mark.slow
def test_a_scheduler_killed_in_the_middle_is_told(noisy: Path, tree: Path, tmp_path: Path, cluster: Cluster) -> None:
    def kill(done: int, total: int) -> None:
        if done == 3:
            for process in (*cluster.workers, cluster.scheduler):
                process.send_signal(signal.SIGKILL)

    with pytest.raises(RenderError, match=r"was lost, with \d+ files unfinished. What is finished stays") as caught:
        clustered(noisy, tree, tmp_path / "out", cluster.address, progress=kill)
    book = tmp_path / "out" / "manifest.jsonl"
    told = [line for line in lines(book) if line["kind"] == "file"]  # one may have failed while the cluster fell apart
    assert f"with {len(NAMES) - len(told)} files unfinished" in str(caught.value)
    finished = rendered_counts(book)
    assert len(finished) >= 3
    rest = render_files(noisy, tree, tmp_path / "out", resume=True, workers=0, progress=False)
    assert len(rest.done) == len(NAMES) - len(finished)
    assert rendered_counts(book) == {Path(name).name: 1 for name in NAMES}


@pytest.mark.slow
def test_workers_with_many_threads_render_the_same_bits_and_are_warned_of(
    noisy: Path, tree: Path, tmp_path: Path, subprocess_environment: dict[str, str]
) -> None:
    started = Cluster(tmp_path, subprocess_environment, threads=4)
    with started.stack, pytest.warns(UserWarning, match="A worker renders one file at a time.* up to 4 threads"):
        clustered(noisy, tree, tmp_path / "dask", started.address)
    render_files(noisy, tree, tmp_path / "here", workers=0, progress=False)
    assert contents(tmp_path / "dask") == contents(tmp_path / "here")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("tcp://127.0.0.1:1", "Timed out trying to connect"),
        ("nonsense", "missing port number in address 'nonsense'"),
        ("post://127.0.0.1:1", "unknown address scheme 'post'"),
    ],
)
def test_a_scheduler_that_can_t_be_reached(
    noisy: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, reason: str
) -> None:
    monkeypatch.setattr(dask_engine, "CONNECT_SECONDS", 0.5)
    message = rf"The scheduler {re.escape(address)} can't be reached within 0.5 s: .*{reason}.*Check its address"
    with pytest.raises(RenderError, match=message):
        clustered(noisy, tree, tmp_path / "out", address)
    assert not os.path.exists(tmp_path / "out")
