"""The Neutone SDK's parameter classes, and what they are as parameters of this package."""

from enum import Enum
from typing import Any

from torch import Tensor

from neutone_like.compat.neutone_sdk import constants
from neutone_like.errors import ParameterError
from neutone_like.model import (
    CategoricalParameter,
    ContinuousParameter,
    NumericalParameter,
    Parameter,
    TextParameter,
    TokensParameter,
)
from neutone_like.model.parameters import Rate
from neutone_like.numbers import as_finite_number, as_whole_number, real_number


class NeutoneParameterType(Enum):
    CONTINUOUS = "continuous"
    CATEGORICAL = "categorical"
    TEXT = "text"
    TOKENS = "tokens"


class NeutoneParameter:
    """A knob from 0 to 1, as versions before 1.5 had it, and the base of the other kinds.

    ``used`` is kept, and changes nothing: every parameter that a wrapper returns can be turned.

    Raises:
        ParameterError: The default is not in 0..1.
    """

    def __init__(
        self,
        name: str,
        description: str,
        default_value: Any = 0.0,
        used: bool = True,
        param_type: NeutoneParameterType = NeutoneParameterType.CONTINUOUS,
    ) -> None:
        self.name = name
        self.description = description
        self.default_value = default_value
        self.used = used
        self.type = param_type
        if type(self) is NeutoneParameter and param_type is NeutoneParameterType.CONTINUOUS:
            self.default_value_0to1 = _require_range(name, default_value, 0.0, 1.0)

    def to_metadata(self) -> dict[str, Any]:
        """The parameter as the Neutone SDK writes it down."""
        return {
            "name": self.name,
            "description": self.description,
            "default_value": self.default_value,
            "used": self.used,
            "type": self.type.value,
        }


class ContinuousNeutoneParameter(NeutoneParameter):
    """A knob. A live model receives it from 0 to 1, whatever ``min_value`` and ``max_value`` say.

    They only place the default: a ``default_value`` half-way between them is a knob at 0.5. For values in a unit,
    return a :class:`neutone_like.ContinuousParameter` from ``get_neutone_parameters`` instead.

    Raises:
        ParameterError: The range is empty, or the default lies outside.
    """

    def __init__(
        self,
        name: str,
        description: str,
        default_value: float,
        min_value: float = 0.0,
        max_value: float = 1.0,
        used: bool = True,
    ) -> None:
        super().__init__(name, description, default_value, used, NeutoneParameterType.CONTINUOUS)
        lowest, highest = as_finite_number(min_value), as_finite_number(max_value)
        if lowest is None or highest is None or lowest >= highest:
            raise ParameterError(
                f"Parameter {name!r}: min_value must be below max_value, got {min_value} and {max_value}."
            )
        self.default_value = _require_range(name, default_value, lowest, highest)
        self.min_value = lowest
        self.max_value = highest
        self.default_value_0to1 = (self.default_value - lowest) / (highest - lowest)

    def to_metadata(self) -> dict[str, Any]:
        return {**super().to_metadata(), "min_value": self.min_value, "max_value": self.max_value}


class CategoricalNeutoneParameter(NeutoneParameter):
    """A choice. A live model receives the index of the chosen label (the Neutone SDK has none in live models).

    Raises:
        ParameterError: Too few or many values, labels that do not fit, or a default that is none of them.
    """

    def __init__(
        self,
        name: str,
        description: str,
        n_values: int,
        default_value: int,
        labels: list[str] | None = None,
        used: bool = True,
    ) -> None:
        super().__init__(name, description, default_value, used, NeutoneParameterType.CATEGORICAL)
        count = as_whole_number(n_values)
        if count is None or not 2 <= count <= constants.MAX_N_CATEGORICAL_VALUES:
            raise ParameterError(
                f"Parameter {name!r}: n_values must lie in 2..{constants.MAX_N_CATEGORICAL_VALUES}, got {n_values}."
            )
        self.n_values = count
        self.labels = [str(index) for index in range(count)] if labels is None else list(labels)
        if len(self.labels) != count:
            raise ParameterError(f"Parameter {name!r}: expected n_values={count} labels, got {self.labels}.")
        if long := [text for text in self.labels if len(text) >= constants.MAX_N_CATEGORICAL_LABEL_CHARS]:
            raise ParameterError(
                f"Parameter {name!r}: labels must be shorter than {constants.MAX_N_CATEGORICAL_LABEL_CHARS} "
                f"characters, got {long}."
            )
        self.default_value = int(_require_range(name, default_value, 0, count - 1))
        self.default_value_0to1 = self.default_value / (count - 1)

    def to_metadata(self) -> dict[str, Any]:
        return {**super().to_metadata(), "n_values": self.n_values, "labels": self.labels}


