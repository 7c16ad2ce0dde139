"""How much a check tries of a model that takes long: the most telling cases first, as many as there is time for."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

QUICK_SECONDS = 2.0
FULL_SECONDS = 30.0

Case = TypeVar("Case")


@dataclass
class Effort:
    """The time a check may take, and what was left out for want of it.

    Processor time of this thread counts, so that a busy machine does not make checks try less.

    Attributes:
        quick: Whether somebody waits for the result.
        left_out: What each check did not try, in words.
    """

    quick: bool
    left_out: list[str] = field(default_factory=list[str])

    @property
    def seconds(self) -> float:
        """Of processor time, for each check."""
        return QUICK_SECONDS if self.quick else FULL_SECONDS

    def choose(self, cases: Sequence[Case], what: str, fewest: int = 1) -> Iterator[Case]:
        """The cases, one by one, as long as there is time for another like those before, and ``fewest`` at least.

        Args:
            cases: The most telling first.
            what: They are, for the report.
            fewest: How many are tried whatever they take.
        """
        started = time.thread_time()
        for index, case in enumerate(cases):
            taken = time.thread_time() - started
            if index >= fewest and taken * (index + 1) > self.seconds * index:
                self.left_out.append(f"{len(cases) - index} of {len(cases)} {what}")
                return
            yield case

    def most(self, wanted: int, seconds_each: float, fewest: int) -> int:
        """How many of the ``wanted`` there is time for, ``fewest`` at least."""
        if seconds_each <= 0.0:
            return wanted
        return min(wanted, max(fewest, int(self.seconds / seconds_each)))

    def taken_notes(self) -> tuple[str, ...]:
        """What was left out since this was last asked, as lines for a report."""
        lines = tuple(f"left out for want of time: {each}" for each in self.left_out)
        self.left_out.clear()
        return lines
