"""Each kind of cell, measured: what it is given and what comes out as JSON types. Times are in microseconds."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neutone_like.bench.suite.cells import Cell, Kind
from neutone_like.bench.suite.cold import cold_start
from neutone_like.bench.suite.workshop import Workshop
from neutone_like.runtime import Engine, HostConfig, RealtimeReport, Session
from neutone_like.runtime.time_distribution import TimeDistribution

HOST_RATE = 48000
SAFETY_CALLBACKS = 300
_QUANTILES = tuple(np.round(np.linspace(0.0, 1.0, 33), 4).tolist())


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
    }
    return ways.get(cell.kind, _at_deadlines)(cell, workshop, effort)


def _open(engine: Engine, cell: Cell, workshop: Workshop) -> Session:
    path = workshop.artifact(cell)
    host = HostConfig(HOST_RATE, cell.block, channels=1)
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
        "inference": _times(stats.inference_time),
        "callback": _times(stats.callback_time),
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
        sample_rate=HOST_RATE,
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


def _at_deadlines(cell: Cell, workshop: Workshop, effort: Effort) -> dict[str, Any]:
    before = _resident_bytes()
    with Engine(workers=cell.workers) as engine:
        sessions = [_open(engine, cell, workshop) for _ in range(cell.sessions)]
        resident = _resident_bytes() - before
        report = engine.run_realtime(sessions, effort.seconds)
        parts = sessions[0].latency_parts()
    return {
        **_figures(report),
        "resident_mb": resident / 1e6,
        "buffering_samples": parts.buffering_samples,
        "inference_samples": parts.inference_samples,
    }


def _figures(report: RealtimeReport) -> dict[str, Any]:
    """Counts of all sessions together; times of the one whose callback was slowest at the 99th percentile."""
    slowest = max(report.sessions, key=lambda run: run.callback_time.p99_us)

    def all_of(runs: Sequence[Any], name: str) -> int:
        return sum(getattr(run, name) for run in runs)

    counts = ("callbacks", "samples", "deadline_misses", "underruns", "missing_samples")
    return {
        "callback": _times(slowest.callback_time),
        "inference": _times(slowest.inference_time),
        "turnaround": _times(slowest.turnaround_time),
        "wake_lateness": _times(slowest.wake_lateness),
        "seconds": slowest.seconds,
        "latency_samples": slowest.latency_samples,
        **{name: all_of(report.sessions, name) for name in counts},
        **{f"no_op_{name}": all_of(report.no_op, name) for name in counts},
        "no_op_callback": _times(report.no_op[0].callback_time),
        "worker_shares": [round(worker.cpu_share, 4) for worker in report.workers],
        "caller_share": round(slowest.cpu_share, 4),
        "realtime_priority": slowest.realtime_priority and all(each.realtime_priority for each in report.workers),
    }


def _times(times: TimeDistribution) -> dict[str, Any]:
    """Percentiles, and 33 quantiles for pictures."""
    figures = {name: round(getattr(times, name), 2) for name in ("p50_us", "p99_us", "p999_us", "max_us")}
    ends = np.array([end for end, _ in times.buckets])
    counts = np.cumsum([count for _, count in times.buckets])
    ranks = [max(1.0, np.ceil(quantile * times.count)) for quantile in _QUANTILES]
    quantiles = [round(float(ends[np.searchsorted(counts, rank)]), 2) for rank in ranks] if times.count else []
    return {"count": times.count, **figures, "quantiles_us": quantiles}


def _resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
