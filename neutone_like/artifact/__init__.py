"""What is written and read: scripting, the ``.nm`` file, its metadata."""

from typing import TYPE_CHECKING

from neutone_like.lazy import export_lazily

if TYPE_CHECKING:
    from neutone_like.artifact.format.format_limits import Model as Model
    from neutone_like.artifact.format.format_limits import check_format as check_format
    from neutone_like.artifact.format.schema import SCHEMA_VERSION as SCHEMA_VERSION
    from neutone_like.artifact.format.schema import ArtifactMetadata as ArtifactMetadata
    from neutone_like.artifact.format.schema import LiveMetadata as LiveMetadata
    from neutone_like.artifact.format.schema import Metadata as Metadata
    from neutone_like.artifact.format.schema import NonRealtimeMetadata as NonRealtimeMetadata
    from neutone_like.artifact.format.schema import OfflineMetadata as OfflineMetadata
    from neutone_like.artifact.format.schema import json_schema as json_schema
    from neutone_like.artifact.reading.loader import Artifact as Artifact
    from neutone_like.artifact.reading.loader import load_artifact as load_artifact
    from neutone_like.artifact.reading.metadata_reading import read_metadata as read_metadata
    from neutone_like.artifact.writing.staging import staged_directory as staged_directory
    from neutone_like.artifact.writing.writer import WrittenArtifact as WrittenArtifact
    from neutone_like.artifact.writing.writer import write_artifact as write_artifact
    from neutone_like.artifact.writing.writer import write_files as write_files
    from neutone_like.model.parameter_values import from_host_values as from_host_values
    from neutone_like.model.parameter_values import to_host_values as to_host_values

export_lazily(
    globals(),
    {
        "neutone_like.artifact.format.format_limits": ("Model", "check_format"),
        "neutone_like.artifact.format.schema": (
            "SCHEMA_VERSION",
            "ArtifactMetadata",
            "LiveMetadata",
            "Metadata",
            "OfflineMetadata",
            "NonRealtimeMetadata",
            "json_schema",
        ),
        "neutone_like.artifact.reading.loader": ("Artifact", "load_artifact"),
        "neutone_like.artifact.reading.metadata_reading": ("read_metadata",),
        "neutone_like.artifact.writing.staging": ("staged_directory",),
        "neutone_like.artifact.writing.writer": ("WrittenArtifact", "write_artifact", "write_files"),
        "neutone_like.model.parameter_values": ("from_host_values", "to_host_values"),
    },
)
