"""What a live model's attributes say, checked field by field."""

from dataclasses import dataclass
from typing import Any

from neutone_like.errors import ModelError
from neutone_like.model.metadata import ModelMetadata
from neutone_like.model.parameters import CategoricalParameter, ContinuousParameter, NumericalParameter
from neutone_like.numbers import as_whole_number
from neutone_like.printing import Printed

MINIMUM_SAMPLE_RATE = 1000
MAXIMUM_SAMPLE_RATE = 384_000
MAXIMUM_BLOCK_SIZE = 1 << 20
MAXIMUM_CHANNELS = 64


@dataclass(frozen=True, repr=False)
class Declaration(Printed):
    """A live model's attributes after the check. Rates in Hz, sizes in samples; empty tuples mean any."""

    metadata: ModelMetadata
    parameters: tuple[NumericalParameter, ...]
    in_channels: int
    out_channels: int
    sample_rates: tuple[int, ...]
    block_sizes: tuple[int, ...]
    look_behind_samples: int


def check_declaration(model: Any) -> Declaration:
    """Read the attributes of a ``WaveformToWaveformBase``.

    Raises:
        ModelError: Names every field that is wrong, its value, and what is allowed.
    """
    problems: list[str] = []
    metadata = check_metadata(model, problems)
    declaration = Declaration(
        metadata=metadata,
        parameters=_parameters(model.parameters, problems),
        in_channels=check_integer("in_channels", model.in_channels, 1, MAXIMUM_CHANNELS, problems),
        out_channels=check_integer("out_channels", model.out_channels, 1, MAXIMUM_CHANNELS, problems),
        sample_rates=check_integers(
            "sample_rates", model.sample_rates, MINIMUM_SAMPLE_RATE, MAXIMUM_SAMPLE_RATE, problems
        ),
        block_sizes=check_integers("block_sizes", model.block_sizes, 1, MAXIMUM_BLOCK_SIZE, problems),
        look_behind_samples=check_integer(
            "look_behind_samples", model.look_behind_samples, 0, MAXIMUM_BLOCK_SIZE, problems
        ),
    )
    if problems:
        raise ModelError(f"{type(model).__name__} is not declared correctly:\n" + "\n".join(problems))
    return declaration


def _parameters(value: Any, problems: list[str]) -> tuple[NumericalParameter, ...]:
    seen: set[str] = set()
    for parameter in value:
        if not isinstance(parameter, (ContinuousParameter, CategoricalParameter)):
            problems.append(
                "parameters: a live model takes ContinuousParameter and CategoricalParameter, "
                f"got {type(parameter).__name__} {getattr(parameter, 'name', '')!r}"
            )
        elif parameter.name in seen:
            problems.append(f"parameters: the name {parameter.name!r} is used twice; every name must be unique")
        else:
            seen.add(parameter.name)
    return tuple(value)


def check_metadata(model: Any, problems: list[str]) -> ModelMetadata:
    """The attribute ``metadata``; what is wrong with it goes to ``problems``."""
    metadata = model.metadata
    if not isinstance(metadata, ModelMetadata):
        problems.append(
            f"metadata: expected a ModelMetadata, got {metadata!r}. Write: "
            f'metadata = ModelMetadata(name="{type(model).__name__[:30]}", authors=("You",), version="1.0.0")'
        )
    return metadata


def check_integer(field: str, value: Any, lowest: int, highest: int, problems: list[str]) -> int:
    """One attribute; what is wrong with it goes to ``problems``."""
    number = as_whole_number(value)
    if number is None or not lowest <= number <= highest:
        problems.append(f"{field}: expected an integer in {lowest}..{highest}, got {value!r}")
        return lowest
    return number


def check_integers(field: str, value: Any, lowest: int, highest: int, problems: list[str]) -> tuple[int, ...]:
    """An attribute that lists different integers; empty means any."""
    if not isinstance(value, (tuple, list)):
        problems.append(f"{field}: expected a tuple of integers (empty for any), got {value!r}")
        return ()
    before = len(problems)
    numbers = tuple(check_integer(field, entry, lowest, highest, problems) for entry in value)
    if len(problems) == before and len(set(numbers)) != len(numbers):
        problems.append(f"{field}: every value must be unique, got {value!r}")
    return numbers
