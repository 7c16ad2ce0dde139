"""OpenVINO, converted from the ONNX file."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from neutone_like.artifact import Artifact
from neutone_like.artifact.format.format_limits import Model
from neutone_like.errors import CompileError
from neutone_like.extras import import_extra
from neutone_like.formats.format import Draft, Format, Player, PlayerByName
from neutone_like.formats.fourier_tables import notes_of
from neutone_like.formats.onnx_format import OnnxFormat

_ON_ONE_THREAD = {
    "INFERENCE_NUM_THREADS": 1,
    "INFERENCE_PRECISION_HINT": "f32",  # else it calculates in bfloat16 where the processor can
    "PERFORMANCE_HINT": "LATENCY",
}


class OpenVinoFormat(Format):
    """Two files, with weights in float32: its default would round them to float16."""

    name = "openvino"
    title = "OpenVINO"
    needs = (("openvino", "openvino"), ("onnx", "onnx"), ("onnxruntime", "onnx"))

    def write(self, artifact: Artifact, model: Model | None, path: Path) -> Draft:
        openvino = _openvino()
        source = path.with_name("for_openvino.onnx")  # another file than the ONNX format's own, which may lie there too
        draft = OnnxFormat().write(artifact, model, source)
        try:
            converted = openvino.convert_model(str(source))
            openvino.save_model(converted, str(path), compress_to_fp16=False)
        except Exception as error:  # RuntimeError and others of its own
            raise CompileError(f"OpenVINO {openvino.__version__} does not convert it: {error}") from error
        return replace(draft, notes={"compile_with": _ON_ONE_THREAD, **notes_of(draft.core.graph)})

    def open(self, draft: Draft, path: Path) -> Player:
        return _OpenVinoPlayer(draft, path)


class _OpenVinoPlayer(PlayerByName):
    def __init__(self, draft: Draft, path: Path) -> None:
        super().__init__(draft.core, draft.names)
        openvino = _openvino()
        try:
            compiled: Any = openvino.Core().compile_model(str(path), "CPU", _ON_ONE_THREAD)
        except Exception as error:
            raise CompileError(f"OpenVINO {openvino.__version__} does not take the file: {error}") from error
        self._request = compiled.create_infer_request()
        self._given = {name for each in compiled.inputs for name in each.names}

    def run(self, feeds: dict[str, Any], wanted: Sequence[str]) -> list[Any]:
        results = self._request.infer({name: each for name, each in feeds.items() if name in self._given})
        return [results[name] for name in wanted]


def _openvino() -> Any:
    return import_extra("openvino", extra="openvino", purpose="Writing OpenVINO files")
