"""Who made a model and what it is: the part of an artifact's metadata that its author writes."""

import difflib
import reprlib
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AnySet
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from neutone_like.arguments import as_bool, is_iterable
from neutone_like.errors import ModelError
from neutone_like.numbers import as_number
from neutone_like.printing import InNotebooks, Row, few_lines, shown

ShortTag = Annotated[str, Field(min_length=1, max_length=15)]
MAXIMUM_VERSION_CHARACTERS = 80
MAXIMUM_NAME_CHARACTERS = 200
"""Of an author, a parameter, a label, the title of a link."""
MAXIMUM_LINK_CHARACTERS = 1000
AuthorName = Annotated[str, Field(max_length=MAXIMUM_NAME_CHARACTERS)]
LinkTitle = Annotated[str, Field(max_length=MAXIMUM_NAME_CHARACTERS)]
LinkAddress = Annotated[str, Field(max_length=MAXIMUM_LINK_CHARACTERS)]


def _as_number(value: Any) -> Any:
    number = as_number(value)
    return value if number is None else number


def _as_flag(value: Any) -> Any:
    flag = as_bool(value)
    return value if flag is None else flag


def _as_tuple(value: Any) -> Any:
    """Lists and what else has an order; a set's would be another one in the next process."""
    return tuple(value) if is_iterable(value) and not isinstance(value, (AnySet, Mapping)) else value


def _as_dictionary(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


_NUMBER, _FLAG = BeforeValidator(_as_number), BeforeValidator(_as_flag)
_TUPLE, _DICTIONARY = BeforeValidator(_as_tuple), BeforeValidator(_as_dictionary)
GainDb = Annotated[float, Field(ge=-30.0, le=30.0, allow_inf_nan=False), _NUMBER]
Mix = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False), _NUMBER]

_MOST_PROBLEMS = 20
_MOST_CHARACTERS = 80
_BRIEF = reprlib.Repr()


def describe_validation_error(error: ValidationError) -> str:
    """One line a problem: which field, what value came, what is allowed."""
    return _describe(error, lambda problem, shown: f"{problem['msg']}; got {shown}")


def _describe(error: ValidationError, words: Callable[[Any, str], str]) -> str:
    problems = error.errors(include_url=False)
    lines: list[str] = []
    for problem in problems[:_MOST_PROBLEMS]:
        field = ".".join(str(part) for part in problem["loc"])[: 2 * _MOST_CHARACTERS] or "(whole)"
        shown_field = field if field.isprintable() else repr(field)
        lines.append(f"{shown_field}: {words(problem, _shown(problem.get('input')))}")
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


def _in_our_words(problem: Any, shown: str) -> str:
    """What an author did, what is expected, and for the commonest slips what to write."""
    limits = problem.get("ctx", {})
    match problem["type"]:
        case "missing":
            return "is required, and missing"
        case "extra_forbidden":
            near = difflib.get_close_matches(str(problem["loc"][-1]), ModelMetadata.model_fields, n=1)
            return f"there is no such field{f', did you mean {near[0]}?' if near else ''}; got {shown}"
        case "tuple_type" if isinstance(problem["input"], str):
            return f"expected a tuple of strings; got {shown}. A single one needs a comma: ({shown},)"
        case "string_too_long" | "too_long":
            return f"expected at most {limits['max_length']} {_counted(problem)}; got {shown}"
        case "string_too_short" | "too_short":
            return f"expected at least {limits['min_length']} {_counted(problem)}; got {shown}"
        case "greater_than_equal":
            return f"expected a number greater than or equal to {limits['ge']:g}; got {shown}"
        case "less_than_equal":
            return f"expected a number less than or equal to {limits['le']:g}; got {shown}"
        case kind:
            return f"expected {_KINDS.get(kind.partition('_')[0], problem['msg'])}; got {shown}"


def _counted(problem: Any) -> str:
    return "characters" if problem["type"].startswith("string") else "entries"


_KINDS = {
    "string": "a string",
    "tuple": "a tuple of strings, such as ('Ada', 'Grace')",
    "dict": "a dictionary of strings, such as {'paper': 'https://...'}",
    "bool": "True or False",
    "float": "a number",
    "finite": "a finite number",
    "json": "JSON, as json.dumps writes it",
    "model": "the fields by name, such as {'name': 'Drive', 'authors': ['Ada'], 'version': '1.0.0'}",
}


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        raise ModelError(f"ModelMetadata does not fit:\n{_describe(error, _in_our_words)}") from error


class ModelMetadata(InNotebooks, BaseModel):
    """What an author says about a model. All limits are those of the ``.nm`` format.

    Types are exact: ``"1"`` is no number and ``b"Ada"`` no name. NumPy's numbers are numbers, and lists do for tuples.

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

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=30)]
    authors: Annotated[tuple[AuthorName, ...], Field(min_length=1, max_length=5), _TUPLE]
    version: Annotated[str, Field(min_length=1, max_length=MAXIMUM_VERSION_CHARACTERS)]
    short_description: Annotated[str, Field(max_length=150)] = ""
    long_description: Annotated[str, Field(max_length=500)] = ""
    technical_description: Annotated[str, Field(max_length=500)] = ""
    technical_links: Annotated[dict[LinkTitle, LinkAddress], Field(max_length=3), _DICTIONARY] = Field(
        default_factory=dict
    )
    tags: Annotated[tuple[ShortTag, ...], Field(max_length=7), _TUPLE] = ()
    citation: Annotated[str, Field(max_length=150)] = ""
    is_experimental: Annotated[bool, _FLAG] = False
    wet_default: Mix = 1.0
    dry_default: Mix = 0.0
    input_gain_default_db: GainDb = 0.0
    output_gain_default_db: GainDb = 0.0

    if not TYPE_CHECKING:  # what type checkers and editors make of the fields above knows more

        def __init__(self, **fields: Any) -> None:
            with _in_words():
                super().__init__(**fields)

        @classmethod
        def model_validate(cls, *arguments: Any, **named: Any) -> Any:
            with _in_words():
                return super().model_validate(*arguments, **named)

        @classmethod
        def model_validate_json(cls, *arguments: Any, **named: Any) -> Any:
            with _in_words():
                return super().model_validate_json(*arguments, **named)

        def __setattr__(self, name: str, value: Any) -> None:
            raise ModelError(
                f"ModelMetadata can't be changed: {name} stays as it was. Make another one, and set it on the model."
            )

        def __delattr__(self, name: str) -> None:
            self.__setattr__(name, None)

    def _rows(self) -> list[Row]:
        return [(name, shown(value)) for name, value in self]

    def __repr__(self) -> str:
        said = f": {self.short_description}" if self.short_description else ""
        return few_lines(f"ModelMetadata({self.name!r} {self.version} by {', '.join(self.authors)}{said})", ())

    __str__ = __repr__
