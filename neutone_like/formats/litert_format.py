"""LiteRT, which was TensorFlow Lite; one block length."""

import contextlib
import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy

from neutone_like.artifact import Artifact
from neutone_like.artifact.format.format_limits import Model
from neutone_like.errors import CompileError
from neutone_like.extras import import_extra
from neutone_like.formats.core import Core, state_names
from neutone_like.formats.format import Draft, Format, Player, PlayerByName
from neutone_like.formats.fourier_tables import notes_of
from neutone_like.formats.graph_module import example_tensors, first_line, graph_module, numbered_names, short_core
from neutone_like.formats.sidecar import TensorNames


class LiteRtFormat(Format):
    """Converted by litert-torch, proven in ai-edge-litert."""

    name = "litert"
    title = "LiteRT"
    needs = (("litert_torch", "litert-convert"), ("ai_edge_litert", "litert"))

    def write(self, artifact: Artifact, model: Model | None, path: Path) -> Draft:
        converter = import_extra("litert_torch", extra="litert-convert", purpose="Writing LiteRT files")
        core = short_core(artifact)
        module, tensors = graph_module(core, in_reals=True), tuple(example_tensors(core))
        try:
            with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                warnings.simplefilter("ignore")
                converter.convert(module, tensors).export(str(path))
        except OSError:  # of the disk
            raise
        except Exception as error:  # of the converter, of PyTorch, of TensorFlow's own kinds
            raise CompileError(f"litert-torch does not convert it: {first_line(error)}") from error
        return Draft(core, numbered_names(core, "args_{}", "output_{}"), notes_of(core.graph))

    def open(self, draft: Draft, path: Path) -> Player:
        return _LiteRtPlayer(draft.core, draft.names, path)


class _LiteRtPlayer(PlayerByName):
    def __init__(self, core: Core, names: TensorNames, path: Path) -> None:
        super().__init__(core, names)
        library = import_extra("ai_edge_litert.interpreter", extra="litert", purpose="Proving LiteRT files")
        try:
            self._interpreter: Any = library.Interpreter(model_path=str(path), num_threads=1)
            self._runner: Any = self._interpreter.get_signature_runner()
        except Exception as error:
            raise CompileError(f"LiteRT does not take the file: {first_line(error)}") from error
        details: dict[str, Any] = self._runner.get_input_details()
        self._given = set(details)
        for name, value, state in zip(names.states_in, self._like, state_names(core.graph), strict=True):
            kept = details[name]["dtype"] if name in details else value.numpy().dtype
            if value.numpy().dtype != kept:
                raise CompileError(
                    f"the converter keeps {state}, which is {value.dtype}, as {numpy.dtype(kept)}. Keep it in that type"
                )

    def run(self, feeds: dict[str, Any], wanted: Sequence[str]) -> list[Any]:
        results = self._runner(**{name: each for name, each in feeds.items() if name in self._given})
        return [results[name] for name in wanted]
