"""The compiled model beside a ``.nm``: what it is called, and how it says which file it belongs to."""

import json
from pathlib import Path

from neutone_like.artifact.format.bounded_file import open_bounded
from neutone_like.artifact.format.packing import COPY_BYTES, digest_of
from neutone_like.errors import ArtifactError

COMPILED_SUFFIX = ".nlc"
MODEL_DIGEST = "model_sha256"
"""In our own section of a compiled model's metadata: the SHA-256 of the ``.nm``, in hexadecimal digits."""
_SECTION = "neutone_like"


def compiled_beside(model: Path) -> Path:
    """Where the compiled form of a ``.nm`` is: ``model.nlc`` beside ``model.nm``."""
    return model.with_suffix(COMPILED_SUFFIX)


def compiled_metadata(metadata_json: str, model: Path) -> str:
    """The metadata for the compiled form: that of the ``.nm``, and the digest of it.

    Raises:
        ArtifactError: The metadata has no section of ours, or the ``.nm`` can't be read.
    """
    metadata = json.loads(metadata_json)
    if not isinstance(metadata.get(_SECTION), dict):
        raise ArtifactError(f"{model} was not made by neutone_like: only its own wrapper knows how to call the model.")
    metadata[_SECTION][MODEL_DIGEST] = digest_of_model(model)
    return json.dumps(metadata, ensure_ascii=False)


def require_same_model(metadata_json: bytes, compiled: Path, model: Path) -> None:
    """Whether a compiled model is that of this ``.nm``, as it is now.

    Args:
        metadata_json: Of the compiled model.
        compiled: Its path.
        model: The ``.nm``.

    Raises:
        ArtifactError: It belongs to another one, or does not say.
    """
    said, found = _said_digest(metadata_json, compiled), digest_of_model(model)
    if said != found:
        raise ArtifactError(
            f"{compiled} was compiled from another file than {model}: from one with the SHA-256 {said}, and this one "
            f"has {found}. Compile it again: neutone-like compile {model}."
        )


def digest_of_model(model: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits.

    Raises:
        ArtifactError: It can't be read.
    """
    try:
        with open_bounded(model, COPY_BYTES) as reader:
            return digest_of(reader)
    except OSError as error:
        raise ArtifactError(f"{model} can't be read: {error.strerror or error}.") from error


def _said_digest(metadata_json: bytes, compiled: Path) -> str:
    try:
        said = json.loads(metadata_json)[_SECTION][MODEL_DIGEST]
    except (ValueError, KeyError, TypeError, RecursionError):
        said = None
    if not isinstance(said, str):
        raise ArtifactError(f"{compiled} does not say which .nm it was compiled from. Compile the model again.")
    return said[:128]
