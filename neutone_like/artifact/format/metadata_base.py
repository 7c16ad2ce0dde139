"""What ``metadata.json`` says of every model, live or not, and what is allowed there."""

import json
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from neutone_like.artifact.format.archive import MAXIMUM_MEMBERS
from neutone_like.artifact.format.parameter_records import (
    MAXIMUM_DESCRIPTION_CHARACTERS,
    MAXIMUM_PARAMETERS,
    ParameterRecord,
)
from neutone_like.model.declaration import MAXIMUM_BLOCK_SIZE, MAXIMUM_CHANNELS, MAXIMUM_SAMPLE_RATE
from neutone_like.model.frozen_record import FrozenRecord
from neutone_like.model.metadata import (
    MAXIMUM_NAME_CHARACTERS,
    MAXIMUM_VERSION_CHARACTERS,
    AuthorName,
    LinkAddress,
    LinkTitle,
)
from neutone_like.printing import InNotebooks, Row, few_lines, shown

SCHEMA_VERSION = 1
"""Raised by one when a reader of the old version could misunderstand the new one; keys may be added without."""
PLAYABLE_SCHEMA_VERSIONS = range(1, SCHEMA_VERSION + 1)
"""What this version promises to play. Versions are added here, and none is ever taken away."""
MAXIMUM_DELAY_SAMPLES = 1 << 31
MAXIMUM_CHOICES = 1024
"""Rates, block sizes, labels: more than anybody lists, and few enough to complain about each."""
LATEST_DATE_UNIX_SECONDS = 253_402_300_799
"""The end of the year 9999, where dates of most languages end."""

