"""Whatever a user gives as a live model, as an artifact that is written, compiled where that works, and played."""

from collections.abc import Collection
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import Any

from neutone_like.artifact import Artifact, load_artifact, write_artifact
from neutone_like.errors import CompileError, ModelError
from neutone_like.importers import load_nam
from neutone_like.model import WaveformToWaveformBase
from neutone_like.runtime.compiling import compile_model

LiveModel = WaveformToWaveformBase | Artifact | str | PathLike[str]


def opened(model: LiveModel, what: str, allow_operators: Collection[str] = ()) -> WaveformToWaveformBase | Artifact:
    """A live model, or the artifact of one; of a ``.nam`` file the model in it.

    Raises:
        ModelError: Neither, or an offline model.
        ModelFileError, ArtifactError: The file is no usable one.
    """
    found: Any = model
    if isinstance(model, (str, PathLike)):
        found = (
            load_nam(model)
            if Path(model).suffix.lower() == ".nam"
            else load_artifact(model, allow_operators=allow_operators)
        )
    if isinstance(found, Artifact):
        if not found.is_realtime:
            raise ModelError(f"{what}: expected a live model, got {found.path}, which holds an offline one.")
        return found
    if isinstance(found, WaveformToWaveformBase):
        return found
    raise ModelError(
        f"{what}: expected a live model, an artifact, or the path of a .nm or .nam file, got {type(found).__name__}."
    )


def written(model: WaveformToWaveformBase | Artifact, folder: Path, allow_operators: Collection[str] = ()) -> Artifact:
    """The artifact of a model, with its compiled form beside it where it has one.

    An artifact that was there before is taken as it is where its compiled form lies beside it.

    Raises:
        ModelError, ExportError: The model can't be exported.
    """
    if isinstance(model, Artifact):
        return model
    placed = write_artifact(model, folder, render_samples=False, allow_operators=allow_operators)
    with suppress(CompileError):  # TorchScript plays it then, which `PlayedCost.backend` says
        compile_model(load_artifact(placed.model_path, allow_operators=allow_operators))
    return load_artifact(placed.model_path, allow_operators=allow_operators)
