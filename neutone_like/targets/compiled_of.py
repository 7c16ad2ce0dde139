"""The compiled model of an artifact: the one beside it, or one made now."""

from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from neutone_like.artifact.format.archive import COMPILED_NAME
from neutone_like.artifact.reading.metadata_reading import resolve
from neutone_like.runtime.compiled_model import CompiledModel, load_compiled


def compiled_of(
    path: str | PathLike[str], sample_rate: int | None = None, allow_operators: Iterable[str] = ()
) -> tuple[CompiledModel, Path]:
    """The compiled model of a ``.nlc``, a ``.nm``, or the folder of both; and that folder.

    Args:
        path: The artifact. A ``.nm`` is compiled where no ``.nlc`` lies beside it, which is then not written.
        sample_rate: In Hz: compile for this rate, whatever lies there.
        allow_operators: As of :func:`neutone_like.load_artifact`, for a ``.nm`` that is compiled.

    Raises:
        CompileError: It can't be compiled.
        ArtifactError: The file is damaged, or belongs to another ``.nm``.
    """
    file = resolve(path)
    compiled = file if file.suffix == ".nlc" else file.with_name(COMPILED_NAME)
    if sample_rate is None and compiled.exists():
        return load_compiled(file), file.parent
    from neutone_like.artifact import load_artifact
    from neutone_like.runtime.compiling import compile_artifact

    artifact = load_artifact(file, allow_operators=allow_operators)
    return compile_artifact(artifact, sample_rate=sample_rate), file.parent
