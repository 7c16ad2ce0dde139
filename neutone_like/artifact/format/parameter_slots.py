"""Parameters of other makers' artifacts, as far as the format's slots tell."""

from pathlib import Path

from neutone_like.artifact.format.metadata_base import ParameterSlot
from neutone_like.artifact.format.schema import Metadata
from neutone_like.errors import ArtifactError, ParameterError
from neutone_like.model import CategoricalParameter, ContinuousParameter, Parameter, TextParameter, TokensParameter


def parameters_of_slots(metadata: Metadata, path: Path) -> tuple[Parameter, ...]:
    """The parameters that are used, in the order of their slots.

    Raises:
        ArtifactError: One contradicts itself.
    """
    slots = sorted(metadata.neutone_parameters.items())
    return tuple(_parameter_of(slot, path) for _, slot in slots if slot.used)


def _parameter_of(slot: ParameterSlot, path: Path) -> Parameter:
    """As another maker describes it: hosts send knobs as 0..1, and show them over the range that is told."""
    default = slot.default_value
    try:
        if slot.type == "text" and isinstance(default, str):
            return TextParameter(slot.name, slot.description, default, _limit(slot.max_n_chars))
        if slot.type == "tokens" and isinstance(default, tuple):
            return TokensParameter(slot.name, slot.description, default, _limit(slot.max_n_tokens))
        if slot.type == "categorical" and slot.labels and not isinstance(default, tuple):
            return CategoricalParameter(slot.name, slot.description, slot.labels, int(default))
        if slot.type in ("continuous", "categorical") and isinstance(default, (int, float)):
            lowest = 0.0 if slot.min_value is None else slot.min_value
            highest = 1.0 if slot.max_value is None else slot.max_value
            return ContinuousParameter(slot.name, slot.description, float(default), lowest, highest)
    except (ParameterError, ValueError) as error:
        raise ArtifactError(f"{path}: the parameter {slot.name!r} in its metadata can't be: {error}") from error
    raise ArtifactError(
        f"{path}: the parameter {slot.name!r} is of type {slot.type!r} with the default {default!r:.80}, which do not "
        "fit together."
    )


def _limit(told: int | None) -> int:
    return -1 if told is None else told
