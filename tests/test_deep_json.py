"""Files of ours that are nested so deep that Python's reader of JSON gives up: refused in words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from neutone_like import ArtifactError, CompiledModel, NeutoneLikeError, RenderError
from neutone_like.artifact.format.compiled_file import read_compiled_facts
from neutone_like.errors import RuntimeEngineError
from neutone_like.formats.sidecar import read_sidecar
from neutone_like.render.batch.manifest import open_manifest
from neutone_like.runtime.live.midi_map import read_controls
from support.compiled_files import late_model

DEEP = '{"a": ' * 100_000 + "1" + "}" * 100_000


def sidecar(path: Path) -> Any:
    model = path.with_name("model.onnx")
    model.touch()
    model.with_name("model.onnx.json").write_text(DEEP)
    return read_sidecar(model)


def manifest(path: Path) -> Any:
    path.write_text(DEEP + "\n")
    with open_manifest(str(path)) as opened:
        return opened


def controls(path: Path) -> Any:
    path.write_text(DEEP)
    return read_controls(path, "model")


def compiled_facts(path: Path) -> Any:
    path.write_bytes(late_model(DEEP))
    return read_compiled_facts(path)


READERS: dict[str, tuple[Callable[[Path], Any], type[NeutoneLikeError], str]] = {
    "sidecar": (sidecar, ArtifactError, r"model\.onnx\.json is damaged, or no sidecar"),
    "manifest": (manifest, RenderError, r"Line 1 of .* is not one of a render's manifest"),
    "MIDI controls": (controls, RuntimeEngineError, "is no map of MIDI controls"),
    "facts of a compiled model": (compiled_facts, ArtifactError, "lacks what a compiled model says about itself"),
    "compiled model": (lambda path: CompiledModel(late_model(DEEP)), ArtifactError, "holds metadata that it"),
}


@pytest.mark.parametrize("name", READERS)
def test_deep_json_is_refused(name: str, tmp_path: Path) -> None:
    reader, error, message = READERS[name]
    with pytest.raises(error, match=message):
        reader(tmp_path / "file")


@pytest.mark.parametrize("metadata", ["[]", "1", "{", '{"compiled": 1}', '{"neutone_like": {"parameters": [1]}}'])
def test_odd_metadata_of_a_compiled_model_are_refused(metadata: str) -> None:
    with pytest.raises(ArtifactError, match="The compiled model holds metadata that it can't have been compiled with"):
        CompiledModel(late_model(metadata))
