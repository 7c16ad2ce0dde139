"""The networks as files, made when they are first asked for."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from neutone_like.artifact import load_artifact
from neutone_like.bench.suite.cells import Cell, EngineName
from neutone_like.bench.suite.litert_files import LitertFiles, NotConverted
from neutone_like.bench.suite.networks import Example, Shape, build
from neutone_like.errors import NeutoneLikeError
from neutone_like.export import export_model
from neutone_like.formats import write_formats
from neutone_like.render.offline_plugin import OfflinePlugin

FILE_OF: dict[EngineName, str] = {"onnxruntime": "model.onnx", "litert": "model.tflite"}


class NotThere(Exception):
    """A network can't be played by an engine; says why."""


@dataclass(frozen=True)
class _Key:
    shape: Shape
    rate: int
    block: int


class Workshop:
    """Artifacts in a folder, one for each network, rate and block; files of other engines once they are asked for.

    Args:
        folder: For them.
        examples: The folder of artifacts that others exported; None where there are none.
        litert: What converts.

    Attributes:
        folder: See there.
    """

    def __init__(self, folder: Path, examples: Path | None = None, litert: LitertFiles | None = None) -> None:
        self.folder = folder
        self._examples = examples
        self._litert = litert or LitertFiles()
        self._refused: dict[tuple[_Key, EngineName], str] = {}
        self._plugins: dict[Path, OfflinePlugin] = {}
        self._notes: dict[Path, dict[str, str]] = {}

    def artifact(self, cell: Cell) -> Path:
        """The ``model.nm`` of a cell, with the file of its engine beside it.

        Raises:
            NotThere: Its engine has no file of it.
        """
        if isinstance(cell.shape, Example):
            return self._example(cell.shape)
        key = _Key(cell.shape, cell.model_rate or 48000, cell.model_block)
        path = self.folder / f"{key.shape}-{key.rate}-{key.block}" / "model.nm"
        if not path.exists():
            model = build(key.shape, key.rate, key.block)
            made = export_model(model, path.parent, validate=False, render_samples=False, report=False)
            if made.not_compiled:
                self._refused[key, "compiled"] = made.not_compiled
        if cell.engine == "litert":
            try:
                return self._litert.of_network(key.shape, key.rate, key.block, path)
            except NotConverted as error:
                raise NotThere(str(error)) from error
        if cell.engine == "onnxruntime" and (key, cell.engine) not in self._refused:
            self._write_onnx(key, path)
        if reason := self._refused.get((key, cell.engine)):
            raise NotThere(reason)
        return path

    def _write_onnx(self, key: _Key, path: Path) -> None:
        if path.with_name(FILE_OF["onnxruntime"]).exists():
            return
        model = build(key.shape, key.rate, key.block)
        try:
            write_formats(load_artifact(path), ("onnx",), path.parent, model=model)
        except NeutoneLikeError as error:
            self._refused[key, "onnxruntime"] = str(error)

    def _example(self, example: Example) -> Path:
        if self._examples is None:
            raise NotThere(f"there is no folder with {example.name}")
        return self._examples / example.name / "model.nm"

    def offline_plugin(self, cell: Cell) -> OfflinePlugin:
        """Of an offline artifact; the same for every rate, since TorchScript is slow at first."""
        path = self.artifact(cell)
        if path not in self._plugins:
            self._plugins[path] = OfflinePlugin(load_artifact(path))
        return self._plugins[path]

    def in_every_format(self, cell: Cell) -> tuple[Path, dict[str, str]]:
        """A copy of an example's ``model.nm`` with all that can be made of it beside it, and why the rest can't."""
        assert isinstance(cell.shape, Example)
        source = self._example(cell.shape)
        folder = self.folder / f"all-{cell.shape}"
        if folder not in self._notes:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(source.parent, folder)
            notes: dict[str, str] = {}
            try:
                write_formats(load_artifact(folder / "model.nm"), ("onnx",))
            except NeutoneLikeError as error:
                notes["onnxruntime"] = str(error)
            try:
                made = self._litert.of_artifact(source)
                for path in made.parent.glob("model.tflite*"):
                    shutil.copy(path, folder)
            except NotConverted as error:
                notes["litert"] = str(error)
            self._notes[folder] = notes
        return folder / "model.nm", dict(self._notes[folder])

    def alone(self, cell: Cell) -> Path:
        """A file that its engine alone plays: what is opened without saying who shall.

        Raises:
            NotThere: As :meth:`artifact`.
        """
        path = self.artifact(cell)
        if cell.engine in FILE_OF:
            return path.with_name(FILE_OF[cell.engine])
        copy = path.parent / cell.engine / path.name
        if not copy.exists():
            copy.parent.mkdir()
            shutil.copy(path, copy)
            if cell.engine == "compiled":
                shutil.copy(path.with_suffix(".nlc"), copy.parent)
        return copy

    def close(self) -> None:
        """End what converts."""
        self._litert.close()
