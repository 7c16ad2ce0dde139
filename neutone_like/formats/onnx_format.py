"""ONNX: any block length, recurrent layers and loops whole."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from neutone_like.artifact import Artifact
from neutone_like.artifact.format.format_limits import Model
from neutone_like.errors import CompileError
from neutone_like.extras import import_extra
from neutone_like.formats.core import Core, core_of_artifact, in_operations, state_names
from neutone_like.formats.format import Draft, Format, Player, PlayerByName
from neutone_like.formats.fourier_tables import notes_of
from neutone_like.formats.onnx import RULES, names_for, write_onnx
from neutone_like.formats.onnx.writing import AUDIO, AUDIO_OUT
from neutone_like.formats.sidecar import TensorNames
from neutone_like.formats.tensorrt import facts_for_tensorrt
from neutone_like.graph import Node


class OnnxFormat(Format):
    """Written by rules of our own, operation by operation; proven in ONNX Runtime."""

    name = "onnx"
    title = "ONNX"
    needs = (("onnx", "onnx"), ("onnxruntime", "onnx"))

    def write(self, artifact: Artifact, model: Model | None, path: Path) -> Draft:
        core = core_of_artifact(artifact, model)
        core = replace(core, graph=in_operations(core.graph, _has_rule))
        data, names = onnx_of(core)
        path.write_bytes(data)
        return Draft(core, names, notes={"tensorrt": facts_for_tensorrt(data), **notes_of(core.graph)})

    def open(self, draft: Draft, path: Path) -> Player:
        return _OnnxPlayer(draft.core, draft.names, path)


class _OnnxPlayer(PlayerByName):
    """ONNX Runtime, on one thread."""

    def __init__(self, core: Core, names: TensorNames, path: Path) -> None:
        super().__init__(core, names)
        runtime = import_extra("onnxruntime", extra="onnx", purpose="Proving ONNX files")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors share no base but this one
            raise CompileError(f"ONNX Runtime {runtime.__version__} does not take the file: {error}") from error

    def run(self, feeds: dict[str, Any], wanted: Sequence[str]) -> list[Any]:
        found: list[Any] = self._session.run(list(wanted), feeds)
        return found


def onnx_of(core: Core) -> tuple[bytes, TensorNames]:
    """The file of a core whose operations all have rules, and its names.

    Raises:
        CompileError: One of them refuses.
    """
    own = names_for([each.name for each in core.captured.parameters], state_names(core.graph))
    names = TensorNames(AUDIO, AUDIO_OUT, own.parameters, own.states_in, own.states_out)
    return write_onnx(core.graph, own), names


def _has_rule(node: Node) -> bool:
    return node.op in RULES
