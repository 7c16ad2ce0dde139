"""Load the module of a ``.nm`` file, after the file, and before anybody plays it, has been looked at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.jit import ScriptModule

from neutone_like.artifact.format.archive import check_contents
from neutone_like.artifact.format.schema import LiveMetadata, Metadata
from neutone_like.artifact.reading.agreement import check_agreement, check_tensors
from neutone_like.artifact.reading.program_scan import check_program
from neutone_like.artifact.writing.scripting import load_script
from neutone_like.errors import ArtifactError
from neutone_like.host.contract import Kind, required_names


def load_module(
    path: Path,
    metadata: Metadata,
    allow_operators: frozenset[str] = frozenset(),
    before_it_runs: Callable[[Any], None] | None = None,
) -> ScriptModule:
    """A module of its own: the same model with a state that nobody else has. None of its code is run.

    Args:
        path: The file.
        metadata: Of it.
        allow_operators: What it may use although artifacts may not.
        before_it_runs: Called with the program's functions, TorchScript's ``CompilationUnit``, which it may change.

    Raises:
        ArtifactError: What is wrong with the file, where, and what to do.
    """
    ours = metadata.neutone_like
    check_contents(path, None if ours is None else ours.members_sha256)
    check_program(path, allow_operators)
    try:
        module = load_script(path, before_it_runs)
    except Exception as error:  # errors of C++ come through as nearly every type
        raise ArtifactError(
            f"{path} can't be loaded as TorchScript: {_first_lines(error)}\n{_version_note(metadata)}"
        ) from error
    _check_methods(module, metadata, path)
    check_tensors(module, path)
    if ours is not None:
        check_agreement(module, metadata, path)
    return module.eval()


def _check_methods(module: ScriptModule, metadata: Metadata, path: Path) -> None:
    kind: Kind = "live" if isinstance(metadata, LiveMetadata) else "offline"
    missing = [name for name in required_names(kind) if not hasattr(module, name)]
    if missing:
        article = "a" if kind == "live" else "an"
        raise ArtifactError(
            f"{path} is a TorchScript module, but not that of {article} {kind} .nm: it has no {', '.join(missing)}. "
            "Make one with export_model(model, folder)."
        )


def _first_lines(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:3])[:400] or type(error).__name__


def _version_note(metadata: Metadata) -> str:
    made, here = metadata.pytorch_version, str(torch.__version__)
    versions = f"It was made with PyTorch {made}, this is {here}"
    if made.split(".")[0] != here.split(".")[0]:
        return f"{versions}: install version {made.split('.')[0]} of PyTorch, or export the model again."
    return f"{versions}. The file is damaged, or needs the newer PyTorch: export the model again."