class TextNeutoneParameter(NeutoneParameter):
    """A text, for offline models; a live model that has one is refused."""

    def __init__(
        self, name: str, description: str, max_n_chars: int = -1, default_value: str = "", used: bool = True
    ) -> None:
        super().__init__(name, description, default_value, used, NeutoneParameterType.TEXT)
        self.max_n_chars = max_n_chars

    def to_metadata(self) -> dict[str, Any]:
        return {**super().to_metadata(), "max_n_chars": self.max_n_chars}


class DiscreteTokensNeutoneParameter(NeutoneParameter):
    """A list of tokens, for offline models; a live model that has one is refused."""

    def __init__(
        self,
        name: str,
        description: str,
        max_n_tokens: int = -1,
        default_value: list[int] | None = None,
        used: bool = True,
    ) -> None:
        super().__init__(name, description, default_value or [], used, NeutoneParameterType.TOKENS)
        self.max_n_tokens = max_n_tokens

    def to_metadata(self) -> dict[str, Any]:
        return {**super().to_metadata(), "max_n_tokens": self.max_n_tokens}


AnyParameter = NeutoneParameter | Parameter


def is_knob_0to1(parameter: AnyParameter) -> bool:
    """Whether the model receives it from 0 to 1, through ``aggregate_params``."""
    return isinstance(parameter, NeutoneParameter) and parameter.type is NeutoneParameterType.CONTINUOUS


def to_live_parameter(parameter: AnyParameter, rate: Rate) -> Any:
    """The parameter as this package declares it. Its own classes, and what a live model can't have, stay as they are.

    Knobs are not smoothed: the Neutone SDK hands on what the host sends.
    """
    if isinstance(parameter, CategoricalNeutoneParameter):
        labels = tuple(parameter.labels)
        return CategoricalParameter(parameter.name, parameter.description, labels, parameter.default_value)
    if isinstance(parameter, NeutoneParameter) and is_knob_0to1(parameter):
        return ContinuousParameter(
            parameter.name,
            parameter.description,
            default=parameter.default_value_0to1,
            rate=rate,
            smoothing_seconds=0.0,
        )
    return parameter


def to_non_realtime_parameter(parameter: AnyParameter) -> Parameter:
    """The parameter as an offline model of this package declares it: there, ranges count.

    Knobs have a value for each sample, which ``aggregate_numerical_params_0to1`` is given, and are not smoothed.
    """
    if isinstance(parameter, TextNeutoneParameter):
        return TextParameter(parameter.name, parameter.description, parameter.default_value, parameter.max_n_chars)
    if isinstance(parameter, DiscreteTokensNeutoneParameter):
        tokens = tuple(parameter.default_value)
        return TokensParameter(parameter.name, parameter.description, tokens, parameter.max_n_tokens)
    if isinstance(parameter, ContinuousNeutoneParameter):
        return ContinuousParameter(
            parameter.name,
            parameter.description,
            default=parameter.default_value,
            minimum=parameter.min_value,
            maximum=parameter.max_value,
            rate="sample",
            smoothing_seconds=0.0,
        )
    return to_live_parameter(parameter, "sample")


def default_0to1(parameter: AnyParameter) -> float:
    """Where the knob stands before anyone turns it; 0 for what is no knob."""
    return getattr(parameter, "default_value_0to1" if isinstance(parameter, NeutoneParameter) else "default_0to1", 0.0)


def value_for_model(parameter: AnyParameter, knob: Tensor) -> Tensor:
    """What ``do_forward_pass`` receives for a knob's position from 0 to 1."""
    if is_knob_0to1(parameter):
        return knob
    live: NumericalParameter = to_live_parameter(parameter, "block")
    value = live.minimum + knob * (live.maximum - live.minimum)
    return value.round() if isinstance(live, CategoricalParameter) else value


def _require_range(name: str, value: float, lowest: float, highest: float) -> float:
    return real_number(value, f"Parameter {name!r}: default_value", lowest, highest, error=ParameterError)
