"""Who made a model and what it is: the part of an artifact's metadata that its author writes."""

import reprlib
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from neutone_like.errors import ModelError

ShortTag = Annotated[str, Field(min_length=1, max_length=15)]
MAXIMUM_VERSION_CHARACTERS = 80
MAXIMUM_NAME_CHARACTERS = 200
"""Of an author, a parameter, a label, the title of a link."""
MAXIMUM_LINK_CHARACTERS = 1000
AuthorName = Annotated[str, Field(max_length=MAXIMUM_NAME_CHARACTERS)]
LinkTitle = Annotated[str, Field(max_length=MAXIMUM_NAME_CHARACTERS)]
LinkAddress = Annotated[str, Field(max_length=MAXIMUM_LINK_CHARACTERS)]
GainDb = Annotated[float, Field(ge=-30.0, le=30.0, allow_inf_nan=False)]
Mix = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]


_MOST_PROBLEMS = 20
_MOST_CHARACTERS = 80
_BRIEF = reprlib.Repr()


def describe_validation_error(error: ValidationError) -> str:
    """One line a problem: which field, what value came, what is allowed."""
    problems = error.errors(include_url=False, include_context=False)
    lines: list[str] = []
    for problem in problems[:_MOST_PROBLEMS]:
        field = ".".join(str(part) for part in problem["loc"])[: 2 * _MOST_CHARACTERS] or "(whole)"
        shown_field = field if field.isprintable() else repr(field)
        lines.append(f"{shown_field}: {problem['msg']}; got {_shown(problem.get('input'))}")
    if len(problems) > _MOST_PROBLEMS:
        lines.append(f"... and {len(problems) - _MOST_PROBLEMS} more")
    return "\n".join(lines)


def _shown(value: object) -> str:
    """A value that may be long, without ever writing it out whole."""
    length = len(value) if isinstance(value, (str, bytes, list, tuple, dict)) else 0
    shown = repr(value[:_MOST_CHARACTERS]) if isinstance(value, (str, bytes)) else _BRIEF.repr(value)
    if len(shown) <= _MOST_CHARACTERS and length <= _MOST_CHARACTERS:
        return shown
    return f"{shown[: _MOST_CHARACTERS - 3]}... ({length or '?'} long)"


class ModelMetadata(BaseModel):
    """What an author says about a model. All limits are those of the ``.nm`` format.

    Args:
        name: Up to 30 characters.
        authors: One to five names, of up to 200 characters each.
        version: Up to 80 characters, semantic versioning suggested.
        short_description: Up to 150 characters.
        long_description, technical_description: Up to 500 characters each.
        technical_links: Up to three, from a title of up to 200 characters to an address of up to 1000.
        tags: Up to seven, of up to 15 characters each.
        citation: Up to 150 characters.
        is_experimental: Hosts may warn about it.
        wet_default, dry_default: Where a host's mix knobs start, 0..1.
        input_gain_default_db, output_gain_default_db: Where a host's gain knobs start, -30..30 dB.

    Raises:
        ModelError: A field is missing, unknown or over its limit; every such field is named.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=30)]
    authors: Annotated[tuple[AuthorName, ...], Field(min_length=1, max_length=5)]
    version: Annotated[str, Field(min_length=1, max_length=MAXIMUM_VERSION_CHARACTERS)]
    short_description: Annotated[str, Field(max_length=150)] = ""
    long_description: Annotated[str, Field(max_length=500)] = ""
    technical_description: Annotated[str, Field(max_length=500)] = ""
    technical_links: Annotated[dict[LinkTitle, LinkAddress], Field(max_length=3)] = Field(default_factory=dict)
    tags: Annotated[tuple[ShortTag, ...], Field(max_length=7)] = ()
    citation: Annotated[str, Field(max_length=150)] = ""
    is_experimental: bool = False
    wet_default: Mix = 1.0
    dry_default: Mix = 0.0
    input_gain_default_db: GainDb = 0.0
    output_gain_default_db: GainDb = 0.0

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise ModelError(f"ModelMetadata does not fit:\n{describe_validation_error(error)}") from error
