"""What a user writes for a parameter, as a curve over the samples of a render."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from neutone_like.errors import ParameterError
from neutone_like.model import CategoricalParameter, ContinuousParameter, NumericalParameter
from neutone_like.numbers import as_finite_number, as_number

Samples = npt.NDArray[np.float32]


class Curve(Protocol):
    """A parameter's value at every sample, as a host sends it: 0..1."""

    @property
    def moves(self) -> bool:
        """Whether two of its values differ."""
        ...

    def values(self, start: int, samples: int, sample_rate: int) -> Samples:
        """The values from sample ``start`` of the stream on; shape ``(samples,)``."""
        ...


@dataclass(frozen=True)
class Constant:
    """One value for the whole stream."""

    value_0to1: float

    @property
    def moves(self) -> bool:
        return False

    def values(self, start: int, samples: int, sample_rate: int) -> Samples:
        return np.full(samples, self.value_0to1, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Breakpoints:
    """Straight lines between points in time (or steps at them); the ends hold their values for ever."""

    seconds: npt.NDArray[np.float64]
    values_0to1: npt.NDArray[np.float64]
    steps: bool

    @property
    def moves(self) -> bool:
        return bool((self.values_0to1 != self.values_0to1[0]).any())

    def values(self, start: int, samples: int, sample_rate: int) -> Samples:
        seconds = np.arange(start, start + samples, dtype=np.float64) / sample_rate
        if self.steps:
            # A point at 1.5 s takes effect on the sample nearest to it, also where rounding puts that a hair before.
            latest = np.searchsorted(self.seconds, seconds + 0.5 / sample_rate, side="right") - 1
            return self.values_0to1[np.maximum(latest, 0)].astype(np.float32)
        return np.interp(seconds, self.seconds, self.values_0to1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class PerSample:
    """One value for every sample, in the parameter's own unit; the last one holds from the end on."""

    own_values: npt.NDArray[Any]
    minimum: float
    maximum: float

    @property
    def moves(self) -> bool:
        return bool((self.own_values != self.own_values[0]).any())

    def values(self, start: int, samples: int, sample_rate: int) -> Samples:
        index = np.minimum(np.arange(start, start + samples), len(self.own_values) - 1)
        own = self.own_values[index].astype(np.float64)
        return np.clip((own - self.minimum) / (self.maximum - self.minimum), 0.0, 1.0).astype(np.float32)


def read_curve(parameter: NumericalParameter, value: Any) -> Curve:
    """Check what a user wrote for ``parameter``.

    Args:
        parameter: Its range decides what is allowed.
        value: A number in the parameter's unit, or a label; or ``(seconds, value)`` points in rising order of time,
            joined by straight lines (a choice steps); or a 1-D array or tensor with one value a sample.

    Raises:
        ParameterError: Not one of these, out of range, or times that do not rise.
    """
    if isinstance(value, torch.Tensor):
        value = to_array(parameter, value)
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return _per_sample(parameter, value)
    if isinstance(value, np.ndarray) and value.ndim == 2 and value.shape[1] == 2:
        value = value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return _breakpoints(parameter, value)
    return Constant(_to_0to1(parameter, value))


def to_array(parameter: NumericalParameter, value: torch.Tensor) -> npt.NDArray[Any]:
    """A tensor's numbers, of any type and on any device; NumPy has no bfloat16, and float32 holds all of that.

    Raises:
        ParameterError: There are none to read, as on the meta device or in a sparse tensor.
    """
    try:
        plain = value.detach().cpu()
        return (plain.float() if plain.is_floating_point() and plain.itemsize < 4 else plain).numpy()
    except (RuntimeError, TypeError) as error:
        raise ParameterError(
            f"Parameter {parameter.name!r}: expected a plain tensor of numbers, got one of {value.dtype} and layout "
            f"{value.layout} on {value.device}: {str(error).splitlines()[0]}"
        ) from error


def _to_0to1(parameter: NumericalParameter, value: Any) -> float:
    if not isinstance(value, (str, bool)) and as_number(value) is None:
        raise ParameterError(
            f"Parameter {parameter.name!r}: expected a number or a label, a sequence of (seconds, value) points, "
            "or a 1-D array with one value a sample, "
            f"got {type(value).__name__}{f' of shape {tuple(value.shape)}' if hasattr(value, 'shape') else ''}."
        )
    return parameter.to_0to1(value)  # type: ignore[arg-type]  # both kinds say themselves what they do not take


def _breakpoints(parameter: NumericalParameter, points: Sequence[Any]) -> Breakpoints:
    if not points or not all(isinstance(point, Sequence) and len(point) == 2 for point in points):
        raise ParameterError(
            f"Parameter {parameter.name!r}: an automation curve is one or more (seconds, value) points, "
            f"such as [(0.0, ...), (1.5, ...)], got {_shortened(points)}. One value a sample goes in a 1-D array."
        )
    seconds = [_seconds(parameter, point[0]) for point in points]
    for earlier, later in pairwise(seconds):
        if later <= earlier:
            raise ParameterError(
                f"Parameter {parameter.name!r}: the times of an automation curve must rise, "
                f"got {later} s after {earlier} s."
            )
    values = [_to_0to1(parameter, point[1]) for point in points]
    return Breakpoints(np.array(seconds), np.array(values), steps=isinstance(parameter, CategoricalParameter))


def _seconds(parameter: NumericalParameter, value: Any) -> float:
    number = as_finite_number(value)
    if number is None or number < 0.0:
        raise ParameterError(
            f"Parameter {parameter.name!r}: the time of an automation point is in seconds, 0 or later, got {value!r}."
        )
    return number


def _per_sample(parameter: NumericalParameter, values: npt.NDArray[Any]) -> PerSample:
    label = f"Parameter {parameter.name!r}"
    if values.size == 0 or values.dtype.kind not in "iuf":
        raise ParameterError(f"{label}: expected one number a sample, got {values.size} of type {values.dtype}.")
    # A range end such as 0.1 is a little larger in single precision.
    slack = 1e-6 * (parameter.maximum - parameter.minimum)
    allowed = (values >= parameter.minimum - slack) & (values <= parameter.maximum + slack)
    if not isinstance(parameter, ContinuousParameter):
        allowed &= values == np.round(values)
    if not allowed.all():
        first = int(np.argmin(allowed))
        kind = "" if isinstance(parameter, ContinuousParameter) else "a whole number in "
        raise ParameterError(
            f"{label}: allowed is {kind}{parameter.minimum}..{parameter.maximum} {parameter.unit}".rstrip()
            + f", got {values[first]} at sample {first}."
        )
    return PerSample(values, parameter.minimum, parameter.maximum)


def _shortened(points: Sequence[Any]) -> str:
    text = repr(points)
    return text if len(text) <= 80 else f"{text[:77]}..."
