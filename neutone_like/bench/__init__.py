"""Benchmarks that a user can run: of an artifact, and (``python -m neutone_like.bench``) of this package itself."""

from neutone_like.bench.artifact_bench import BenchReport as BenchReport
from neutone_like.bench.artifact_bench import SettingResult as SettingResult
from neutone_like.bench.artifact_bench import bench_artifact as bench_artifact
from neutone_like.bench.timing import BlockTimes as BlockTimes
from neutone_like.bench.timing import time_calls as time_calls
