"""The one place that calls TorchScript: compile, save, load; and what a refusal means to the user."""

import ast
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.jit import ScriptModule
from torch.jit._recursive import wrap_cpp_module

from neutone_like.artifact.writing.hooks import HOOK_ADVICE, describe_hooks, is_in_a_hook
from neutone_like.artifact.writing.scripting_hints import (
    GENERAL_ADVICE,
    RUNNING_ADVICE,
    THIRD_PARTY_ADVICE,
    find_advice,
    source_patterns,
)
from neutone_like.errors import ExportError, NeutoneLikeError
from neutone_like.torchscript_warnings import expecting_torchscript
from neutone_like.user_code import (
    UserLine,
    choose_user_line,
    is_torch_or_ours,
    is_user_file,
    search_model_source,
    user_line_of_function,
)

_PLACE = re.compile(r'File "(?P<path>[^"]+)", line (?P<line>\d+)')
_IS_DRAWING = re.compile(r"[\s~]*(<--- HERE)?\s*")
_MAXIMUM_MESSAGE_LINES = 6
_MAXIMUM_MESSAGE_CHARACTERS = 600


def script_wrapper(wrapper: nn.Module) -> ScriptModule:
    """Compile a wrapper, and with it the model inside.

    Raises:
        ExportError: TorchScript refuses. The message has the user's own line, the cause, and the change to make.
    """
    try:
        with expecting_torchscript():
            return torch.jit.script(wrapper)
    except NeutoneLikeError:
        raise
    except Exception as error:  # TorchScript raises nearly every type, according to where it stumbles
        _forget_failed_types(wrapper)
        model = getattr(wrapper, "w2w_base", getattr(wrapper, "nrb", wrapper))
        raise ExportError(explain_scripting_failure(error, model)) from error


def _forget_failed_types(wrapper: nn.Module) -> None:
    """Drop the half-compiled classes that a refusal leaves in PyTorch's cache.

    Otherwise the next try, such as the same notebook cell run again, fails with "Can't redefine method" instead of the
    cause. The cache is private to PyTorch: where it looks different, nothing is dropped.
    """
    store = getattr(getattr(torch.jit, "_recursive", None), "concrete_type_store", None)
    types = getattr(store, "type_store", None)
    if isinstance(types, dict):
        for module in wrapper.modules():
            types.pop(type(module), None)


def save_script(module: ScriptModule, target: str | PathLike[str] | io.BytesIO, metadata_json: str = "") -> None:
    """``torch.jit.save``; ``metadata_json`` becomes the extra file ``metadata.json``."""
    extra_files = {"metadata.json": metadata_json} if metadata_json else {}
    destination = target if isinstance(target, io.BytesIO) else str(target)
    with expecting_torchscript():
        torch.jit.save(module, destination, _extra_files=extra_files)


def load_script(
    source: str | PathLike[str] | io.BytesIO, before_it_runs: Callable[[Any], None] | None = None
) -> ScriptModule:
    """``torch.jit.load`` onto the CPU. Errors are those of PyTorch.

    Args:
        source: A file, by its path or itself.
        before_it_runs: Called with the functions of a program that lies at a path, a ``CompilationUnit``, which
            ``torch.jit.load`` would keep to itself.
    """
    with expecting_torchscript():
        if before_it_runs is not None:
            torch_c: Any = torch._C  # pyright: ignore[reportPrivateUsage]
            functions = torch_c.CompilationUnit()
            module = torch_c.import_ir_module(functions, str(source), torch.device("cpu"), {}, False)
            before_it_runs(functions)
            return wrap_cpp_module(module)
        return torch.jit.load(source if isinstance(source, io.BytesIO) else str(source), map_location="cpu")


def reload_script(module: ScriptModule) -> ScriptModule:
    """A copy with state of its own, made through the file format."""
    buffer = io.BytesIO()
    save_script(module, buffer)
    buffer.seek(0)
    return load_script(buffer)


def explain_scripting_failure(error: Exception, model: nn.Module) -> str:
    """The user's line, what TorchScript said, and what to change."""
    message = str(error)
    places = [UserLine(found["path"], int(found["line"])) for found in _PLACE.finditer(message)]
    foreign = places[0] if places and not _is_the_users(places[0], model) else None
    refused = _refused_line(message, places, foreign, model)
    source_line = "" if refused is None else refused.text
    if foreign is None:
        advice = find_advice(message, source_line)
    else:  # the message is about code that the user did not write, unless the user's line itself tells the cause
        advice = find_advice(message, source_line, only_by_source=True) or _foreign_advice(foreign, source_line)
    hooks = describe_hooks(model)
    if hooks and _is_about_hooks(message, places, advice, model):
        advice = f"The network has hooks: {hooks}. {HOOK_ADVICE}"
    line = refused or user_line_of_function(getattr(type(model), "do_forward_pass", None))
    parts = [f"{type(model).__name__} can't be turned into TorchScript."]
    if line is not None:
        parts.append(str(line))
    parts.append(f"TorchScript says: {shorten_message(message) or type(error).__name__}")
    parts.append(f"What to do: {advice}")
    return "\n".join(parts)


