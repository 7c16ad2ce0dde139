"""Parameters as metadata writes them down in full: there and back."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from neutone_like.errors import ArtifactError, ParameterError
from neutone_like.model import CategoricalParameter, ContinuousParameter, Parameter, TextParameter, TokensParameter
from neutone_like.model.metadata import MAXIMUM_NAME_CHARACTERS

MAXIMUM_DESCRIPTION_CHARACTERS = 2000
MAXIMUM_PARAMETERS = 1024
"""More than anybody turns, and few enough to complain about each."""

Finite = Annotated[float, Field(allow_inf_nan=False)]


class _ParameterRecord(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="allow")

    name: Annotated[str, Field(min_length=1, max_length=MAXIMUM_NAME_CHARACTERS)]
    description: Annotated[str, Field(max_length=MAXIMUM_DESCRIPTION_CHARACTERS)] = ""


class ContinuousRecord(_ParameterRecord):
    """A knob: range and default in the parameter's own unit."""

    type: Literal["continuous"]
    default: Finite
    minimum: Finite
    maximum: Finite
    unit: Annotated[str, Field(max_length=MAXIMUM_NAME_CHARACTERS)]
    rate: Literal["block", "sample"]
    smoothing_seconds: Annotated[float, Field(ge=0.0, le=1.0)]


class CategoricalRecord(_ParameterRecord):
    """A choice: labels in the order of their indices; the default is an index."""

    type: Literal["categorical"]
    labels: Annotated[tuple[Annotated[str, Field(max_length=MAXIMUM_NAME_CHARACTERS)], ...], Field(min_length=2)]
    default: Annotated[int, Field(ge=0)]


class TextRecord(_ParameterRecord):
    """A text of up to ``max_characters``; -1 means no limit."""

    type: Literal["text"]
    default: str
    max_characters: int


class TokensRecord(_ParameterRecord):
    """A list of up to ``max_tokens`` token numbers; -1 means no limit."""

    type: Literal["tokens"]
    default: tuple[int, ...]
    max_tokens: int


ParameterRecord = Annotated[
    ContinuousRecord | CategoricalRecord | TextRecord | TokensRecord, Field(discriminator="type")
]


def to_parameter(record: ParameterRecord, where: str = "metadata.json") -> Parameter:
    """The parameter that was declared. ``where`` is what messages call its metadata.

    Raises:
        ArtifactError: The record contradicts itself, such as a default out of its range.
    """
    kinds: dict[str, type[Parameter]] = {
        "continuous": ContinuousParameter,
        "categorical": CategoricalParameter,
        "text": TextParameter,
        "tokens": TokensParameter,
    }
    fields = {name: getattr(record, name) for name in type(record).model_fields if name != "type"}
    try:
        return kinds[record.type](**fields)
    except ParameterError as error:
        raise ArtifactError(f"A parameter in {where} can't be: {error} Export the model again.") from error
