"""The four kinds of parameter a model can declare, each in its own unit and range."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from neutone_like.arguments import is_iterable, is_one_of
from neutone_like.errors import ParameterError
from neutone_like.numbers import as_finite_number, as_number, as_whole_number
from neutone_like.printing import InNotebooks

Rate = Literal["block", "sample"]
_MOST_CHARACTERS = 80


def _require_name(kind: str, name: str, description: str) -> None:
    if not isinstance(name, str) or not name.strip():
        raise ParameterError(f"{kind}: name must be a non-empty string, got {name!r}.")
    if not isinstance(description, str):
        raise ParameterError(f"{kind} {name!r}: description must be a string, got {description!r}.")


def _finite(parameter: str, field: str, value: float) -> float:
    number = as_finite_number(value)
    if number is None:
        raise ParameterError(f"{parameter}: {field} must be a finite number, got {shortened(value)}.")
    return number


def shortened(value: object) -> str:
    """A value in a message, however long its text."""
    text = repr(value)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 3]}..."


@dataclass(frozen=True)
class ContinuousParameter(InNotebooks):
    """A knob. The model receives it in ``unit``, between ``minimum`` and ``maximum``.

    Args:
        name: Key in the ``params`` dictionary of ``do_forward_pass``; unique in the model.
        description: What the knob does, for the person turning it.
        default: Value before anyone touches the knob, in ``unit``.
        minimum, maximum: Ends of the range, in ``unit``.
        unit: Shown beside the value, such as ``"dB"`` or ``"Hz"``.
        rate: ``"block"`` gives one value a model block, of shape ``(1,)``: the value at the block's first sample.
            ``"sample"`` gives one value a sample, of shape ``(N,)``.
        smoothing_seconds: A jump becomes a linear ramp of this length; 0 turns smoothing off.

    Raises:
        ParameterError: A field has the wrong type or is out of range.
    """

    name: str
    description: str = ""
    default: float = 0.0
    minimum: float = 0.0
    maximum: float = 1.0
    unit: str = ""
    rate: Rate = "block"
    smoothing_seconds: float = 0.02

    kind: ClassVar[str] = "continuous"

    def __post_init__(self) -> None:
        _require_name("ContinuousParameter", self.name, self.description)
        label = f"ContinuousParameter {self.name!r}"
        if not isinstance(self.unit, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ParameterError(f"{label}: unit must be a string, got {self.unit!r:.200}.")
        for field in ("default", "minimum", "maximum", "smoothing_seconds"):
            object.__setattr__(self, field, _finite(label, field, getattr(self, field)))
        if self.minimum >= self.maximum:
            raise ParameterError(
                f"{label}: minimum must be below maximum, got minimum={self.minimum} and maximum={self.maximum}."
            )
        if not self.minimum <= self.default <= self.maximum:
            raise ParameterError(
                f"{label}: default must lie in {self.minimum}..{self.maximum} {self.unit}".rstrip()
                + f", got {self.default}."
            )
        if not is_one_of(self.rate, ("block", "sample")):
            raise ParameterError(f"{label}: rate must be 'block' or 'sample', got {self.rate!r}.")
        if not 0.0 <= self.smoothing_seconds <= 1.0:
            raise ParameterError(f"{label}: smoothing_seconds must lie in 0..1, got {self.smoothing_seconds}.")

    @property
    def default_0to1(self) -> float:
        """The default as a host sees it, between 0 and 1."""
        return self.to_0to1(self.default)

    def to_0to1(self, value: float) -> float:
        """Map a value in ``unit`` to the host's 0..1.

        Raises:
            ParameterError: ``value`` is not a number in ``minimum..maximum``.
        """
        number = _finite(f"Parameter {self.name!r}", "value", value)
        if not self.minimum <= number <= self.maximum:
            raise ParameterError(
                f"Parameter {self.name!r}: allowed is {self.minimum}..{self.maximum} {self.unit}".rstrip()
                + f", got {value}."
            )
        return (number - self.minimum) / (self.maximum - self.minimum)


@dataclass(frozen=True)
class CategoricalParameter(InNotebooks):
    """A choice. The model receives the index of the chosen label, as a tensor of shape ``(1,)``; it is never smoothed.

    Args:
        name: Key in the ``params`` dictionary of ``do_forward_pass``; unique in the model.
        description: What the choice does.
        labels: At least two different names, in the order of their indices.
        default: Index, or label, of the choice before anyone makes one.

    Raises:
        ParameterError: A field has the wrong type or is out of range.
    """

    name: str
    description: str = ""
    labels: tuple[str, ...] = ()
    default: int | str = 0

    kind: ClassVar[str] = "categorical"
    unit: ClassVar[str] = ""
    rate: ClassVar[Rate] = "block"
    smoothing_seconds: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        _require_name("CategoricalParameter", self.name, self.description)
        label = f"CategoricalParameter {self.name!r}"
        if not is_iterable(self.labels):
            raise ParameterError(f"{label}: labels must be two or more non-empty strings, got {self.labels!r:.200}.")
        object.__setattr__(self, "labels", tuple(self.labels))
        if len(self.labels) < 2 or not all(isinstance(text, str) and text for text in self.labels):
            raise ParameterError(f"{label}: labels must be two or more non-empty strings, got {self.labels!r}.")
        if len(set(self.labels)) != len(self.labels):
            raise ParameterError(f"{label}: labels must differ from one another, got {self.labels!r}.")
        object.__setattr__(self, "default", self.index_of(self.default))

    @property
    def minimum(self) -> float:
        return 0.0

    @property
    def maximum(self) -> float:
        return float(len(self.labels) - 1)

    @property
    def default_0to1(self) -> float:
        """The default as a host sees it, between 0 and 1."""
        return self.to_0to1(self.default)

    def index_of(self, value: float | str) -> int:
        """The index of a label, or the index itself once checked.

        Raises:
            ParameterError: Neither one of the labels nor one of their indices.
        """
        if isinstance(value, str) and value in self.labels:
            return self.labels.index(value)
        number = as_number(value)
        if number is not None and number in range(len(self.labels)):
            return int(number)
        raise ParameterError(
            f"Parameter {self.name!r}: allowed is one of {list(self.labels)} or an index in "
            f"0..{len(self.labels) - 1}, got {shortened(value)}."
        )

    def to_0to1(self, value: float | str) -> float:
        """Map a label or an index to the host's 0..1.

        Raises:
            ParameterError: Neither one of the labels nor one of their indices.
        """
        return self.index_of(value) / self.maximum


@dataclass(frozen=True)
class TextParameter(InNotebooks):
    """A text, for offline models.

    Args:
        name, description: As for the other kinds.
        default: Text before anyone writes one.
        max_characters: Longest text allowed; -1 means no limit.

    Raises:
        ParameterError: A field has the wrong type, or the default is over the limit.
    """

    name: str
    description: str = ""
    default: str = ""
    max_characters: int = -1

    kind: ClassVar[str] = "text"

    def __post_init__(self) -> None:
        _require_name("TextParameter", self.name, self.description)
        limit = _limit(f"TextParameter {self.name!r}", "max_characters", self.max_characters)
        object.__setattr__(self, "max_characters", limit)
        if not isinstance(self.default, str):
            raise ParameterError(f"TextParameter {self.name!r}: default must be a string, got {self.default!r}.")
        if 0 <= self.max_characters < len(self.default):
            raise ParameterError(
                f"TextParameter {self.name!r}: default may have {self.max_characters} characters, "
                f"got {len(self.default)}."
            )


@dataclass(frozen=True)
class TokensParameter(InNotebooks):
    """A list of token numbers, for offline models.

    Args:
        name, description: As for the other kinds.
        default: Tokens before anyone sends some.
        max_tokens: Longest list allowed; -1 means no limit.

    Raises:
        ParameterError: A field has the wrong type, or the default is over the limit.
    """

    name: str
    description: str = ""
    default: tuple[int, ...] = ()
    max_tokens: int = -1

    kind: ClassVar[str] = "tokens"

    def __post_init__(self) -> None:
        _require_name("TokensParameter", self.name, self.description)
        limit = _limit(f"TokensParameter {self.name!r}", "max_tokens", self.max_tokens)
        object.__setattr__(self, "max_tokens", limit)
        tokens = as_tokens(self.default)
        if tokens is None:
            raise ParameterError(f"TokensParameter {self.name!r}: default must hold integers, got {self.default!r}.")
        object.__setattr__(self, "default", tokens)
        require_64_bits(f"TokensParameter {self.name!r}: default", self.default)
        if 0 <= self.max_tokens < len(self.default):
            raise ParameterError(
                f"TokensParameter {self.name!r}: default may have {self.max_tokens} tokens, got {len(self.default)}."
            )


def require_64_bits(label: str, tokens: Sequence[int]) -> None:
    """Check that a model can be handed these tokens.

    Raises:
        ParameterError: One is too large, or too small.
    """
    for place, token in enumerate(tokens):
        if not -(1 << 63) <= token < 1 << 63:
            raise ParameterError(
                f"{label}: a token is a whole number of 64 bits, from -2^63 to 2^63 - 1, got {token!s:.40} at place "
                f"{place}."
            )


def as_tokens(values: object) -> tuple[int, ...] | None:
    """Token numbers from a sequence, an array or a tensor of one dimension; None where one is no whole number."""
    if not isinstance(values, Iterable) or not is_iterable(values):
        return None
    numbers = [as_whole_number(value) for value in values]
    return None if None in numbers else tuple(number for number in numbers if number is not None)


def _limit(parameter: str, field: str, value: int) -> int:
    number = as_whole_number(value)
    if number is None or number == 0 or number < -1:
        raise ParameterError(f"{parameter}: {field} must be -1 (no limit) or at least 1, got {value!r}.")
    return number


NumericalParameter = ContinuousParameter | CategoricalParameter
Parameter = ContinuousParameter | CategoricalParameter | TextParameter | TokensParameter


def summary(parameter: Parameter) -> str:
    """A parameter in a line: ``drive: 0..36 dB, default 12``."""
    if isinstance(parameter, ContinuousParameter):
        unit = f" {parameter.unit}" if parameter.unit else ""
        return f"{parameter.name}: {parameter.minimum:g}..{parameter.maximum:g}{unit}, default {parameter.default:g}"
    if isinstance(parameter, CategoricalParameter):
        labels = ", ".join(parameter.labels[:8]) + (", ..." if len(parameter.labels) > 8 else "")
        return f"{parameter.name}: {labels}; default {parameter.labels[int(parameter.default)]}"
    return f"{parameter.name}: {parameter.kind}, default {parameter.default!r:.40}"
