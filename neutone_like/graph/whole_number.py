"""Whole numbers in a graph that depend on the block's length and on counters: ``2 * samples + 3``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from operator import index

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import CaptureError

CONSTANT = ""


@dataclass(frozen=True)
class WholeNumber:
    """A sum of variables, each times a fraction, that comes to a whole number for every block that a graph takes.

    Attributes:
        terms: Pairs of a variable's name (empty: one) and what it is multiplied by; none of them zero.
    """

    terms: tuple[tuple[str, Fraction], ...]

    def evaluate(self, variables: Mapping[str, int]) -> int:
        """The number for these values of the variables.

        Raises:
            CaptureError: It is not whole, or a variable has no value.
        """
        try:
            total = sum((factor * (index(variables[name]) if name else 1) for name, factor in self.terms), Fraction(0))
        except (LookupError, RuntimeError, TypeError) as error:
            named = ", ".join(repr(name) for name, _ in self.terms if name)
            raise CaptureError(f"{self} needs whole numbers by name for {named}, got {variables!r:.200}.") from error
        if total.denominator != 1:
            raise CaptureError(f"{self} is {total} for {dict(variables)}, which is not a whole number.")
        return int(total)

    def __str__(self) -> str:
        """An expression that Python and TorchScript read."""
        denominator = lcm(*(factor.denominator for _, factor in self.terms)) if self.terms else 1
        parts: list[str] = []
        for name, factor in self.terms:
            count = int(factor * denominator)
            parts.append(str(count) if not name else name if count == 1 else f"{count} * {name}")
        total = " + ".join(parts) or "0"
        return total if denominator == 1 else f"({total}) // {denominator}"


@checked_arguments(CaptureError)
def fit_whole_number(values: Sequence[int], points: Sequence[Mapping[str, int]]) -> int | WholeNumber | None:
    """The simplest number that has these values at these points: a constant, else one that depends on the variables.

    ``None``: no sum of the variables does.

    Raises:
        CaptureError: There is no value, another number of points, or a point without one of the variables.
    """
    if len(values) == 0 or len(points) != len(values):
        raise CaptureError(f"Expected one or more values and a point for each, got {len(values)} and {len(points)}.")
    if any(point.keys() != points[0].keys() for point in points):
        raise CaptureError(f"Expected points with the same variables, got {list(map(sorted, points))!r:.200}.")
    if len(set(values)) == 1:
        return values[0]
    names = [name for name in points[0] if len({point[name] for point in points}) > 1]
    columns = [*names, CONSTANT]
    rows = [
        [*(Fraction(point[name]) for name in names), Fraction(1), Fraction(value)]
        for point, value in zip(points, values, strict=True)
    ]
    solution = _solve(rows, len(columns))
    if solution is None:
        return None
    return WholeNumber(tuple((name, factor) for name, factor in zip(columns, solution, strict=True) if factor))


def _solve(rows: list[list[Fraction]], unknowns: int) -> list[Fraction] | None:
    """Gauss's elimination; unknowns that nothing determines are zero. ``None``: the rows contradict each other."""
    pivots: list[int] = []
    for column in range(unknowns):
        rank = len(pivots)
        pivot = next((row for row in range(rank, len(rows)) if rows[row][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        rows[rank] = [value / rows[rank][column] for value in rows[rank]]
        for row in range(len(rows)):
            if row != rank and rows[row][column]:
                factor = rows[row][column]
                rows[row] = [value - factor * base for value, base in zip(rows[row], rows[rank], strict=True)]
        pivots.append(column)
    if any(row[-1] for row in rows[len(pivots) :]):
        return None
    solution = [Fraction(0)] * unknowns
    for row, column in enumerate(pivots):
        solution[column] = rows[row][-1]
    return solution
