"""Reading ``metadata.json`` of either kind, and its published schemas."""

import re
from typing import Any

from pydantic import ValidationError

from neutone_like.arguments import as_flag
from neutone_like.artifact.format.live_schema import ForeignLiveMetadata
from neutone_like.artifact.format.live_schema import LiveMetadata as LiveMetadata
from neutone_like.artifact.format.metadata_base import PLAYABLE_SCHEMA_VERSIONS as PLAYABLE_SCHEMA_VERSIONS
from neutone_like.artifact.format.metadata_base import SCHEMA_VERSION as SCHEMA_VERSION
from neutone_like.artifact.format.metadata_base import ArtifactMetadata as ArtifactMetadata
from neutone_like.artifact.format.metadata_base import ParameterSlot as ParameterSlot
from neutone_like.artifact.format.offline_schema import ForeignOfflineMetadata
from neutone_like.artifact.format.offline_schema import OfflineMetadata as OfflineMetadata
from neutone_like.artifact.format.parameter_records import to_parameter
from neutone_like.artifact.format.strict_json import parse_strict_json
from neutone_like.errors import ArtifactError
from neutone_like.model.metadata import describe_validation_error

Metadata = LiveMetadata | OfflineMetadata
NonRealtimeMetadata = OfflineMetadata  # its name in 0.1

_VERSION = re.compile(r"[0-9A-Za-z.+_-]{1,40}")


def parse_metadata(text: bytes | str, where: str) -> Metadata:
    """Read ``metadata.json``.

    Args:
        text: Its content, UTF-8.
        where: What to call it in messages.

    Raises:
        ArtifactError: Not JSON; made for a newer schema; or fields are missing or not allowed, each of them named.
    """
    content = _parse_object(text, where)
    # Only an offline model has lists of inputs and outputs, and only a live one says whether it is mono.
    is_realtime = "is_input_mono" in content or "audio_out_channels" not in content
    if content.get("neutone_like") is None:
        return _validate(ForeignLiveMetadata if is_realtime else ForeignOfflineMetadata, text, where)
    section: object = content["neutone_like"]
    _check_version(section if isinstance(section, dict) else {}, where)
    metadata = _validate(LiveMetadata if is_realtime else OfflineMetadata, text, where)
    for record in metadata.neutone_like.parameters if metadata.neutone_like is not None else ():
        to_parameter(record, where)
    return metadata


def _parse_object(text: bytes | str, where: str) -> dict[str, Any]:
    """The content as it stands, before any check."""
    try:
        content = parse_strict_json(text)
    except RecursionError as error:
        raise ArtifactError(f"{where} is not JSON for metadata: nested too deeply. Export the model again.") from error
    except ValueError as error:
        raise ArtifactError(f"{where} is not JSON: {error}. Export the model again.") from error
    if not isinstance(content, dict):
        raise ArtifactError(f"{where} must hold a JSON object, got a {type(content).__name__}. Export the model again.")
    return content


def _check_version(section: dict[str, Any], where: str) -> None:
    version = section.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        maker = section.get("neutone_like_version")
        raise ArtifactError(
            f"{where} was made for schema version {version!s:.20}, by neutone_like "
            f"{maker if isinstance(maker, str) and _VERSION.fullmatch(maker) else '(unknown version)'}. This version "
            f"reads up to schema version {SCHEMA_VERSION}: install a newer one with "
            "pip install --upgrade neutone-like."
        )


def _validate(schema: type[Metadata], text: bytes | str, where: str) -> Metadata:
    try:
        return schema.model_validate_json(text)
    except ValidationError as error:
        raise ArtifactError(
            f"{where} does not fit schema version {SCHEMA_VERSION}:\n{describe_validation_error(error)}\n"
            "Export the model again, or correct these fields where the file was made."
        ) from error


def json_schema(*, realtime: bool = True) -> dict[str, Any]:
    """The JSON schema of ``metadata.json``, to publish and to check files with in other languages.

    Args:
        realtime: Of a live model; else of one that is not.

    Raises:
        ArtifactError: ``realtime`` is neither true nor false.
    """
    realtime = as_flag(realtime, "realtime", ArtifactError)
    schema = (LiveMetadata if realtime else OfflineMetadata).model_json_schema(by_alias=True)
    kind = "a live" if realtime else "an offline"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": f"metadata.json of {kind} .nm artifact, schema version {SCHEMA_VERSION}",
    }
