"""Refuses at export what the loader would refuse, and points at the user's line."""

import io
import re
import zipfile
from pathlib import Path

from torch import nn
from torch.jit import ScriptModule

from neutone_like.artifact.format.archive import MODEL_NAME
from neutone_like.artifact.reading.program_scan import refused_in
from neutone_like.artifact.writing.scripting import save_script
from neutone_like.errors import ExportError
from neutone_like.user_code import search_model_source, user_line_of_function


def check_script(script: ScriptModule, model: nn.Module, allow_operators: frozenset[str]) -> None:
    """Look at the program as it will be saved, before any of it is run.

    Raises:
        ExportError: It uses an operator that artifacts may not; the message has the user's line.
    """
    buffer = io.BytesIO()
    save_script(script, buffer)
    with zipfile.ZipFile(buffer) as archive:
        refused = refused_in(archive, Path(MODEL_NAME), allow_operators)
    if not refused:
        return
    name = refused[0].rpartition("::")[2]
    line = search_model_source(model, rf"\b{re.escape(name.lower())}\b") or user_line_of_function(
        getattr(type(model), "do_forward_pass", None)
    )
    raise ExportError(
        f"{type(model).__name__} uses {', '.join(refused)}, which an artifact may not: whoever plays it relies on it "
        f"to compute, and to touch no files, other processes or the terminal.\n"
        f"{'' if line is None else f'{line}{chr(10)}'}"
        "What to do: leave it out of the model, and do it around the model. To export it all the same, for those who "
        f"trust you: export_model(..., allow_operators={refused!r}), or "
        f"--allow-operators {','.join(refused)}; it then has to be loaded so too."
    )
