"""``metadata.json``: what every ``.nm`` says about itself, and what is allowed there."""

import json
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from neutone_like.artifact.archive import MAXIMUM_MEMBERS
from neutone_like.artifact.parameter_records import ParameterRecord, to_parameter
from neutone_like.artifact.strict_json import parse_strict_json
from neutone_like.artifact.test_vector_record import TestVectorRecord
from neutone_like.errors import ArtifactError
from neutone_like.model.declaration import MAXIMUM_BLOCK_SIZE, MAXIMUM_CHANNELS, MAXIMUM_SAMPLE_RATE
from neutone_like.model.metadata import describe_validation_error

SCHEMA_VERSION = 1
"""Raised by one when a reader of the old version could misunderstand the new one; keys may be added without."""
PLAYABLE_SCHEMA_VERSIONS = range(1, SCHEMA_VERSION + 1)
"""What this version promises to play. Versions are added here, and none is ever taken away."""
MAXIMUM_DELAY_SAMPLES = 1 << 31
MAXIMUM_CHOICES = 1024
"""Rates, block sizes, labels: more than anybody lists, and few enough to complain about each."""

LATEST_DATE_UNIX_SECONDS = 253_402_300_799
"""The end of the year 9999, where dates of most languages end."""

_VERSION = re.compile(r"[0-9A-Za-z.+_-]{1,40}")

