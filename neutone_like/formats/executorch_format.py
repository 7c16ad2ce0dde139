"""ExecuTorch, for phones and boards; one block length."""

import contextlib
import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from neutone_like.artifact import Artifact
from neutone_like.artifact.format.format_limits import Model
from neutone_like.errors import CompileError
from neutone_like.extras import import_extra
from neutone_like.formats.core import Core, initial_states
from neutone_like.formats.format import Draft, Format, Player
from neutone_like.formats.fourier_tables import notes_of
from neutone_like.formats.graph_module import exported, first_line, numbered_names, short_core


class ExecuTorchFormat(Format):
    """What XNNPACK computes is left to it; states go in and out, so that nothing is kept inside."""

    name = "executorch"
    title = "ExecuTorch"
    needs = (("executorch", "executorch"),)

    def write(self, artifact: Artifact, model: Model | None, path: Path) -> Draft:
        exir = _extra("executorch.exir")
        partitioner = _extra("executorch.backends.xnnpack.partition.xnnpack_partitioner").XnnpackPartitioner()
        core = short_core(artifact)
        program = exported(core, in_reals=True)
        try:
            with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                warnings.simplefilter("ignore")
                lowered = exir.to_edge_transform_and_lower(program, partitioner=[partitioner]).to_executorch()
        except Exception as error:  # of several layers of its own
            raise CompileError(f"ExecuTorch does not take the model: {first_line(error)}") from error
        path.write_bytes(lowered.buffer)
        return Draft(core, numbered_names(core, "{}", "{}"), notes_of(core.graph))

    def open(self, draft: Draft, path: Path) -> Player:
        return _ExecuTorchPlayer(draft.core, path)


class _ExecuTorchPlayer(Player):
    def __init__(self, core: Core, path: Path) -> None:
        super().__init__(core)
        runtime = _extra("executorch.runtime").Runtime.get()
        self._like = initial_states(core.graph)
        try:
            self._program: Any = runtime.load_program(str(path))
            self._method: Any = self._program.load_method("forward")
        except Exception as error:
            raise CompileError(f"ExecuTorch's runtime does not take the file: {first_line(error)}") from error

    def call(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        output, *states = self._method.execute([each.contiguous() for each in tensors])
        shaped = [each.clone().reshape(old.shape) for each, old in zip(states, self._like, strict=True)]
        return [output.clone(), *shaped]


def _extra(module: str) -> Any:
    with warnings.catch_warnings():  # it imports by ways of Python's that 3.11 and 3.12 call deprecated
        warnings.simplefilter("ignore")
        return import_extra(module, extra="executorch", purpose="Writing ExecuTorch files")
