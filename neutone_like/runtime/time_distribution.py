"""How long something took, every time it was done: nothing is dropped as an outlier."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from neutone_like.errors import RuntimeEngineError
from neutone_like.numbers import real_number
from neutone_like.printing import Printed, Row
from neutone_like.runtime.native_module import native_module

if TYPE_CHECKING:
    from neutone_like.runtime import _native

_PERCENTILES = ("p50_us", "p99_us", "p999_us", "max_us")
Counts = npt.NDArray[np.uint64]


@dataclass(frozen=True, repr=False)
class TimeDistribution(Printed):
    """Percentiles of measured times, in microseconds, and the histogram behind them.

    Buckets are at most 3.2 % wide; a percentile is the end of the bucket that it falls into.

    Attributes:
        count: How many times there are.
        p50_us, p99_us, p999_us: What 50 %, 99 % and 99.9 % of them do not exceed; 0 without any.
        max_us: The longest.
        buckets: ``(longest time in us, count)`` of every bucket with something in it.
    """

    count: int
    p50_us: float
    p99_us: float
    p999_us: float
    max_us: float
    buckets: tuple[tuple[float, int], ...]

    def __repr__(self) -> str:
        times = f"p50 {self.p50_us:.1f}, p99 {self.p99_us:.1f}, p99.9 {self.p999_us:.1f}, max {self.max_us:.1f}"
        return f"TimeDistribution({self.count} times; {times} us)"

    __str__ = __repr__

    def _html_rows(self) -> list[Row]:
        return [("count", str(self.count)), *((n, f"{getattr(self, n):.1f}") for n in _PERCENTILES)]

    def fraction_above(self, limit_us: float) -> float:
        """The share of times in buckets that end above ``limit_us``."""
        limit_us = real_number(limit_us, "limit_us", 0.0, float("inf"), unit="us", error=RuntimeEngineError)
        above = sum(count for end, count in self.buckets if end > limit_us)
        return above / self.count if self.count else 0.0


def distribution(histogram: "_native.Histogram", earlier: "_native.Histogram | None" = None) -> TimeDistribution:
    """Read a native histogram.

    Args:
        histogram: Counts and the largest value.
        earlier: The same histogram some time ago: only what was added since counts. The longest time is then known to
            its bucket, unless it is the longest of all.
    """
    counts, largest = histogram
    if earlier is not None:
        counts = counts - earlier[0]
    ends = _bucket_ends()
    filled = np.flatnonzero(counts)
    total = int(counts.sum())
    most = min(int(ends[filled[-1]]), largest) if total else 0
    cumulated = np.cumsum(counts)
    p50, p99, p999 = (_percentile(cumulated, ends, total, most, fraction) for fraction in (0.5, 0.99, 0.999))
    buckets = tuple((int(ends[bucket]) / 1000.0, int(counts[bucket])) for bucket in filled)
    return TimeDistribution(total, p50, p99, p999, most / 1000.0, buckets)


def _percentile(cumulated: Counts, ends: Counts, total: int, most: int, fraction: float) -> float:
    if total == 0:
        return 0.0
    bucket = int(np.searchsorted(cumulated, int(np.ceil(fraction * total))))
    return min(int(ends[bucket]), most) / 1000.0


@lru_cache(maxsize=1)
def _bucket_ends() -> Counts:
    return native_module().histogram_bucket_ends_ns()
