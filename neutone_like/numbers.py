"""What counts as a number: Python's, NumPy's, one that a tensor holds; never True, a text, or a list of one."""

from decimal import Decimal
from fractions import Fraction
from math import isfinite
from operator import index
from typing import Any

from neutone_like.errors import NeutoneLikeError


def as_number(value: Any) -> int | float | None:
    """``value`` as Python's own number, or None where it isn't one.

    Numbers are int, float, ``Fraction``, ``Decimal``, and whatever holds exactly one real number in no dimensions: a
    NumPy scalar, a 0-d array or a 0-d tensor of any type. NaN and infinity are numbers too.
    """
    if hasattr(value, "shape"):
        value = _item(value) if value.shape == () else None
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return int(value)
    if isinstance(value, (float, Fraction, Decimal)):
        return _as_float(value)
    return _as_index(value)


def as_whole_number(value: Any) -> int | None:
    """``value`` as an int where its type is one of whole numbers; 2.0 is none."""
    number = as_number(value)
    return number if isinstance(number, int) else None


def whole_number(
    value: Any,
    what: str,
    minimum: int,
    maximum: int,
    *,
    unit: str = "",
    error: type[NeutoneLikeError] = NeutoneLikeError,
) -> int:
    """``value`` as an int in ``minimum..maximum``.

    Raises:
        NeutoneLikeError: Of the type ``error``; names ``what`` it is, what is allowed in which ``unit``, and the value.
    """
    number = as_whole_number(value)
    if number is None or not minimum <= number <= maximum:
        raise error(f"{what} must be an integer in {minimum}..{maximum}{_after_space(unit)}, got {value!r}.")
    return number


def real_number(
    value: Any,
    what: str,
    minimum: float,
    maximum: float,
    *,
    unit: str = "",
    error: type[NeutoneLikeError] = NeutoneLikeError,
) -> float:
    """``value`` as a float in ``minimum..maximum``; NaN lies in no range.

    Raises:
        NeutoneLikeError: As of :func:`whole_number`.
    """
    number = as_number(value)
    if number is None or not minimum <= number <= maximum:
        raise error(f"{what} must lie in {minimum}..{maximum}{_after_space(unit)}, got {value!r}.")
    return float(number)


def as_finite_number(value: Any) -> float | None:
    """``value`` as a float, or None where it is no number, NaN, infinite, or too large for a float."""
    number = as_number(value)
    try:
        return float(number) if number is not None and isfinite(number) else None
    except OverflowError:
        return None


def _after_space(unit: str) -> str:
    return f" {unit}" if unit else ""


def _item(value: Any) -> Any:
    """What a 0-d array or tensor holds; None where that can't be told, as on the meta device."""
    try:
        item = value.item()
    except (AttributeError, RuntimeError, TypeError, ValueError):
        return None
    return float(item) if type(item).__name__ == "longdouble" else item


def _as_float(value: Any) -> float | None:
    try:
        return float(value)
    except (OverflowError, ValueError):  # a fraction beyond every float, a signalling NaN
        return None


def _as_index(value: Any) -> int | None:
    """What types of other packages say they are by ``__index__``, such as SymPy's Integer."""
    try:
        return index(value)
    except Exception:  # a foreign type's own; whatever it raises, it is no number here
        return None
