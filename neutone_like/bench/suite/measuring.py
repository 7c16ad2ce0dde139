"""Each kind of cell, measured: what it is given and what comes out as JSON types. Times are in microseconds."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from neutone_like.bench.suite.cells import Cell, Kind
from neutone_like.bench.suite.cold import cold_start
from neutone_like.bench.suite.figures import figures, times_of
from neutone_like.bench.suite.other_faces import binding
from neutone_like.bench.suite.other_processor import aarch64
from neutone_like.bench.suite.throughput import throughput
from neutone_like.bench.suite.whole_artifacts import auto, live, offline
from neutone_like.bench.suite.workshop import Workshop
from neutone_like.runtime import Engine, HostConfig, Session

SAFETY_CALLBACKS = 300


@dataclass(frozen=True)
class Effort:
    """How long each cell takes.

    Attributes:
        calls: Of a model, at most.
        seconds: Of calling it, at most, but at least ten times; and of real time.
    """

    calls: int = 300
    seconds: float = 1.0


def measure(cell: Cell, workshop: Workshop, effort: Effort) -> dict[str, Any]:
    """What a cell shows.

    Raises:
        NotThere, NeutoneLikeError: Why it can't be measured.
    """
    ways: dict[Kind, Callable[[Cell, Workshop, Effort], dict[str, Any]]] = {
        "inference": _inference,
        "cold": _cold,
        "safety": _safety,
        "scaling": _scaling,
        # Many cells, of which each needs little.
        "live": lambda cell, workshop, effort: live(cell, workshop, 0.5 * effort.seconds),
        "offline": lambda cell, workshop, effort: offline(cell, workshop, effort.seconds),
        "auto": lambda cell, workshop, effort: auto(cell, workshop, effort.seconds),
        "binding": lambda cell, workshop, effort: binding(cell, workshop.artifact(cell), effort.seconds),
        "aarch64": lambda cell, workshop, effort: aarch64(cell, workshop.artifact(cell)),
    }
    return ways.get(cell.kind, _at_deadlines)(cell, workshop, effort)


def _open(engine: Engine, cell: Cell, workshop: Workshop) -> Session:
    path = workshop.artifact(cell)
    host = HostConfig(cell.host_rate, cell.block, channels=1)
    return engine.open(path, host, mode=cell.mode, backend=cell.engine)


def _inference(cell: Cell, workshop: Workshop, effort: Effort) -> dict[str, Any]:
    noise = np.random.default_rng(cell.repetition).uniform(-0.3, 0.3, (1, cell.block)).astype(np.float32)
    with Engine(realtime_priority=False) as engine, _open(engine, cell, workshop) as session:
        end = time.perf_counter() + effort.seconds
        calls = 0
        while calls < effort.calls and (calls < 10 or time.perf_counter() < end):
            session.process(noise)
            calls += 1
        stats = session.stats()
    return {
        "inference": times_of(stats.inference_time),
        "callback": times_of(stats.callback_time),
        "failed_blocks": stats.failed_blocks,
    }


def _cold(cell: Cell, workshop: Workshop, effort: Effort) -> dict[str, Any]:
    return cold_start(cell, workshop.artifact(cell))


def _safety(cell: Cell, workshop: Workshop, effort: Effort) -> dict[str, Any]:
    """Counts of a call; the model is in the callback, where it doesn't belong unless all of them are 0."""
    from neutone_like.realtime_safety import check_realtime_safety

    path = workshop.alone(cell)
    report = check_realtime_safety(
        path,
        callbacks=SAFETY_CALLBACKS,
        block_size=cell.block,
        sample_rate=cell.host_rate,
        channels=1,
        mode="inline",
    )
    from neutone_like.realtime_safety.counters import GROUPS

    groups = {group.title: sum(report[name].count for name in group.counters) for group in GROUPS}
    return {
        "callbacks": report.callbacks,
        "passed": report.passed,
        "ending": report.ending.kind,
        "in_a_call": {title: count / max(1, report.callbacks) for title, count in groups.items()},
    }


def _scaling(cell: Cell, workshop: Workshop, effort: Effort) -> dict[str, Any]:
    path = workshop.artifact(cell)
    host = HostConfig(cell.host_rate, cell.block, channels=1)
    return throughput(path, host, cell.engine, cell.sessions, cell.workers, effort.seconds)


def _at_deadlines(cell: Cell, workshop: Workshop, effort: Effort) -> dict[str, Any]:
    before = _resident_bytes()
    with Engine(workers=cell.workers) as engine:
        sessions = [_open(engine, cell, workshop) for _ in range(cell.sessions)]
        resident = _resident_bytes() - before
        report = engine.run_realtime(sessions, effort.seconds)
        parts = sessions[0].latency_parts()
    return {
        **figures(report),
        "resident_mb": resident / 1e6,
        "buffering_samples": parts.buffering_samples,
        "inference_samples": parts.inference_samples,
    }


def _resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
