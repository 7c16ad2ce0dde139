"""Splits TorchScript's code, as it is in an archive, into words, without running or compiling any of it.

PyTorch's own lexer has more freedom than what it writes. What it never writes is refused, so that both see the same
words: characters other than printable ASCII, strings in three quotes, backslashes outside strings, and comments that
begin with "# type:", the rest of which is code.
"""

import re
from collections.abc import Iterator

_SPACE_OR_TOKEN = re.compile(
    r"""(?P<space>[ \n]+|\#(?! type:)[^\n]*)"""
    r"""|(?P<string>(?!\"\"\"|''')(?:"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*'))"""
    r"""|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"""
    r"""|(?P<other>[^\\\#"'])"""
)
_UNPRINTABLE = re.compile(r"[^ -~\n]")

Token = tuple[str, str]
"""Its kind (``name``, ``string`` or ``other``) and its text; of a number, each digit is a token."""


def code_tokens(code: bytes) -> Iterator[Token]:
    """Every word, in order.

    Raises:
        ValueError: Something that PyTorch does not write; the message has its line and what it is.
    """
    text = code.decode("latin-1")
    if strange := _UNPRINTABLE.search(text):
        raise ValueError(f"line {_line(text, strange.start())} holds the character {strange.group()!r}")
    position = 0
    while position < len(text):
        found = _SPACE_OR_TOKEN.match(text, position)
        if found is None:
            rest = text[position : position + 20]
            raise ValueError(f"line {_line(text, position)} holds {rest!r}, which PyTorch does not write")
        position = found.end()
        kind = found.lastgroup
        if kind is not None and kind != "space":
            yield kind, found.group()


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
