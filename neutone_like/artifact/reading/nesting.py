"""How deep code and pickles are nested: PyTorch's readers call themselves at every level, and where that is too deep
the whole process ends.
"""

import re
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

MOST_LEVELS = 500
"""PyTorch 2.13 ends the process at 3000 levels of some kinds, with the usual 8 MiB of stack."""

_STRING = r"""(?:"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*')"""
_DOT = r"(?:[ \n]|\#[^\n]*\n)*\.(?:[ \n]|\#[^\n]*\n)*"
_PIECE = re.compile(
    r"(?P<newline>\n *)|[ ]+|\#[^\n]*|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<comma>,)|(?P<number>[0-9.]+)"
    rf"|(?P<word>[A-Za-z_][A-Za-z_0-9]*|{_STRING}|.)"
)
_NAME = re.compile(
    rf"(?m)\#[^\n]*|{_STRING}|^(?:class|def) +(?P<defined>\w+)|\b(?P<used>__torch__(?:{_DOT}[A-Za-z_]\w*)+)"
)


def deepest_code(code: str) -> int:
    """At most how many levels the reader of a program takes: brackets, blocks, and operators behind one another.

    Args:
        code: What :func:`neutone_like.artifact.reading.code_tokens.code_tokens` takes without complaint.
    """
    deepest = depth = elifs = indent = 0
    in_a_row = [0]  # words and brackets since the last comma, in each open bracket
    for piece in _PIECE.finditer(code):
        kind, text = piece.lastgroup, piece.group()
        if kind == "newline" and len(in_a_row) == 1:
            indent, depth, in_a_row = len(text) - 1, 0, [0]
        elif kind == "open":
            in_a_row[-1] += 1
            in_a_row.append(0)
            depth += 1
        elif kind == "close" and len(in_a_row) > 1:
            depth -= in_a_row.pop()
        elif kind == "comma":
            depth -= in_a_row[-1]
            in_a_row[-1] = 0
        elif kind == "word":
            elifs += text == "elif"
            in_a_row[-1] += 1
            depth += 1
        deepest = max(deepest, depth + elifs + indent // 2)
    return deepest


def definitions(code: str, place: str) -> dict[str, set[str]]:
    """The classes and functions that a program's member defines, and what of other members and its own each names.

    Args:
        code: As for :func:`deepest_code`.
        place: The member, as names begin: ``__torch__.a.b``.
    """
    found: dict[str, set[str]] = {}
    names: set[str] = set()
    for piece in _NAME.finditer(code):
        if piece["defined"] is not None:
            names = found.setdefault(f"{place.lower()}.{piece['defined']}", set())
        elif piece["used"] is not None:
            names.add(re.sub(_DOT, ".", piece["used"]))
    return found


def longest_chain(defined: Mapping[str, set[str]]) -> int:
    """How many definitions name one another in a row, each of which PyTorch reads while it reads the one before.

    Raises:
        ValueError: They go round in circles.
    """
    graph = {name: {_definition(used, defined) for used in names} - {name, ""} for name, names in defined.items()}
    lengths: dict[str, int] = {}
    try:
        for name in TopologicalSorter(graph).static_order():
            lengths[name] = 1 + max((lengths[other] for other in graph[name]), default=0)
    except CycleError as error:
        raise ValueError(f"it defines {error.args[1][0]!r:.100} by itself") from None
    return max(lengths.values(), default=0)


def _definition(used: str, defined: Mapping[str, set[str]]) -> str:
    """What a name with attributes behind it begins with; "" where it is PyTorch's own."""
    while used:
        before, _, last = used.rpartition(".")
        name = f"{before.lower()}.{last}"  # PyTorch finds members in small letters too, and what they define as it is
        if name in defined:
            return name
        used = before
    return ""


class PickleNesting:
    """Follows a pickle, and knows of everything on its stack how deep it is.

    Args:
        holds_types: A text may be a type, which PyTorch reads. Else it is a user's source, of any language.

    Attributes:
        deepest: So far.
    """

    def __init__(self, holds_types: bool = True) -> None:
        self.deepest = 0
        self._holds_types = holds_types
        self._stack: list[int] = []
        self._marks: list[int] = []
        self._memo: dict[int, int] = {}

    def follow(self, operation: str, argument: Any) -> None:
        """One operation.

        Raises:
            ValueError: PyTorch writes none such, or nothing is there that it could be about.
        """
        try:
            self._follow(operation, argument)
        except (IndexError, KeyError):
            raise ValueError(f"its {operation} is about nothing") from None

    def _follow(self, operation: str, argument: Any) -> None:
        if operation in _PLAIN:
            self._stack.append(0)
            if self._holds_types and operation == "BINUNICODE" and argument.count("[") > MOST_LEVELS:
                self.deepest = max(self.deepest, deepest_code(argument))
        elif operation in ("EMPTY_LIST", "EMPTY_DICT", "EMPTY_TUPLE"):
            self._stack.append(1)
        elif operation == "MARK":
            self._marks.append(len(self._stack))
        elif operation == "TUPLE":
            self._push(self._since_mark())
        elif operation in _TUPLES:
            self._push(self._pop(_TUPLES[operation]))
        elif operation in ("APPENDS", "SETITEMS"):
            self._fill(self._since_mark())
        elif operation in _FILLING:
            self._fill(self._pop(_FILLING[operation]))
        elif operation in ("REDUCE", "NEWOBJ"):
            self._push(self._pop(2))
        elif operation == "BINPERSID":
            self._pop(1)
            self._stack.append(0)
        elif operation in ("BINPUT", "LONG_BINPUT"):
            self._memo[argument] = self._stack[-1]
        elif operation in ("BINGET", "LONG_BINGET"):
            self._stack.append(self._memo[argument])
        elif operation not in ("PROTO", "STOP"):
            raise ValueError(f"it holds {operation}, which PyTorch does not write")

    def _push(self, inside: Iterable[int]) -> None:
        self._stack.append(1 + max(inside, default=0))
        self.deepest = max(self.deepest, self._stack[-1])

    def _fill(self, inside: Iterable[int]) -> None:
        self._stack[-1] = max(self._stack[-1], 1 + max(inside, default=0))
        self.deepest = max(self.deepest, self._stack[-1])

    def _pop(self, count: int) -> list[int]:
        return [self._stack.pop() for _ in range(count)]

    def _since_mark(self) -> list[int]:
        mark = self._marks.pop()
        inside = self._stack[mark:]
        del self._stack[mark:]
        return inside


_PLAIN = {"NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "GLOBAL"}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_FILLING = {"APPEND": 1, "SETITEM": 2, "BUILD": 1}
