"""What people pass as a path, or as one of a few words, judged before anything else meets it."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from neutone_like.errors import NeutoneLikeError
from neutone_like.numbers import as_number


def as_path(value: Any, what: str, error: type[NeutoneLikeError]) -> Path:
    """``value`` as a path that a file system could have.

    Raises:
        NeutoneLikeError: Of the type ``error``; ``what`` says what the path is of.
    """
    try:
        path = Path(value)
        named = os.fsencode(path)
    except (TypeError, UnicodeEncodeError):
        raise error(f"Expected the path of {what}, as a str or a pathlib.Path, got {value!r:.200}.") from None
    if b"\0" in named:
        raise error(f"Expected the path of {what}, got {str(path)!r:.200}, which no file can have.")
    return path


def is_one_of(value: Any, words: tuple[str, ...]) -> bool:
    """Whether ``value`` is one of the words; arrays, whose comparison has no single answer, are none."""
    return isinstance(value, str) and value in words


def as_bool(value: Any) -> bool | None:
    """``value`` as a bool where it is one, of NumPy's or of a tensor's too, or the number 0 or 1; else None."""
    if isinstance(value, bool):
        return value
    if getattr(value, "shape", None) == () and str(value.dtype) in ("bool", "torch.bool"):
        return bool(value)
    return bool(value) if as_number(value) in (0, 1) else None


def is_iterable(value: Any) -> bool:
    """Whether it can be gone through item by item: no text, and no array of no dimensions."""
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes)) and getattr(value, "shape", None) != ()


def words_of(value: Any, words: tuple[str, ...]) -> list[Any] | None:
    """One of the words or several, as a list; None where there is none, or another."""
    if isinstance(value, str):
        value = [value]
    given = list(value) if is_iterable(value) else []
    return given if given and all(is_one_of(each, words) for each in given) else None


def as_flag(value: Any, what: str, error: type[NeutoneLikeError]) -> bool:
    """``value`` as a bool.

    Raises:
        NeutoneLikeError: Of the type ``error``; ``what`` names the flag.
    """
    flag = as_bool(value)
    if flag is None:
        raise error(f"{what} must be True or False, got {value!r:.200}.")
    return flag


def require_kind(value: Any, kind: type, error: type[NeutoneLikeError]) -> None:
    """Raises an error of the type ``error`` where ``value`` is no object of the class, such as the class itself."""
    if not isinstance(value, kind):
        came = f"the class {value.__name__} itself" if isinstance(value, type) else type(value).__name__
        raise error(f"Expected an object of {kind.__name__} or of a subclass of it, got {came}.")
