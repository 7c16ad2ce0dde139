"""What a worker costs at rest and at work, and what a busy Python thread in the same process does to the sound."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.table import Table

from neutone_like.artifact import Artifact
from neutone_like.runtime import Engine, HostConfig
from neutone_like.runtime.engine import Wake

HOST = HostConfig(48000, 128, channels=1)
_UNTIL_AT_REST_SECONDS = 1.2  # workers that poll look seldom from a second without a block on


def workers_table(artifact: Artifact, seconds: float) -> Table:
    """One worker with each way of waking it: at rest, playing a recurrent model, and beside a busy Python thread."""
    table = Table(
        title=f"A worker at rest and at work: LSTM of 16 units, {HOST}, mono",
        caption="callback in us; missing: of all samples, beside that of the no-op session in the same run",
        title_justify="left",
    )
    for heading in (
        "wake-up",
        "",
        "worker load",
        "callback p50",
        "callback p99",
        "callback max",
        "missing %",
        "no-op %",
    ):
        table.add_column(heading, justify="right")
    for wake in ("event", "poll"):
        table.add_row(wake, "at rest, a session open", _load_at_rest(artifact, wake, seconds), *["-"] * 5)
        table.add_row(wake, "playing", *_playing(artifact, wake, seconds))
        with busy_python_thread():
            table.add_row(wake, "beside a busy Python thread", *_playing(artifact, wake, seconds))
    return table


@contextmanager
def busy_python_thread() -> Iterator[None]:
    """Counts as fast as it can, and so holds the GIL whenever it may."""
    stop = threading.Event()

    def count() -> None:
        number = 0
        while not stop.is_set():
            number += 1

    thread = threading.Thread(target=count, name="busy")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _load_at_rest(artifact: Artifact, wake: Wake, seconds: float) -> str:
    with Engine(workers=1, wake=wake) as engine, engine.open(artifact, HOST):
        time.sleep(_UNTIL_AT_REST_SECONDS)
        start = time.perf_counter()
        before = engine.worker_statistics()[0].cpu_seconds
        time.sleep(seconds)
        used = engine.worker_statistics()[0].cpu_seconds - before
        return f"{used / (time.perf_counter() - start):.1%}"


def _playing(artifact: Artifact, wake: Wake, seconds: float) -> list[str]:
    with Engine(workers=1, wake=wake) as engine:
        session = engine.open(artifact, HOST)
        report = engine.run_realtime(session, seconds)
    run = report.sessions[0]
    times = (run.callback_time.p50_us, run.callback_time.p99_us, run.callback_time.max_us)
    missing = [100.0 * one.missing_samples / one.samples for one in (run, report.no_op_beside(run))]
    return [f"{report.workers[0].cpu_share:.1%}", *(f"{value:.1f}" for value in times), *(f"{p:.3f}" for p in missing)]
