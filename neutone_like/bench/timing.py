"""How long one block takes: first calls and warm ones, with nothing left out."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ParameterError
from neutone_like.numbers import real_number, whole_number
from neutone_like.printing import Printed, Row

FIRST_CALLS = 3
WARM_UP_CALLS = 50


@dataclass(frozen=True, repr=False)
class BlockTimes(Printed):
    """Times of single calls, in seconds, in the order they were made. No outlier is dropped."""

    first: tuple[float, ...]
    warm: tuple[float, ...]

    def _rows(self) -> list[Row]:
        if not self.warm:
            return []
        return [(f"{len(self.warm)} calls", f"median {self.median_us:.1f} us", f"max {self.max_us:.1f} us")]

    def percentile_us(self, percent: float) -> float:
        """The time, in microseconds, that ``percent`` of the warm calls stay within (nearest rank)."""
        percent = real_number(percent, "percent", 0.0, 100.0, error=ParameterError)
        ordered = sorted(self.warm)
        rank = max(1, -(-len(ordered) * percent // 100.0))
        return ordered[int(rank) - 1] * 1e6

    @property
    def min_us(self) -> float:
        return min(self.warm) * 1e6

    @property
    def first_us(self) -> float:
        return self.first[0] * 1e6

    @property
    def slowest_first_us(self) -> float:
        return max(self.first) * 1e6

    @property
    def median_us(self) -> float:
        return self.percentile_us(50.0)

    @property
    def mean_us(self) -> float:
        return sum(self.warm) / len(self.warm) * 1e6

    @property
    def max_us(self) -> float:
        return max(self.warm) * 1e6

    def real_time_factor(self, block_size: int, sample_rate: int) -> float:
        """Warm computing time over the duration of the audio; below 1 is faster than real time."""
        block_size = whole_number(block_size, "block_size", 1, 1 << 30, error=ParameterError)
        sample_rate = whole_number(sample_rate, "sample_rate", 1, 1 << 30, error=ParameterError)
        return sum(self.warm) / (len(self.warm) * block_size / sample_rate)


@checked_arguments(ParameterError)
def time_calls(call: Callable[[], object], *, calls: int, seconds_at_most: float = 2.0) -> BlockTimes:
    """Time the first calls, warm up, and time ``calls`` more, or as many as fit into the time given (at least 100).

    Raises:
        ParameterError: Nothing to call, or a number out of range.
    """
    calls = whole_number(calls, "calls", 1, 1 << 40, error=ParameterError)
    seconds_at_most = real_number(seconds_at_most, "seconds_at_most", 0.0, 1e9, unit="s", error=ParameterError)
    first = tuple(_timed(call) for _ in range(FIRST_CALLS))
    for _ in range(WARM_UP_CALLS):
        call()
    warm: list[float] = []
    end = time.perf_counter() + seconds_at_most
    while len(warm) < calls and (len(warm) < 100 or time.perf_counter() < end):
        warm.append(_timed(call))
    return BlockTimes(first, tuple(warm))


def time_in_turns(
    calls: Sequence[Callable[[], object]], *, rounds: int, seconds_at_most: float = 2.0
) -> list[BlockTimes]:
    """As :func:`time_calls` for several, one after another in every round: what disturbs a round disturbs all of them.

    Each timed call comes after one to three others of its own, which are not timed: what the others left in the caches
    is gone then. How many is drawn, because a model with blocks of its own computes in every n-th call only.
    """
    drawn = random.Random(0)
    first = [tuple(_timed(call) for _ in range(FIRST_CALLS)) for call in calls]
    for _ in range(WARM_UP_CALLS):
        for call in calls:
            call()
    warm: list[list[float]] = [[] for _ in calls]
    end = time.perf_counter() + seconds_at_most
    done = 0
    while done < rounds and (done < 100 or time.perf_counter() < end):
        for call, own in zip(calls, warm, strict=True):
            for _ in range(drawn.randint(1, 3)):
                call()
            own.append(_timed(call))
        done += 1
    return [BlockTimes(each, tuple(own)) for each, own in zip(first, warm, strict=True)]


def _timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
