"""Benchmarks that a user can run: of an artifact, and (``python -m neutone_like.bench``) of this package itself."""

from typing import TYPE_CHECKING

from neutone_like.lazy import export_lazily

if TYPE_CHECKING:
    from neutone_like.bench.artifact_bench import BenchReport as BenchReport
    from neutone_like.bench.artifact_bench import SettingResult as SettingResult
    from neutone_like.bench.artifact_bench import bench_artifact as bench_artifact
    from neutone_like.bench.backend_bench import BackendsReport as BackendsReport
    from neutone_like.bench.backend_bench import BackendTimes as BackendTimes
    from neutone_like.bench.backend_bench import bench_backends as bench_backends
    from neutone_like.bench.timing import BlockTimes as BlockTimes
    from neutone_like.bench.timing import time_calls as time_calls

export_lazily(
    globals(),
    {
        "neutone_like.bench.artifact_bench": ("BenchReport", "SettingResult", "bench_artifact"),
        "neutone_like.bench.backend_bench": ("BackendTimes", "BackendsReport", "bench_backends"),
        "neutone_like.bench.timing": ("BlockTimes", "time_calls"),
    },
)