UnitInterval = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
SampleRate = Annotated[int, Field(ge=1, le=MAXIMUM_SAMPLE_RATE)]
BlockSize = Annotated[int, Field(ge=1, le=MAXIMUM_BLOCK_SIZE)]
Delay = Annotated[int, Field(ge=0, le=MAXIMUM_DELAY_SAMPLES)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Tag = Annotated[str, Field(min_length=1, max_length=15)]
SlotName = Annotated[str, Field(pattern=r"^p[1-9]$")]


class _Record(BaseModel):
    """Types are exact (no "1" for 1), values are never changed, and keys that are not known are kept."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow", populate_by_name=True, allow_inf_nan=False)


class SoundPair(_Record):
    """A sound before and after the model, each an MP3 file in base64."""

    in_: Annotated[str, Field(alias="in")]
    out: str


class ParameterSlot(_Record):
    """One of the knobs that the format has, as its hosts see it."""

    name: str
    description: str
    default_value: float | str | tuple[int, ...]
    used: bool
    type: Literal["continuous", "categorical", "text", "tokens"]
    min_value: float | None = None
    max_value: float | None = None
    n_values: Annotated[int, Field(ge=2)] | None = None
    labels: Annotated[tuple[str, ...], Field(max_length=MAXIMUM_CHOICES)] | None = None
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


class ReportedLatency(_Record):
    """What a host running at the model's own rate is told to compensate."""

    sample_rate: SampleRate
    block_size: BlockSize
    latency_samples: Delay


class NeutoneLikeSection(_Record):
    """Everything the format has no place for.

    ``members_sha256`` tells that nobody changed the archive after export: the SHA-256 of each of its members but
    ``metadata.json``, by name inside. Artifacts of earlier versions do not have it.
    """

    schema_version: Annotated[int, Field(ge=PLAYABLE_SCHEMA_VERSIONS[0], le=PLAYABLE_SCHEMA_VERSIONS[-1])]
    neutone_like_version: str
    torch_version: str
    created_by: str
    quality: Literal["high", "fast"]
    in_channels: Annotated[int, Field(ge=1, le=MAXIMUM_CHANNELS)]
    out_channels: Annotated[int, Field(ge=1, le=MAXIMUM_CHANNELS)]
    parameters: Annotated[tuple[ParameterRecord, ...], Field(max_length=MAXIMUM_CHOICES)]
    model_delay_samples: Delay
    reported_latency: ReportedLatency
    test_vector: TestVectorRecord
    members_sha256: Annotated[dict[str, Digest], Field(max_length=MAXIMUM_MEMBERS)] | None = None


class ArtifactMetadata(_Record):
    """``metadata.json`` of a live model. Attribute names are the JSON keys.

    ``neutone_like`` is ``None`` in artifacts of other makers, such as the Neutone SDK.
    """

    model_name: Annotated[str, Field(min_length=1, max_length=30)]
    model_authors: Annotated[tuple[str, ...], Field(max_length=5)]
    model_version: str
    model_short_description: Annotated[str, Field(max_length=150)]
    model_long_description: Annotated[str, Field(max_length=500)]
    technical_description: Annotated[str, Field(max_length=500)]
    technical_links: Annotated[dict[str, str], Field(max_length=3)]
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
    sdk_version: str
    pytorch_version: str
    date_created: Annotated[int | float, Field(ge=0, le=LATEST_DATE_UNIX_SECONDS)]
    is_input_mono: bool
    is_output_mono: bool
    model_type: Literal["mono-mono", "mono-stereo", "stereo-mono", "stereo-stereo"]
    look_behind_samples: Annotated[int, Field(ge=0, le=MAXIMUM_BLOCK_SIZE)]
    neutone_like: NeutoneLikeSection | None = None

    @model_validator(mode="after")
    def _check_channels(self) -> "ArtifactMetadata":
        mono = (self.is_input_mono, self.is_output_mono)
        expected = "-".join("mono" if is_mono else "stereo" for is_mono in mono)
        if self.model_type != expected:
            raise ValueError(f"model_type is {self.model_type!r}, is_input_mono and is_output_mono say {expected!r}")
        ours = self.neutone_like
        if ours is not None and (ours.in_channels == 1, ours.out_channels == 1) != mono:
            raise ValueError(f"model_type is {expected!r}, neutone_like says {ours.in_channels} to {ours.out_channels}")
        return self

    def to_json(self) -> str:
        """The text of ``metadata.json``."""
        return json.dumps(self.model_dump(mode="json", by_alias=True, exclude_unset=True), indent=1)


class ForeignMetadata(ArtifactMetadata):
    """``metadata.json`` of another maker: the Neutone SDK's own check lets longer citations and tags pass."""

    citation: Annotated[str, Field(max_length=300)]
    tags: tuple[str, ...]


def parse_metadata(text: bytes | str, where: str) -> ArtifactMetadata:
    """Read ``metadata.json``.

    Args:
        text: Its content, UTF-8.
        where: What to call it in messages.

    Raises:
        ArtifactError: Not JSON; made for a newer schema; or fields are missing or not allowed, each of them named.
    """
    section = _peek_section(text, where)
    if section is None:
        return _validate(ForeignMetadata, text, where)
    version = section.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        maker = section.get("neutone_like_version")
        raise ArtifactError(
            f"{where} was made for schema version {version!s:.20}, by neutone_like "
            f"{maker if isinstance(maker, str) and _VERSION.fullmatch(maker) else '(unknown version)'}. This version "
            f"reads up to schema version {SCHEMA_VERSION}: install a newer one with "
            "pip install --upgrade neutone-like."
        )
    metadata = _validate(ArtifactMetadata, text, where)
    if metadata.neutone_like is not None:
        for record in metadata.neutone_like.parameters:
            to_parameter(record, where)
    return metadata


def _peek_section(text: bytes | str, where: str) -> dict[str, Any] | None:
    """Our section as it stands, before any check."""
    try:
        content = parse_strict_json(text)
    except RecursionError as error:
        raise ArtifactError(f"{where} is not JSON for metadata: nested too deeply. Export the model again.") from error
    except ValueError as error:
        raise ArtifactError(f"{where} is not JSON: {error}. Export the model again.") from error
    if not isinstance(content, dict):
        raise ArtifactError(f"{where} must hold a JSON object, got a {type(content).__name__}. Export the model again.")
    section: object = content.get("neutone_like")
    return section if isinstance(section, dict) else {} if section is not None else None


def _validate(schema: type[ArtifactMetadata], text: bytes | str, where: str) -> ArtifactMetadata:
    try:
        return schema.model_validate_json(text)
    except ValidationError as error:
        raise ArtifactError(
            f"{where} does not fit schema version {SCHEMA_VERSION}:\n{describe_validation_error(error)}\n"
            "Export the model again, or correct these fields where the file was made."
        ) from error


def json_schema() -> dict[str, Any]:
    """The JSON schema of ``metadata.json``, to publish and to check files with in other languages."""
    schema = ArtifactMetadata.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": f"metadata.json of a live .nm artifact, schema version {SCHEMA_VERSION}",
    }
