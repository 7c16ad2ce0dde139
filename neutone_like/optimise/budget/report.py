"""Points of time, bytes and quality, and which of them nothing else beats."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neutone_like.optimise.played_cost import PlayedCost
from neutone_like.optimise.quality_report import QualityReport
from neutone_like.printing import Printed, Row, printable

if TYPE_CHECKING:
    from rich.table import Table

SAME_TIME = 1.03
"""Times whose ratio is below this are measured as equal."""
CONFIRMED = 0.05
"""What is measured again is to differ by no more than this share."""


@dataclass(frozen=True, repr=False)
class BudgetPoint(Printed):
    """One artifact that was written, played and measured.

    Attributes:
        name: How it was made.
        path: The artifact's folder.
        cost: As played, by turns with all others.
        time_ratio: Time of a block over the original's, in the block where that is worst.
        bytes_ratio: Bytes of the file that is played over the original's.
        quality: Against the original, on sound that nothing was trained on; ``None``: it is the original.
        on_front: Whether no other point is at least as good in time, bytes and quality, and better in one.
        differs: By what share a fresh process, which has the file alone, measured otherwise: ``"time"`` of a block (in
            that where it is most), ``"bytes"`` and ``"error"``. ``None``: none was asked.
    """

    name: str
    path: Path
    cost: PlayedCost
    time_ratio: float
    bytes_ratio: float
    quality: QualityReport | None
    on_front: bool = False
    differs: dict[str, float] | None = None

    @property
    def error_to_signal_ratio(self) -> float:
        """Against the original; of the original itself 0."""
        return 0.0 if self.quality is None else self.quality.error_to_signal_ratio

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "name": self.name,
            "path": str(self.path),
            "time_ratio": self.time_ratio,
            "bytes_ratio": self.bytes_ratio,
            "error_to_signal_ratio": self.error_to_signal_ratio,
            "on_front": self.on_front,
            "differs_in_a_fresh_process": self.differs,
            "cost": self.cost.to_dict(),
            "quality": None if self.quality is None else self.quality.to_dict(),
        }

    def _rows(self) -> list[Row]:
        return [row(self)]


@dataclass(frozen=True, repr=False)
class BudgetReport(Printed):
    """What a model can be made into.

    Attributes:
        points: All that were measured, the original first.
        budget: The most time, over the original's.
        allowed_error: The most error-to-signal ratio against the original.
        left_out: What was not tried, and why.
        note: Why no fresh process confirmed the numbers, where one was asked and could not.
    """

    points: tuple[BudgetPoint, ...]
    budget: float
    allowed_error: float
    left_out: tuple[str, ...] = ()
    note: str = ""

    @property
    def front(self) -> tuple[BudgetPoint, ...]:
        """What nothing else beats, fastest first."""
        return tuple(sorted((each for each in self.points if each.on_front), key=lambda each: each.time_ratio))

    def meets(self, point: BudgetPoint) -> bool:
        """Whether a point is within the budget, and good enough."""
        return point.time_ratio <= self.budget and point.error_to_signal_ratio <= self.allowed_error

    @property
    def best(self) -> BudgetPoint | None:
        """Of those that meet both limits the one with the least error; ``None``: nothing does."""
        return min(filter(self.meets, self.points), key=lambda each: each.error_to_signal_ratio, default=None)

    @property
    def nearest(self) -> BudgetPoint:
        """What misses the limits by the smallest factor."""
        return min(self.points, key=self._misses_by)

    def _misses_by(self, point: BudgetPoint) -> float:
        return max(point.time_ratio / self.budget, point.error_to_signal_ratio / max(self.allowed_error, 1e-12))

    @property
    def verdict(self) -> str:
        """In a sentence."""
        limits = f"{self.budget:.2f} x the time at an ESR of {self.allowed_error:g}"
        found = self.best
        if found is not None:
            return f"{found.name} meets {limits}: {_measured(found)}."
        return f"Nothing meets {limits}. The nearest is {self.nearest.name}: {_measured(self.nearest)}."

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "budget": self.budget,
            "allowed_error_to_signal_ratio": self.allowed_error,
            "verdict": self.verdict,
            "best": None if self.best is None else self.best.to_dict(),
            "nearest": self.nearest.to_dict(),
            "points": [each.to_dict() for each in self.points],
            "left_out": list(self.left_out),
            "note": self.note,
        }

    def confirmation(self) -> list[str]:
        """What a fresh process found of these numbers: that all hold to 5 %, or which don't; empty: none was asked."""
        asked = [each for each in self.points if each.differs is not None]
        if not asked:
            return [self.note] if self.note else []
        worst = {what: max((each.differs or {})[what] for each in asked) for what in ("time", "bytes", "error")}
        apart = [
            f"{each.name}: {what} differs by {share:.0%} in a fresh process"
            for each in asked
            for what, share in (each.differs or {}).items()
            if share > CONFIRMED
        ]
        held = f"times within {worst['time']:.1%}, bytes {worst['bytes']:.1%}, errors {worst['error']:.1%}"
        return [f"Measured again in a fresh process: {held}", *apart]

    def tables(self) -> list["Table"]:
        """For a terminal."""
        from rich.markup import escape
        from rich.table import Table

        blocks = self.points[0].cost.block_us
        table = Table()
        for name in ("", "how", *(f"us for {block}" for block in blocks), "x time", "bytes", "x bytes", "ESR"):
            table.add_column(name, justify="left" if name in ("", "how") else "right")
        for each in self.points:
            times = (f"{value:.1f}" for value in each.cost.block_us.values())
            table.add_row(
                "*" if each.on_front else "",
                escape(printable(each.name)),
                *times,
                f"{each.time_ratio:.2f}",
                str(each.cost.file_bytes),
                f"{each.bytes_ratio:.2f}",
                f"{each.error_to_signal_ratio:.4g}",
            )
        return [table]

    def remarks(self) -> list[str]:
        """What to say under the table: what its mark means, what was left out, and the verdict."""
        mark = "* nothing else is as good in time, bytes and error, and better in one"
        return [mark, *self.confirmation(), *(f"left out: {each}" for each in self.left_out), self.verdict]

    def _title(self) -> str:
        return f"BudgetReport: {self.verdict}"

    def _rows(self) -> list[Row]:
        return [row(each) for each in self.front]

    def _html_rows(self) -> list[Row]:
        return [*map(row, self.points), *(("left out", each) for each in self.left_out)]


def row(point: BudgetPoint) -> Row:
    """A point in words."""
    return (point.name, _measured(point))


def _measured(point: BudgetPoint) -> str:
    return (
        f"{point.time_ratio:.2f} x the time, {point.bytes_ratio:.2f} x the bytes, ESR {point.error_to_signal_ratio:.4g}"
    )


def with_front(points: Sequence[BudgetPoint]) -> tuple[BudgetPoint, ...]:
    """The same points, those marked that no other beats."""
    return tuple(replace(each, on_front=not any(_beats(other, each) for other in points)) for each in points)


def _beats(one: BudgetPoint, other: BudgetPoint) -> bool:
    """At least as good in all three, and better in one; times that differ by less than can be measured are equal."""
    bytes_, error = one.cost.file_bytes, one.error_to_signal_ratio
    if one.time_ratio > other.time_ratio * SAME_TIME:
        return False
    if bytes_ > other.cost.file_bytes or error > other.error_to_signal_ratio:
        return False
    faster = one.time_ratio * SAME_TIME < other.time_ratio
    return faster or bytes_ < other.cost.file_bytes or error < other.error_to_signal_ratio