def _is_about_hooks(message: str, places: list[UserLine], advice: str, model: nn.Module) -> bool:
    if "hook" in message.lower() or any(is_in_a_hook(place, model) for place in places):
        return True
    return not places and advice == GENERAL_ADVICE


@contextmanager
def explaining_failures(model: nn.Module) -> Iterator[None]:
    """For saving, loading and running a model that was compiled: some things come to light only then.

    Raises:
        ExportError: TorchScript failed; with the user's line, the cause, and the change to make.
    """
    try:
        yield
    except (NeutoneLikeError, OSError):
        raise
    except Exception as error:  # whatever the user's code raises, and TorchScript's own classes
        raise ExportError(explain_running_failure(error, model)) from error


def explain_running_failure(error: Exception, model: nn.Module) -> str:
    """As of :func:`explain_scripting_failure`, for a model that was compiled, and failed when it was saved or run."""
    message = str(error)
    places = [UserLine(found["path"], int(found["line"])) for found in _PLACE.finditer(message)]
    line = choose_user_line(places[::-1]) or user_line_of_function(getattr(type(model), "do_forward_pass", None))
    said = [text.strip() for text in message.splitlines() if not _IS_DRAWING.fullmatch(text)] or [type(error).__name__]
    verdict = said[-1] if "Error" in said[-1] else said[0]  # TorchScript's traceback comes first, the error last
    parts = [f"{type(model).__name__} works as plain Python, and fails as TorchScript."]
    parts += [] if line is None else [str(line)]
    parts.append(f"TorchScript says: {shorten_message(verdict)}")
    parts.append(f"What to do: {find_advice(message, '' if line is None else line.text, otherwise=RUNNING_ADVICE)}")
    return "\n".join(parts)


def shorten_message(message: str) -> str:
    """TorchScript's own words, without its copies of source and without its list of every variant of a function."""
    head = _PLACE.split(message, maxsplit=1)[0]
    head = re.sub(r"The original call is:\s*$", "", head.strip())
    lines = [line.strip() for line in head.splitlines() if line.strip(" :")]
    text = "\n".join(lines[:_MAXIMUM_MESSAGE_LINES]).rstrip(": ")
    return text if len(text) <= _MAXIMUM_MESSAGE_CHARACTERS else text[: _MAXIMUM_MESSAGE_CHARACTERS - 3] + "..."


def _is_the_users(line: UserLine, model: nn.Module) -> bool:
    return is_user_file(line.path) or is_torch_or_ours(line.path) or line.path == _path_of(model)


def _path_of(model: nn.Module) -> str:
    line = user_line_of_function(getattr(type(model), "do_forward_pass", None))
    return "" if line is None else line.path


def _refused_line(message: str, places: list[UserLine], foreign: UserLine | None, model: nn.Module) -> UserLine | None:
    """The user's line: from the message, else the call of the foreign function, else found by what was refused."""
    line = choose_user_line(places)
    if line is not None and _is_the_users(line, model):
        return line
    patterns = source_patterns(message)
    if foreign is not None and (function := _enclosing_function(foreign)):
        patterns.insert(0, rf"\b{re.escape(function)}\(")
    for pattern in patterns:
        if found := search_model_source(model, pattern):
            return found
    return None


def _enclosing_function(line: UserLine) -> str:
    """The name of the function, or of the class whose constructor it is, that a line of a file belongs to."""
    try:
        tree = ast.parse(Path(line.path).read_bytes())
    except (OSError, SyntaxError):
        return ""
    name = ""
    for node in ast.walk(tree):  # outer ones come before inner ones
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.lineno <= line.line <= (node.end_lineno or 0):
            name = name if node.name.startswith("__") else node.name
    return name


def _foreign_advice(foreign: UserLine, source_line: str) -> str:
    parts = Path(foreign.path).parts
    package = next((after for before, after in pairwise(parts) if before.endswith("-packages")), parts[-1])
    function = _enclosing_function(foreign)
    called = function if re.search(rf"\b{re.escape(function)}\b", source_line) else "What this line uses"
    return THIRD_PARTY_ADVICE.format(function=called, package=package.removesuffix(".py"))
