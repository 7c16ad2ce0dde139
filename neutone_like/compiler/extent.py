"""Whole numbers that grow with the block: ``base + factor * samples``."""

from dataclasses import dataclass
from fractions import Fraction

from neutone_like.errors import CompileError
from neutone_like.graph import SAMPLES, WholeNumber


@dataclass(frozen=True)
class Extent:
    """``base + factor * samples``, whole for every block that a plan takes.

    Attributes:
        base: What does not depend on the block.
        factor: How much each sample of the block adds.
    """

    base: Fraction
    factor: Fraction = Fraction(0)

    @staticmethod
    def of(value: "Extent | WholeNumber | int") -> "Extent":
        """From a number of a graph.

        Raises:
            CompileError: It depends on a counter.
        """
        if isinstance(value, Extent):
            return value
        if isinstance(value, int):
            return Extent(Fraction(value))
        factors = dict(value.terms)
        others = [name for name in factors if name not in ("", SAMPLES)]
        if others:
            raise CompileError(
                f"A size depends on {others[0]}, which counts in Python. Keep it as a tensor and calculate with it."
            )
        return Extent(factors.get("", Fraction(0)), factors.get(SAMPLES, Fraction(0)))

    def at(self, samples: int) -> int:
        """The number for a block of ``samples``."""
        total = self.base + self.factor * samples
        if total.denominator != 1:
            raise CompileError(f"{self} is {total} for {samples} samples, which is not a whole number.")
        return int(total)

    @property
    def constant(self) -> int | None:
        """The number where it is the same for every block."""
        return int(self.base) if not self.factor and self.base.denominator == 1 else None

    def __add__(self, other: "Extent | int") -> "Extent":
        other = Extent.of(other)
        return Extent(self.base + other.base, self.factor + other.factor)

    def __sub__(self, other: "Extent | int") -> "Extent":
        return self + Extent.of(other) * -1

    def __mul__(self, times: int | Fraction) -> "Extent":
        return Extent(self.base * times, self.factor * times)

    def __str__(self) -> str:
        if not self.factor:
            return str(self.base)
        text = "n" if self.factor == 1 else f"{self.factor}n"
        return text if not self.base else f"{text}{'+' if self.base > 0 else ''}{self.base}"


ZERO = Extent(Fraction(0))
ONE = Extent(Fraction(1))
