"""Parameter values in their own units, and as hosts send them: 0..1."""

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ParameterError
from neutone_like.model import CategoricalParameter, NumericalParameter, Parameter
from neutone_like.numbers import as_number


@checked_arguments(ParameterError, but=("values",))
def to_host_values(parameters: Sequence[NumericalParameter], values: Mapping[str, float | str]) -> Tensor:
    """What to send to a host-side ``params``: 0..1, a row for each parameter in declared order.

    Args:
        parameters: The declared ones.
        values: By name, in the parameter's own unit: a number or its text; a label or its index. Those left out take
            their defaults.

    Returns:
        float32 ``[len(parameters), 1]``.

    Raises:
        ParameterError: A name that is not declared, or a value out of its range.
    """
    values = by_name(values)
    check_names(parameters, values)
    rows = [to_host_value(parameter, values.get(parameter.name, parameter.default)) for parameter in parameters]
    return torch.tensor(rows, dtype=torch.float32).unsqueeze(1)


@checked_arguments(ParameterError)
def from_host_values(parameters: Sequence[NumericalParameter], host_values: Tensor) -> dict[str, float | str]:
    """The reverse: from 0..1 to each parameter's own unit, or the label chosen.

    Args:
        parameters: The declared ones.
        host_values: ``[rows]`` or ``[rows, 1]``; rows beyond the declared ones are ignored.

    Raises:
        ParameterError: Too few rows, more than one column, or a value outside 0..1.
    """
    rows = host_values.squeeze(1) if host_values.dim() == 2 and host_values.size(1) == 1 else host_values
    if rows.dim() != 1 or rows.size(0) < len(parameters):
        raise ParameterError(
            f"Expected host values of shape [{len(parameters)}] or [{len(parameters)}, 1], "
            f"got {list(host_values.shape)}."
        )
    return {parameter.name: from_host_value(parameter, row) for parameter, row in zip(parameters, rows, strict=False)}


def to_host_value(parameter: NumericalParameter, value: float | str) -> float:
    """One value, or its text, as 0..1.

    Raises:
        ParameterError: Not a number or label in the parameter's range; the message has the range.
    """
    if isinstance(parameter, CategoricalParameter):
        return parameter.to_0to1(_index_or_label(parameter, value))
    if not isinstance(value, str):
        return parameter.to_0to1(value)
    try:
        number = float(value)
    except ValueError as error:
        raise ParameterError(
            f"Parameter {parameter.name!r}: allowed is a number in {parameter.minimum}..{parameter.maximum}, "
            f"got the text {value!r}."
        ) from error
    return parameter.to_0to1(number)


def from_host_value(parameter: NumericalParameter, host_value: float | Tensor) -> float | str:
    """One value from 0..1 to the parameter's own unit, or to the label chosen.

    Raises:
        ParameterError: Outside 0..1.
    """
    number = as_number(host_value)
    if number is None or not 0.0 <= number <= 1.0:
        raise ParameterError(f"Parameter {parameter.name!r}: a host value lies in 0..1, got {host_value}.")
    value = parameter.minimum + number * (parameter.maximum - parameter.minimum)
    return parameter.labels[math.floor(value + 0.5)] if isinstance(parameter, CategoricalParameter) else value


def by_name(values: Any) -> dict[str, Any]:
    """What somebody gives as parameters' values; None for none.

    Raises:
        ParameterError: It is no mapping of names.
    """
    if values is not None and not isinstance(values, Mapping):
        raise ParameterError(f"Expected parameters by name, such as {{'drive': 24.0}}, got {values!r:.200}.")
    return dict(values or {})


def check_names(parameters: Sequence[Parameter], names: Mapping[str, object]) -> None:
    """Refuse names that no parameter has.

    Raises:
        ParameterError: The message has the names there are.
    """
    names = by_name(names)
    known = [parameter.name for parameter in parameters]
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(str(name), known, n=1)
            meant = f" Did you mean {close[0]!r}?" if close else ""
            there = f"it has {known}" if known else "it has none"
            raise ParameterError(f"The model has no parameter {name!r}; {there}.{meant}")


def _index_or_label(parameter: CategoricalParameter, value: float | str) -> float | str:
    """A label, or the index that a text may stand for ("2" on a command line); labels come first."""
    if isinstance(value, str) and value not in parameter.labels and value.strip().isdecimal():
        return int(value)
    return value
