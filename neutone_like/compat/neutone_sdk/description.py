"""What a wrapper's getters say, as metadata of this package."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from neutone_like.errors import ModelError
from neutone_like.model import ModelMetadata, Parameter
from neutone_like.model.format_room import beyond_format

if TYPE_CHECKING:
    from neutone_like.compat.neutone_sdk.core import NeutoneModel

GETTERS = {
    "name": "get_model_name",
    "authors": "get_model_authors",
    "version": "get_model_version",
    "short_description": "get_model_short_description",
    "long_description": "get_model_long_description",
    "technical_description": "get_technical_description",
    "technical_links": "get_technical_links",
    "tags": "get_tags",
    "citation": "get_citation",
    "is_experimental": "is_experimental",
    "wet_default": "get_wet_default_value",
    "dry_default": "get_dry_default_value",
}
GAIN_GETTERS = {
    "input_gain_default_db": "get_input_gain_default_value",
    "output_gain_default_db": "get_output_gain_default_value",
}


def describe(wrapper: "NeutoneModel") -> ModelMetadata:
    """Ask every getter.

    Raises:
        ModelError: An answer does not fit into a ``.nm``; every such getter is named, with its limit.
    """
    fields: dict[str, Any] = {field: getattr(wrapper, getter)() for field, getter in GETTERS.items()}
    for field, getter in GAIN_GETTERS.items():
        fields[field] = (getattr(wrapper, getter)() - 0.5) * 60.0  # 0..1 is -30..30 dB
    try:
        return ModelMetadata(**fields)
    except ModelError as error:
        problems = [_with_getter(line) for line in str(error).splitlines()[1:]]
        raise ModelError(
            f"{type(wrapper).__name__} says more about itself than a .nm has room for:\n" + "\n".join(problems)
        ) from error


def require_room(
    wrapper: "NeutoneModel", parameters: Sequence[Parameter], in_channels: Sequence[int], out_channels: Sequence[int]
) -> None:
    """Refuse a wrapper that the Neutone SDK could not save either.

    Raises:
        ModelError: It has more parameters or channels than a ``.nm`` has room for.
    """
    if beyond := beyond_format([parameter.kind for parameter in parameters], in_channels, out_channels):
        raise ModelError(
            f"{type(wrapper).__name__} has {'; '.join(beyond)}. Leave out the rest, or subclass the base classes of "
            "neutone_like instead, whose own hosts have no such limits."
        )


def _with_getter(problem: str) -> str:
    """A line such as ``tags.0: ...`` with the getter that it is about."""
    field = problem.split(":")[0].split(".")[0]
    getter = {**GETTERS, **GAIN_GETTERS}.get(field)
    return problem if getter is None else f"{getter}(): {problem}"
