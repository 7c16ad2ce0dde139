"""Workers that poll: seldom where nothing plays, not at all where nothing is open."""

import re
import time
from pathlib import Path

import pytest

from neutone_like import Artifact, load_artifact
from neutone_like.runtime import Engine, HostConfig
from support.runtime_models import RunningSum, noise, written

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts what /proc tells of a thread")


@pytest.fixture(scope="module")
def running_sum(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return load_artifact(written(RunningSum((128,)), tmp_path_factory.mktemp("polling") / "sum"))


def rests(threads: list[Path]) -> int:
    """How often these threads have gone to sleep."""
    counts = [re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (each / "status").read_text(), re.M) for each in threads]
    return sum(int(count[1]) for count in counts if count is not None)


def stays_asleep(thread: Path) -> bool:
    """Whether it does not wake up within a third of a second."""
    start = rests([thread])
    time.sleep(0.3)
    return rests([thread]) == start


def workers() -> list[Path]:
    return [each for each in Path("/proc/self/task").iterdir() if (each / "comm").read_text() == "neutone-worker\n"]


def test_workers_sleep_where_nothing_is_open_and_look_seldom_where_nothing_plays(running_sum: Artifact) -> None:
    before = set(workers())
    with Engine(workers=1, wake="poll") as engine:
        (worker,) = set(workers()) - before
        assert any(stays_asleep(worker) for _ in range(20))  # a busy machine may let it fall asleep late

        with engine.open(running_sum, HostConfig(48000, 128, channels=1)) as session:
            start = rests([worker])
            while rests([worker]) <= start + 10:  # the control: it polls, and is seen to
                time.sleep(0.01)
            time.sleep(1.2)
            began, start = time.perf_counter(), rests([worker])
            time.sleep(0.5)
            assert rests([worker]) - start <= (time.perf_counter() - began) / 0.002 + 1
            x = noise(1280, 1)
            assert session.process(x[:, :128]).shape == (1, 128)
            session.wait_idle()
            assert session.stats().underruns == 0
