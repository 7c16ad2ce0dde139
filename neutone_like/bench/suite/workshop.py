"""The networks as files, made when they are first asked for."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from neutone_like.artifact import load_artifact
from neutone_like.bench.suite.cells import Cell, EngineName
from neutone_like.bench.suite.networks import Shape, build
from neutone_like.errors import NeutoneLikeError
from neutone_like.export import export_model
from neutone_like.formats import write_formats

_FORMAT_OF: dict[EngineName, str] = {"onnxruntime": "onnx", "litert": "litert"}
_FILE_OF: dict[EngineName, str] = {"onnxruntime": "model.onnx", "litert": "model.tflite"}


class NotThere(Exception):
    """A network can't be played by an engine; says why."""


@dataclass(frozen=True)
class _Key:
    shape: Shape
    rate: int
    block: int


class Workshop:
    """Artifacts in a folder, one for each network, rate and block; files of other engines once they are asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._refused: dict[tuple[_Key, EngineName], str] = {}

    def artifact(self, cell: Cell) -> Path:
        """The ``model.nm`` of a cell, with the file of its engine beside it.

        Raises:
            NotThere: Its engine has no file of it.
        """
        key = _Key(cell.shape, cell.model_rate, cell.model_block)
        path = self._folder / f"{key.shape}-{key.rate}-{key.block}" / "model.nm"
        model = build(key.shape, key.rate, key.block)
        if not path.exists():
            made = export_model(model, path.parent, validate=False, render_samples=False, report=False)
            if made.not_compiled:
                self._refused[key, "compiled"] = made.not_compiled
        if (key, cell.engine) not in self._refused and cell.engine in _FORMAT_OF:
            self._write(key, cell.engine, path)
        if reason := self._refused.get((key, cell.engine)):
            raise NotThere(reason)
        return path

    def _write(self, key: _Key, engine: EngineName, path: Path) -> None:
        if path.with_name(_FILE_OF[engine]).exists():
            return
        model = build(key.shape, key.rate, key.block)
        try:
            write_formats(load_artifact(path), (_FORMAT_OF[engine],), path.parent, model=model)
        except NeutoneLikeError as error:
            self._refused[key, engine] = str(error)

    def alone(self, cell: Cell) -> Path:
        """A file that its engine alone plays: what is opened without saying who shall.

        Raises:
            NotThere: As :meth:`artifact`.
        """
        path = self.artifact(cell)
        if cell.engine in _FILE_OF:
            return path.with_name(_FILE_OF[cell.engine])
        copy = path.parent / cell.engine / path.name
        if not copy.exists():
            copy.parent.mkdir()
            shutil.copy(path, copy)
            if cell.engine == "compiled":
                shutil.copy(path.with_suffix(".nlc"), copy.parent)
        return copy
