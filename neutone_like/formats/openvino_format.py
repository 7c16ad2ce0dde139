"""OpenVINO, converted from the ONNX file."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from neutone_like.artifact import Artifact
from neutone_like.artifact.format.format_limits import Model
from neutone_like.errors import CompileError
from neutone_like.extras import import_extra
from neutone_like.formats.core import initial_states
from neutone_like.formats.format import Draft, Format, Player, from_numpy
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
        draft = OnnxFormat().write(artifact, model, path.with_name("model.onnx"))
        try:
            converted = openvino.convert_model(str(path.with_name("model.onnx")))
            openvino.save_model(converted, str(path), compress_to_fp16=False)
        except Exception as error:  # RuntimeError and others of its own
            raise CompileError(f"OpenVINO {openvino.__version__} does not convert it: {error}") from error
        return replace(draft, notes={"compile_with": _ON_ONE_THREAD})

    def open(self, draft: Draft, path: Path) -> Player:
        return _OpenVinoPlayer(draft, path)


class _OpenVinoPlayer(Player):
    def __init__(self, draft: Draft, path: Path) -> None:
        super().__init__(draft.core)
        openvino = _openvino()
        names = draft.names
        self._inputs = [names.audio, *names.parameters, *names.states_in]
        self._outputs = [names.audio_out, *names.states_out]
        self._like = initial_states(draft.core.graph)
        try:
            compiled: Any = openvino.Core().compile_model(str(path), "CPU", _ON_ONE_THREAD)
        except Exception as error:
            raise CompileError(f"OpenVINO {openvino.__version__} does not take the file: {error}") from error
        self._request = compiled.create_infer_request()
        self._given = {name for each in compiled.inputs for name in each.names}

    def call(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        feeds = {name: each.contiguous().numpy() for name, each in zip(self._inputs, tensors, strict=True)}
        results = self._request.infer({name: each for name, each in feeds.items() if name in self._given})
        output, *states = [results[name] for name in self._outputs]
        return [*from_numpy([output], [tensors[0].new_empty(output.shape)]), *from_numpy(states, self._like)]


def _openvino() -> Any:
    return import_extra("openvino", extra="openvino", purpose="Writing OpenVINO files")