UnitInterval = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
SampleRate = Annotated[int, Field(ge=1, le=MAXIMUM_SAMPLE_RATE)]
BlockSize = Annotated[int, Field(ge=1, le=MAXIMUM_BLOCK_SIZE)]
LookBehind = Annotated[int, Field(ge=0, le=MAXIMUM_BLOCK_SIZE)]
ChannelCount = Annotated[int, Field(ge=1, le=MAXIMUM_CHANNELS)]
Delay = Annotated[int, Field(ge=0, le=MAXIMUM_DELAY_SAMPLES)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Tag = Annotated[str, Field(min_length=1, max_length=15)]
ShortText = Annotated[str, Field(max_length=MAXIMUM_NAME_CHARACTERS)]
LongText = Annotated[str, Field(max_length=MAXIMUM_DESCRIPTION_CHARACTERS)]
VersionText = Annotated[str, Field(max_length=MAXIMUM_VERSION_CHARACTERS)]
SlotName = Annotated[str, Field(pattern=r"^p[1-9]$")]


MOST_RECORD_CHARACTERS = 300


def _listed(values: tuple[int, ...], unit: str = "") -> tuple[str, ...]:
    return tuple(f"{value}{unit}" for value in values) or ("any",)


class Record(InNotebooks, FrozenRecord):
    """Types are exact (no "1" for 1), values are never changed, and keys that are not known are kept."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow", populate_by_name=True, allow_inf_nan=False)

    def __repr__(self) -> str:
        return shown(super().__repr__(), MOST_RECORD_CHARACTERS)

    __str__ = __repr__

    def _rows(self) -> list[Row]:
        return [(name, shown(value)) for name, value in self]


class SoundPair(Record):
    """A sound before and after the model, each an MP3 file in base64."""

    in_: Annotated[str, Field(alias="in")]
    out: str


class ParameterSlot(Record):
    """One of the parameters that the format has, as its hosts see it."""

    name: ShortText
    description: LongText
    default_value: float | str | tuple[int, ...]
    used: bool
    type: Literal["continuous", "categorical", "text", "tokens"]
    min_value: float | None = None
    max_value: float | None = None
    n_values: Annotated[int, Field(ge=2)] | None = None
    labels: Annotated[tuple[ShortText, ...], Field(max_length=MAXIMUM_CHOICES)] | None = None
    max_n_chars: Annotated[int, Field(ge=-1)] | None = None
    max_n_tokens: Annotated[int, Field(ge=-1)] | None = None

    @model_validator(mode="after")
    def _check_range(self) -> "ParameterSlot":
        if self.min_value is not None and self.max_value is not None and self.min_value >= self.max_value:
            raise ValueError(f"min_value must be below max_value, got {self.min_value} and {self.max_value}")
        if self.n_values is not None and self.labels is not None and self.n_values != len(self.labels):
            raise ValueError(f"n_values must be the number of labels, got {self.n_values} and {len(self.labels)}")
        index = self.default_value
        if self.labels and isinstance(index, (int, float)) and not 0 <= index < len(self.labels):
            raise ValueError(f"default_value must be the index of one of the {len(self.labels)} labels, got {index}")
        return self


class OurSection(Record):
    """Everything the format has no place for.

    ``members_sha256`` tells that nobody changed the archive after export: the SHA-256 of each of its members but
    ``metadata.json``, by name inside. Artifacts of earlier versions do not have it.

    ``hosts`` is there where the model has more knobs, texts or channels than the format has room for: then it says
    ``"neutone_like"``, because the model is for hosts made with this package. All parameters are in ``parameters``, in
    the order of a host's rows; ``neutone_parameters`` holds those that the format has room for.
    """

    schema_version: Annotated[int, Field(ge=PLAYABLE_SCHEMA_VERSIONS[0], le=PLAYABLE_SCHEMA_VERSIONS[-1])]
    neutone_like_version: VersionText
    torch_version: VersionText
    created_by: ShortText
    quality: Literal["high", "fast"]
    parameters: Annotated[tuple[ParameterRecord, ...], Field(max_length=MAXIMUM_PARAMETERS)]
    model_delay_samples: Delay
    hosts: Literal["neutone_like"] | None = None
    members_sha256: Annotated[dict[str, Digest], Field(max_length=MAXIMUM_MEMBERS)] | None = None


def require_right_hosts(section: OurSection, beyond: tuple[str, ...]) -> None:
    """Whether ``hosts`` says what parameters and channels say.

    Raises:
        ValueError: It is missing, or there without a reason.
    """
    if (section.hosts is not None) != bool(beyond):
        has = "; ".join(beyond) or "no more than the format has room for"
        raise ValueError(f"neutone_like.hosts is {section.hosts!r}, the model has {has}")


class ArtifactMetadata(Record):
    """What ``metadata.json`` says of a model of either kind. Attribute names are the JSON keys."""

    model_name: Annotated[str, Field(min_length=1, max_length=30)]
    model_authors: Annotated[tuple[AuthorName, ...], Field(max_length=5)]
    model_version: VersionText
    model_short_description: Annotated[str, Field(max_length=150)]
    model_long_description: Annotated[str, Field(max_length=500)]
    technical_description: Annotated[str, Field(max_length=500)]
    technical_links: Annotated[dict[LinkTitle, LinkAddress], Field(max_length=3)]
    tags: Annotated[tuple[Tag, ...], Field(max_length=7)]
    citation: Annotated[str, Field(max_length=150)]
    is_experimental: bool
    sample_sound_files: Annotated[tuple[SoundPair, ...], Field(max_length=3)]
    neutone_parameters: Annotated[dict[SlotName, ParameterSlot], Field(max_length=9)]
    wet_default_value: UnitInterval
    dry_default_value: UnitInterval
    input_gain_default_value: UnitInterval
    output_gain_default_value: UnitInterval
    native_sample_rates: Annotated[tuple[SampleRate, ...], Field(max_length=MAXIMUM_CHOICES)]
    native_buffer_sizes: Annotated[tuple[BlockSize, ...], Field(max_length=MAXIMUM_CHOICES)]
    sdk_version: VersionText
    pytorch_version: VersionText
    date_created: Annotated[int | float, Field(ge=0, le=LATEST_DATE_UNIX_SECONDS)]

    def __repr__(self) -> str:
        return few_lines(self._title(), self._rows())

    __str__ = __repr__

    def _title(self) -> str:
        return f"{type(self).__name__} of {self.model_name!r} {self.model_version}"

    def _rows(self) -> list[Row]:
        names = [each.name for each in self.neutone_parameters.values() if each.used]
        return [
            ("by", *self.model_authors),
            (self.model_short_description or "(not described)",),
            ("parameters", *(names or ["none"])),
            ("sample rates", *_listed(self.native_sample_rates, " Hz")),
            ("block sizes", *_listed(self.native_buffer_sizes)),
        ]

    def _html_rows(self) -> list[Row]:
        return [(name, shown(value)) for name, value in self]

    def beyond_format(self) -> tuple[str, ...]:
        """What the model has that the format has no room for, in words; ``()`` where any of its hosts can play it."""
        return ()

    def to_json(self) -> str:
        """The text of ``metadata.json``."""
        return json.dumps(self.model_dump(mode="json", by_alias=True, exclude_unset=True), indent=1)
