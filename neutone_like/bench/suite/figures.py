"""A run at real deadlines as JSON types: counts, and times in microseconds as percentiles and quantiles."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from neutone_like.runtime import RealtimeReport
from neutone_like.runtime.time_distribution import TimeDistribution

_QUANTILES = tuple(np.round(np.linspace(0.0, 1.0, 33), 4).tolist())


def figures(report: RealtimeReport) -> dict[str, Any]:
    """Counts of all sessions together; times of the one whose callback was slowest at the 99th percentile."""
    slowest = max(report.sessions, key=lambda run: run.callback_time.p99_us)

    def all_of(runs: Sequence[Any], name: str) -> int:
        return sum(getattr(run, name) for run in runs)

    counts = ("callbacks", "samples", "deadline_misses", "underruns", "missing_samples")
    return {
        "callback": times_of(slowest.callback_time),
        "inference": times_of(slowest.inference_time),
        "turnaround": times_of(slowest.turnaround_time),
        "wake_lateness": times_of(slowest.wake_lateness),
        "seconds": slowest.seconds,
        "latency_samples": slowest.latency_samples,
        **{name: all_of(report.sessions, name) for name in counts},
        **{f"no_op_{name}": all_of(report.no_op, name) for name in counts},
        "no_op_callback": times_of(report.no_op[0].callback_time),
        "worker_shares": [round(worker.cpu_share, 4) for worker in report.workers],
        "caller_share": round(slowest.cpu_share, 4),
        "realtime_priority": slowest.realtime_priority and all(each.realtime_priority for each in report.workers),
    }


def times_of(times: TimeDistribution) -> dict[str, Any]:
    """Percentiles, and 33 quantiles for pictures."""
    figures = {name: round(getattr(times, name), 2) for name in ("p50_us", "p99_us", "p999_us", "max_us")}
    ends = np.array([end for end, _ in times.buckets])
    counts = np.cumsum([count for _, count in times.buckets])
    ranks = [max(1.0, np.ceil(quantile * times.count)) for quantile in _QUANTILES]
    quantiles = [round(float(ends[np.searchsorted(counts, rank)]), 2) for rank in ranks] if times.count else []
    return {"count": times.count, **figures, "quantiles_us": quantiles}
