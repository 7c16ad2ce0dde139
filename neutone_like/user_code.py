"""Which lines are the user's own: found in tracebacks, in TorchScript's messages and in the source of a model."""

import inspect
import linecache
import os
import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

import torch
from torch import nn

from neutone_like import errors

_OUR_FOLDER = os.path.dirname(os.path.abspath(errors.__file__))
_TORCH_FOLDER = os.path.dirname(os.path.abspath(torch.__file__))
_LIBRARY_FOLDERS = tuple(
    sorted({os.path.abspath(sysconfig.get_path(kind)) for kind in ("stdlib", "platstdlib", "purelib", "platlib")})
)


@dataclass(frozen=True)
class UserLine:
    """One line of source; its ``str`` is the place, as editors take it, and the text below."""

    path: str
    line: int

    @property
    def text(self) -> str:
        """The line itself, without its indentation; empty when the file is not there to be read."""
        return linecache.getline(self.path, self.line).strip()

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}"
        return f"{place}\n    {self.text}" if self.text else place


def is_below(path: str, folder: str) -> bool:
    """Whether ``path`` lies in ``folder`` or deeper."""
    return os.path.abspath(path).startswith(folder + os.sep)


def is_torch_or_ours(path: str) -> bool:
    """Code that a user can't change: PyTorch's, this package's, or none that is on disk."""
    if path.startswith("<"):  # a notebook's cell keeps its source in the line cache; "<string>" has none
        return not linecache.getlines(path)
    return is_below(path, _TORCH_FOLDER) or is_below(path, _OUR_FOLDER)


def is_user_file(path: str) -> bool:
    """Whether a user would call this file theirs: no library, no standard library, not this package."""
    return not is_torch_or_ours(path) and not any(is_below(path, folder) for folder in _LIBRARY_FOLDERS)


def choose_user_line(lines: list[UserLine]) -> UserLine | None:
    """The first line in a user's file, else the first one that is neither PyTorch's nor ours.

    A model may itself be an installed package; then its lines are the best there is.
    """
    for accepts in (is_user_file, lambda path: not is_torch_or_ours(path)):
        for line in lines:
            if accepts(line.path):
                return line
    return None


def user_line_of_traceback(traceback: TracebackType | None) -> UserLine | None:
    """The innermost line of a traceback that is the user's."""
    lines: list[UserLine] = []
    while traceback is not None:
        lines.append(UserLine(traceback.tb_frame.f_code.co_filename, traceback.tb_lineno))
        traceback = traceback.tb_next
    return choose_user_line(lines[::-1])


def user_line_of_function(function: object) -> UserLine | None:
    """Where a function or method begins, if it has source."""
    code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
    return None if code is None else UserLine(code.co_filename, code.co_firstlineno)


def line_of_class(kind: type) -> UserLine | None:
    """Where a class begins, if it has source."""
    try:
        return UserLine(inspect.getsourcefile(kind) or "", inspect.getsourcelines(kind)[1])
    except (OSError, TypeError):
        return None


def search_model_source(model: nn.Module, pattern: str) -> UserLine | None:
    """The first line that matches in the classes of a model and of its submodules, methods before ``__init__``."""
    for line in _source_lines(model):
        if re.search(pattern, line.text):
            return line
    return None


def _source_lines(model: nn.Module) -> Iterator[UserLine]:
    later: list[UserLine] = []
    for owner in dict.fromkeys(type(module) for module in model.modules()):
        for base in owner.__mro__:
            for name, function in vars(base).items():
                first = user_line_of_function(function)
                if first is None or is_torch_or_ours(first.path):
                    continue
                lines = _lines_of(function, first)
                if name == "__init__":
                    later += lines
                else:
                    yield from lines
    yield from later


def _lines_of(function: object, first: UserLine) -> list[UserLine]:
    try:
        source, _ = inspect.getsourcelines(inspect.unwrap(function))  # pyright: ignore[reportArgumentType]
    except (OSError, TypeError):
        return []
    return [UserLine(first.path, first.line + index) for index in range(len(source))]
