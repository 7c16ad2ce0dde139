"""Read what an artifact says about itself. Nothing in it is run, and no torch is needed."""

import os
from os import PathLike
from pathlib import Path

from neutone_like.arguments import as_path
from neutone_like.artifact.format.archive import MODEL_NAME, read_metadata_text
from neutone_like.artifact.format.schema import Metadata, parse_metadata
from neutone_like.errors import ArtifactError


def read_metadata(path: str | PathLike[str]) -> Metadata:
    """Read an artifact's metadata. No code in it is run or even unpacked.

    Args:
        path: A ``.nm`` file, or a folder with ``model.nm`` in it.

    Raises:
        ArtifactError: What is wrong with the file, where, and what to do.
    """
    file = resolve(path)
    return parse_metadata(read_metadata_text(file), f"metadata.json in {file}")


def resolve(path: str | PathLike[str]) -> Path:
    """The ``.nm`` file that a path means.

    Raises:
        ArtifactError: A folder without one, or no path at all.
    """
    file = as_path(path, "a .nm file", ArtifactError)
    if not os.path.isdir(file):
        return file
    if not os.path.isfile(file / MODEL_NAME):
        raise ArtifactError(f"{file} is a folder without {MODEL_NAME}. Give the folder that export_model made.")
    return file / MODEL_NAME
