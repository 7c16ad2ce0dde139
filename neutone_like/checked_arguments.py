"""Arguments are what a function's annotations say, or are refused in words before anything else meets them.

``@checked_arguments(ModelError)`` above a function or an ``__init__`` judges kinds; ranges stay its own business.
"""

import functools
import inspect
import reprlib
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import is_
from os import PathLike, fsencode
from typing import Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

from neutone_like.arguments import as_bool
from neutone_like.errors import NeutoneLikeError
from neutone_like.numbers import as_number, as_whole_number

_P = ParamSpec("_P")
_R = TypeVar("_R")
_C = TypeVar("_C")
_NO = object()
"""What a judge gives back for a value of another kind."""
_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = 100
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_WORDS: dict[Any, str] = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "a text",
    None: "None",
    type(None): "None",
    Any: "anything",
    Callable: "something to call",
    PathLike: "a path",
}


def checked_arguments(
    error: type[NeutoneLikeError], *, wraps_errors: bool = False, but: tuple[str, ...] = ()
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Judge arguments by their annotations; numbers of NumPy's, and of tensors, become Python's own.

    What an annotation says in other ways (protocols, type variables, names that only type checkers import) is taken as
    it comes.

    Args:
        error: What is raised. The message names the function, the argument, what it must be, and what came.
        wraps_errors: Also of numbers that PyTorch refuses inside, in its words. For what only makes tensors of numbers.
        but: Arguments that the function judges itself, since it has more to say.
    """

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        signature = inspect.signature(function)
        what = function.__qualname__.removesuffix(".__init__")

        def judge(name: str, value: Any) -> Any:
            annotation = _meant(signature.parameters[name].annotation, function)
            found = _as(annotation, value)
            if found is _NO:
                raise error(f"{what}: {name} must be {_in_words(annotation)}, got {_shown(value)}.")
            return found

        @functools.wraps(function)
        def checked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError:
                return function(*args, **kwargs)  # which says in Python's own words what is missing
            for name, value in bound.arguments.items():
                if name in but:
                    continue
                if signature.parameters[name].kind not in _VARIADIC:
                    bound.arguments[name] = judge(name, value)
                    continue
                for each in value.values() if isinstance(value, dict) else value:
                    judge(name, each)
            if not wraps_errors:
                return function(*bound.args, **bound.kwargs)
            try:
                return function(*bound.args, **bound.kwargs)
            except (ArithmeticError, RuntimeError, TypeError, ValueError) as refused:
                given = {name: value for name, value in bound.arguments.items() if name not in ("self", "cls")}
                listed = ", ".join(f"{name}={_shown(value)}" for name, value in given.items())
                reason = str(refused).split("\n")[0].rstrip(".")
                raise error(f"{what}({listed}) can't be made: {reason}. Change one of these numbers.") from refused

        return checked

    return decorate


def checked_fields(error: type[NeutoneLikeError], *, but: tuple[str, ...] = ()) -> Callable[[type[_C]], type[_C]]:
    """The same for what a dataclass is made of: stands above ``@dataclass``."""

    def decorate(kind: type[_C]) -> type[_C]:
        made_of: Any = kind.__init__
        kind.__init__ = checked_arguments(error, but=but)(made_of)
        return kind

    return decorate


def _meant(annotation: Any, function: Any) -> Any:
    """The annotation behind one in quotes, whose module may not have been there when the function was made."""
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, inspect.unwrap(function).__globals__)
    except NameError:
        return Any


def _as(annotation: Any, value: Any) -> Any:
    """``value`` as one of that kind, or ``_NO``."""
    if annotation is bool:
        flag = as_bool(value)
        return _NO if flag is None else flag
    if annotation is int:
        number = as_whole_number(value)
        return _NO if number is None else number
    if annotation is float:
        number = as_number(value)
        return _NO if number is None or not _is_float(number) else number
    if annotation is None:
        return None if value is None else _NO
    kind, inner = get_origin(annotation), get_args(annotation)
    if kind in (Union, types.UnionType):
        if any(get_origin(each) is PathLike for each in inner) and not _is_possible(value):
            return _NO
        return next((found for each in inner if (found := _as(each, value)) is not _NO), _NO)
    if kind is Literal:
        return value if isinstance(value, str) else _NO  # which of them, the function says
    if isinstance(kind, type):
        return _as_container(kind, inner, value)
    is_kind = isinstance(annotation, type) and annotation is not inspect.Parameter.empty
    return value if not is_kind or _is_instance(value, annotation) else _NO


def _is_possible(path: Any) -> bool:
    """Whether a file could have this name; of what is no name: yes."""
    try:
        return not isinstance(path, (str, PathLike)) or b"\0" not in fsencode(path)
    except (TypeError, UnicodeEncodeError):
        return False


def _is_float(number: int | float) -> bool:
    try:
        float(number)
    except OverflowError:  # an int beyond every float
        return False
    return True


def _is_instance(value: Any, kind: type) -> bool:
    try:
        return isinstance(value, kind)
    except TypeError:  # a protocol, which nothing is an instance of
        return True


def _as_container(kind: type, inner: tuple[Any, ...], value: Any) -> Any:
    """Sequences and mappings, item by item; what may be readable only once is taken as it comes."""
    is_text = isinstance(value, (str, bytes))
    if issubclass(kind, Mapping):
        return _as_mapping(inner, value) if isinstance(value, Mapping) else _NO
    if issubclass(kind, (tuple, Sequence)):
        if is_text or isinstance(value, Mapping) or not hasattr(value, "__len__") or not hasattr(value, "__iter__"):
            return _NO
        return _as_items(kind, inner, value)
    if issubclass(kind, Iterable) and inner and isinstance(value, (list, tuple, set, frozenset)):
        return value if all(_as(inner[0], each) is not _NO for each in value) else _NO
    return value if _is_instance(value, kind) and not (is_text and issubclass(kind, Iterable)) else _NO


def _as_mapping(inner: tuple[Any, ...], value: Mapping[Any, Any]) -> Any:
    """The same object where nothing in it changes."""
    key_kind, kind = inner or (Any, Any)
    found = {key: _as(kind, each) for key, each in value.items()}
    if any(each is _NO for each in found.values()) or any(_as(key_kind, key) is _NO for key in value):
        return _NO
    return value if all(found[key] is each for key, each in value.items()) else found


def _as_items(kind: type, inner: tuple[Any, ...], value: Any) -> Any:
    """The same object where nothing in it changes."""
    if getattr(value, "shape", None) == ():
        return _NO
    items = list(value)
    each_its_own = issubclass(kind, tuple) and inner[1:] != (...,)
    kinds = inner if each_its_own else (inner[:1] or (Any,)) * len(items)
    if len(kinds) != len(items):
        return _NO
    found = [_as(*each) for each in zip(kinds, items, strict=True)]
    if any(each is _NO for each in found):
        return _NO
    is_kept = not (kind is tuple and not isinstance(value, tuple)) and all(map(is_, found, items))
    return value if is_kept else tuple(found)


def _in_words(annotation: Any) -> str:
    kind, inner = get_origin(annotation), get_args(annotation)
    if kind in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(map(_in_words, inner)))
    if kind is Literal:
        return f"one of {inner}"
    if isinstance(kind, type) and issubclass(kind, (tuple, Sequence)):
        if issubclass(kind, tuple) and inner[1:] != (...,):
            return f"({', '.join(map(_in_words, inner))})"
        return f"a sequence, each of it {_in_words(inner[0])}"
    if isinstance(kind, type) and issubclass(kind, Mapping):
        keys = " with texts as keys" if inner[:1] == (str,) else ""
        return f"a dictionary{keys}, each value of it {_in_words(inner[-1] if inner else Any)}"
    named = annotation if kind is None else kind
    return _WORDS.get(named) or f"of the kind {getattr(named, '__name__', named)}"


def _shown(value: Any) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__} itself"
    return _BRIEF.repr(value)
