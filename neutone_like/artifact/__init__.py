"""What is written and read: scripting, the ``.nm`` file, its metadata."""

from neutone_like.artifact.format_limits import Model as Model
from neutone_like.artifact.format_limits import check_format as check_format
from neutone_like.artifact.loader import Artifact as Artifact
from neutone_like.artifact.loader import load_artifact as load_artifact
from neutone_like.artifact.loader import read_metadata as read_metadata
from neutone_like.artifact.parameter_values import from_host_values as from_host_values
from neutone_like.artifact.parameter_values import to_host_values as to_host_values
from neutone_like.artifact.schema import SCHEMA_VERSION as SCHEMA_VERSION
from neutone_like.artifact.schema import ArtifactMetadata as ArtifactMetadata
from neutone_like.artifact.schema import LiveMetadata as LiveMetadata
from neutone_like.artifact.schema import Metadata as Metadata
from neutone_like.artifact.schema import NonRealtimeMetadata as NonRealtimeMetadata
from neutone_like.artifact.schema import json_schema as json_schema
from neutone_like.artifact.staging import staged_directory as staged_directory
from neutone_like.artifact.writer import WrittenArtifact as WrittenArtifact
from neutone_like.artifact.writer import write_artifact as write_artifact
from neutone_like.artifact.writer import write_files as write_files
