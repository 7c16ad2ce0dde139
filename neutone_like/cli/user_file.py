"""Load what a user's Python file makes, and say which of its lines failed where it does not."""

import difflib
import importlib.util
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any

from neutone_like.cli.common import AskedToEnd, wrong_use
from neutone_like.errors import ModelError

DEFAULT_CALLABLE = "build_model"


def load_from_file(source: str) -> Any:
    """What ``FILE.py[:callable]`` makes.

    Raises:
        typer.BadParameter: There is no such file, or nothing of this name in it.
        ModelError: The file, or the call, fails.
    """
    try:
        path, name = split_source(source)
        with redirect_stdout(sys.stderr):  # what the user's file prints
            return load_object(path, name)
    except ValueError as error:
        raise wrong_use(error, "FILE.py[:callable]") from error


def split_source(text: str) -> tuple[Path, str]:
    """``FILE.py[:callable]`` as the file and the callable's name.

    Raises:
        ValueError: No such file, or not a Python file.
    """
    path, name = Path(text), DEFAULT_CALLABLE
    before, colon, after = text.rpartition(":")
    if colon and not os.path.exists(path) and after.isidentifier():
        path, name = Path(before), after
    if not os.path.isfile(path):
        raise ValueError(f"There is no file {path}.")
    if path.suffix != ".py":
        raise ValueError(f"Expected a Python file, FILE.py or FILE.py:callable, got {text}.")
    return path, name


def load_object(path: Path, name: str) -> Any:
    """Import the file and return what is called ``name`` in it; a function or class is called, without arguments.

    Raises:
        ModelError: The file, or the call, fails: the message has the user's line.
        ValueError: There is nothing of this name.
    """
    module = _import(path.resolve())
    if not hasattr(module, name):
        there = sorted(key for key, value in vars(module).items() if _is_made_in(module, value) and key[0] != "_")
        near = difflib.get_close_matches(name, there, n=1)
        meant = f"Did you mean {near[0]}? " if near else ""
        raise ValueError(
            f"{path} has nothing called {name!r}. {meant}What can be called in it: {', '.join(there) or 'nothing'}."
        )
    found = getattr(module, name)
    if not isinstance(found, type) and not hasattr(found, "__code__"):
        return found  # a finished model may stand in the file; it, too, can be called
    try:
        return found()
    except Exception as error:
        raise ModelError(f"{name}() in {path} failed:\n{_describe(error, path.resolve())}") from error


def _is_made_in(module: ModuleType, value: Any) -> bool:
    """Whether the file itself makes it: what it imports is not on offer."""
    return callable(value) and getattr(value, "__module__", None) == module.__name__


def _import(path: Path) -> ModuleType:
    # The file's own name shows up in TorchScript; one that is taken would put another module in its place.
    module_name = path.stem if path.stem.isidentifier() and path.stem not in sys.modules else f"model_file_{id(path)}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise ModelError(f"{path} can't be imported as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))  # as `python FILE.py` does, for what stands beside it
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except AskedToEnd:  # no doing of the file
        raise
    except (Exception, SystemExit) as error:
        raise ModelError(f"{path} can't be imported:\n{_describe(error, path)}") from error
    return module


def _describe(error: BaseException, path: Path) -> str:
    """The error, with the innermost line that stands in the user's folder."""
    message = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}\n    {(error.text or '').strip()}\n{type(error).__name__}: {error.msg}"
    frames = [frame for frame in extract_tb(error.__traceback__) if path.parent in Path(frame.filename).parents]
    own = [frame for frame in frames if "site-packages" not in frame.filename]
    if not own:
        return message
    return f"{own[-1].filename}:{own[-1].lineno}\n    {own[-1].line}\n{message}"
