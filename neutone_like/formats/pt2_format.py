"""PyTorch's own exported programs."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neutone_like.artifact import Artifact
from neutone_like.artifact.format.format_limits import Model
from neutone_like.errors import CompileError
from neutone_like.formats.core import Core
from neutone_like.formats.format import Draft, Format, Player
from neutone_like.formats.graph_module import exported, first_line, numbered_names, one_length_core


class Pt2Format(Format):
    """For ``torch.export.load``, AOTInductor and every converter that begins there; one block length."""

    name = "pt2"
    title = "PyTorch's exported program"

    def write(self, artifact: Artifact, model: Model | None, path: Path) -> Draft:
        core = one_length_core(artifact)
        program = exported(core)
        archive = io.BytesIO()  # PyTorch's own writer ends the process where a disk is full
        try:
            torch.export.save(program, archive)
        except Exception as error:  # of many kinds
            raise CompileError(f"torch.export does not save the model: {first_line(error)}") from error
        path.write_bytes(archive.getbuffer())
        return Draft(core, numbered_names(core, "args_{}", "output_{}"))

    def open(self, draft: Draft, path: Path) -> Player:
        return _Pt2Player(draft.core, path)


class _Pt2Player(Player):
    def __init__(self, core: Core, path: Path) -> None:
        super().__init__(core)
        try:
            self._module: Any = torch.export.load(path).module()
        except Exception as error:  # of many kinds
            raise CompileError(f"torch.export does not load the file: {first_line(error)}") from error

    def call(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        with torch.no_grad():
            return list(self._module(*tensors))
