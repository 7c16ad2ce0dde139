"""How much workers do when they always have something to do."""

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from neutone_like.bench.suite.cells import EngineName
from neutone_like.runtime import Engine, HostConfig, PythonBackend

_TRIED_BLOCKS = 50
_MOST_QUEUED_SECONDS = 39.0  # of audio; a session's queue, which is half as long again, may hold a minute


def throughput(
    path: Path, host: HostConfig, backend: EngineName, sessions: int, workers: int, seconds: float
) -> dict[str, Any]:
    """Blocks a second, from the moment when everything is queued until everything is done.

    Until then the workers are kept busy: handing blocks over takes a processor of its own, which they may need.
    """
    with Engine(workers=workers, realtime_priority=False) as engine:
        rate, _ = _played(engine, path, host, backend, sessions, workers, _TRIED_BLOCKS)
        most = _MOST_QUEUED_SECONDS * host.sample_rate / host.block_size
        blocks = int(min(most, max(_TRIED_BLOCKS, seconds * rate / sessions)))
        rate, played = _played(engine, path, host, backend, sessions, workers, blocks)
    return {"blocks_per_second": round(rate, 2), "model_blocks": played}


def _played(
    engine: Engine, path: Path, host: HostConfig, backend: EngineName, count: int, workers: int, blocks: int
) -> tuple[float, int]:
    holding = threading.Barrier(workers + 1)
    begin = threading.Event()
    armed = False

    def hold(x: Any, parameters: Any) -> Any:
        if armed:  # it is tried when it is opened, too
            holding.wait()
            begin.wait()
        return x

    queue_seconds = 1.5 * blocks * host.block_size / host.sample_rate + 0.1
    holders = [engine.open(PythonBackend(hold, in_channels=1, out_channels=1), host) for _ in range(workers)]
    sessions = [engine.open(path, host, backend=backend, queue_seconds=queue_seconds) for _ in range(count)]
    silence = np.zeros((host.channels, host.block_size), np.float32)
    before = sum(each.stats().model_blocks for each in sessions)
    armed = True
    for each in holders:
        each.process(silence)
    holding.wait()
    try:
        for _ in range(blocks):
            for each in sessions:
                each.process(silence)
    finally:
        start = time.perf_counter()
        begin.set()
    for each in sessions:
        each.wait_idle()
    taken = time.perf_counter() - start
    played = sum(each.stats().model_blocks for each in sessions) - before
    for each in (*holders, *sessions):
        each.close()
    return played / taken, played
