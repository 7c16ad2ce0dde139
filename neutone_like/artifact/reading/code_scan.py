"""Which operators TorchScript's code calls, read from its text.

In that text ``torch.set_`` and ``ops.aten.set_`` are the operator ``aten::set_``, and so is a tensor's ``x.set_``.
Types are not known before the code is compiled, so a name behind a dot counts as an operator where PyTorch has a method
of that name.
"""

import hashlib
from collections.abc import Sequence

from neutone_like.artifact.reading.code_tokens import Token, code_tokens
from neutone_like.artifact.reading.nesting import MOST_LEVELS, deepest_code
from neutone_like.artifact.reading.operators import (
    ALLOWED_CLASSES,
    REFUSED_BUILTINS,
    is_a_method,
    listed_operators,
)

SET_STATE = "__setstate__"
"""A method that PyTorch calls while it loads."""
_CLASSES = ["__torch__", "torch", "classes"]
_MOST_REMEMBERED = 4096
_nothing_refused: set[bytes] = set()  # SHA-256 of code: every model brings the same wrapper, and is loaded many times


def refused_operators(code: bytes) -> set[str]:
    """What code calls that is not on the list.

    Raises:
        ValueError: The code is not as PyTorch writes it, or hides what it calls; the message says how.
    """
    digest = hashlib.sha256(code).digest()
    if digest in _nothing_refused:
        return set()
    tokens = list(code_tokens(code))
    if (levels := deepest_code(code.decode("ascii"))) > MOST_LEVELS:
        raise ValueError(f"it is nested {levels} levels deep, allowed are {MOST_LEVELS}")
    found: set[str] = set()
    for index, (kind, text) in enumerate(tokens):
        if kind == "name":
            found.update(_operators_at(tokens, index, text))
    if not found:
        if len(_nothing_refused) >= _MOST_REMEMBERED:
            _nothing_refused.clear()
        _nothing_refused.add(digest)
    return found


def _operators_at(tokens: Sequence[Token], index: int, text: str) -> list[str]:
    """The refused operators that the name at ``index`` stands for."""
    if index > 0 and tokens[index - 1][1] == ".":
        return [] if _is_in_ops(tokens, index) else _of_attribute(text)
    if text in REFUSED_BUILTINS:
        return [REFUSED_BUILTINS[text]]
    if text == SET_STATE:
        return [f"method::{SET_STATE}"]
    if text in ("ops", "torch") and not _is_declared(tokens, index):
        return _of_chain(_chain(tokens, index))
    if text == "__torch__":
        return _of_type(_chain(tokens, index))
    if text == "getattr":
        return _of_attribute(_name_in_getattr(tokens, index))
    return []


def _of_attribute(name: str) -> list[str]:
    operator = f"aten::{name}"
    return [operator] if operator not in listed_operators() and is_a_method(operator) else []


def _of_chain(chain: list[str]) -> list[str]:
    """Of ``torch.save`` or ``ops.aten.save``."""
    if chain[:2] == ["torch", "autograd"]:
        chain = [chain[0], *chain[2:]]
    names = chain[1:] if chain[0] == "ops" else ["aten", *chain[1:]]
    if len(names) < 2:
        raise ValueError(f"it holds {'.'.join(chain)!r} as a value, which PyTorch does not write")
    operator = f"{names[0]}::{names[1]}"
    return [] if operator in listed_operators() else [operator]


def _of_type(chain: list[str]) -> list[str]:
    """Of ``__torch__.torch.classes.quantized.LinearPackedParamsBase``, and of the user's own types."""
    if chain in (_CLASSES[:1], _CLASSES[:2]):
        raise ValueError(f"it holds {'.'.join(chain)!r} as a value, which PyTorch does not write")
    if chain[:3] != _CLASSES:
        return []
    name = ".".join(chain[3:5])
    return [] if name in ALLOWED_CLASSES else [f"classes::{name}"]


def _chain(tokens: Sequence[Token], index: int) -> list[str]:
    """The name at ``index``, and those that follow it behind dots."""
    chain = [tokens[index][1]]
    while index + 2 < len(tokens) and tokens[index + 1][1] == "." and tokens[index + 2][0] == "name":
        index += 2
        chain.append(tokens[index][1])
    return chain


def _is_in_ops(tokens: Sequence[Token], index: int) -> bool:
    """Whether this is the first or second name behind ``ops.``, which is looked at as a whole."""
    for start in (index - 2, index - 4):
        if start >= 0 and tokens[start] == ("name", "ops") and (start == 0 or tokens[start - 1][1] != "."):
            return len(_chain(tokens, start)) > (index - start) // 2
    return False


def _is_declared(tokens: Sequence[Token], index: int) -> bool:
    """Whether the name is an attribute in a class, as in ``ops : int``."""
    return index + 1 < len(tokens) and tokens[index + 1][1] == ":"


def _name_in_getattr(tokens: Sequence[Token], index: int) -> str:
    """The second argument of ``getattr(x, "name")``.

    Raises:
        ValueError: It is not plain to see.
    """
    depth = 0
    for position in range(index + 1, len(tokens)):
        text = tokens[position][1] if tokens[position][0] == "other" else ""
        depth += (text in ("(", "[", "{")) - (text in (")", "]", "}"))
        if depth == 0:
            comma, name = tokens[position - 2], tokens[position - 1]
            if text == ")" and comma[1] == "," and name[0] == "string" and "\\" not in name[1]:
                return name[1][1:-1]
            break
    raise ValueError("it holds a getattr without the name of an attribute, which PyTorch does not write")
