"""What users set a session's parameters to, as the engine takes it: 0..1, one value or one a sample."""

import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from neutone_like.errors import ParameterError
from neutone_like.model import CategoricalParameter, NumericalParameter
from neutone_like.model.parameter_values import check_names, to_host_value
from neutone_like.numbers import as_number
from neutone_like.runtime.audio_blocks import Audio


def require_name(parameters: Sequence[NumericalParameter], name: object) -> str:
    """``name``, where a parameter has it.

    Raises:
        ParameterError: No text, or no such parameter; the message has the names there are.
    """
    if not isinstance(name, str):
        known = [parameter.name for parameter in parameters]
        raise ParameterError(f"A parameter is named by a text, one of {known}, got {shown(name)}.")
    check_names(parameters, {name: None})
    return name


def host_value(parameter: NumericalParameter, value: object) -> float:
    """One value in the parameter's own unit, or a text that stands for one, as 0..1.

    Args:
        value: Any kind of number: Python's, NumPy's, a tensor's; of a categorical parameter also a label.

    Raises:
        ParameterError: Something else, or out of range; the message has the range.
    """
    if isinstance(value, str):
        return to_host_value(parameter, str(value))
    number = as_number(value)
    try:
        if number is not None:
            return to_host_value(parameter, float(number))
    except OverflowError:
        pass  # an int beyond every float
    raise ParameterError(f"Parameter {parameter.name!r}: allowed is {_allowed(parameter)}, got {shown(value)}.")


def automation(
    parameters: Sequence[NumericalParameter], given: object, present: Sequence[float], samples: int
) -> Audio | None:
    """0..1 for every parameter and sample; None where nothing is given.

    Args:
        given: By name, in each parameter's own unit: a value, or one for each sample.
        present: 0..1, what those left out are set to.

    Raises:
        ParameterError: Not a mapping, a name that is not declared, a value out of its range, or another length.
    """
    if given is not None and not isinstance(given, Mapping):
        raise ParameterError(
            f'parameters must map names to values, such as {{"drive": 24.0}}, got {type(given).__name__}.'
        )
    if not given:
        return None
    for name in given:
        require_name(parameters, name)
    rows = np.empty((len(parameters), samples), np.float32)
    for row, parameter, value in zip(rows, parameters, present, strict=True):
        row[:] = _row(parameter, given[parameter.name], samples) if parameter.name in given else value
    return rows


def shown(value: object) -> str:
    """``value`` in a message, however large or odd it is."""
    try:
        return reprlib.repr(value)
    except Exception:  # a user's own __repr__, or an int beyond what Python writes out
        return f"a value of type {type(value).__name__}"


def _row(parameter: NumericalParameter, value: Any, samples: int) -> float | Audio:
    is_curve = not isinstance(value, str) and np.ndim(_array(parameter, value)) > 0
    return _curve(parameter, value, samples) if is_curve else host_value(parameter, value)


def _array(parameter: NumericalParameter, value: Any) -> npt.NDArray[np.float64]:
    try:
        if isinstance(value, torch.Tensor):
            return value.detach().to("cpu", torch.float64).numpy()
        return np.asarray(value, np.float64)
    except Exception as error:  # NumPy and torch raise what they like for what is no array of numbers
        raise ParameterError(
            f"Parameter {parameter.name!r}: expected {_allowed(parameter)}, or one value for each sample, "
            f"got {shown(value)}."
        ) from error


def _curve(parameter: NumericalParameter, values: Any, samples: int) -> Audio:
    """A value a sample as 0..1."""
    curve = _array(parameter, values)
    if curve.shape != (samples,):
        raise ParameterError(
            f"Parameter {parameter.name!r}: expected one value, or one for each of the {samples} samples, "
            f"got an array of shape {curve.shape}."
        )
    inside = (curve >= parameter.minimum) & (curve <= parameter.maximum)
    if not inside.all():
        raise ParameterError(
            f"Parameter {parameter.name!r}: allowed is {parameter.minimum}..{parameter.maximum}, "
            f"got {curve[np.argmin(inside)]} at sample {int(np.argmin(inside))}."
        )
    return ((curve - parameter.minimum) / (parameter.maximum - parameter.minimum)).astype(np.float32)


def _allowed(parameter: NumericalParameter) -> str:
    if isinstance(parameter, CategoricalParameter):
        return f"one of {list(parameter.labels)} or its index"
    return f"a number in {parameter.minimum}..{parameter.maximum} {parameter.unit}".rstrip()
