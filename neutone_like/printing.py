"""How results print themselves: a few lines at a prompt, a table in a notebook, and nothing that steers a terminal."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from html import escape
from typing import Any

MOST_LINES = 7
MOST_CHARACTERS = 110  # of a line
_STEERS_TERMINALS = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]")

Row = Sequence[str]


def printable(text: str) -> str:
    """Text from a file, or a file's name, as a terminal may show it: what steers a terminal becomes ``\\x1b``."""
    return _STEERS_TERMINALS.sub(lambda found: ascii(found[0])[1:-1], text)


class InNotebooks:
    """A result that a notebook shows as a table: of its fields, unless it says otherwise."""

    def _title(self) -> str:
        return type(self).__name__

    def _rows(self) -> Iterable[Row]:
        """What matters most comes first: a prompt shows as many rows as it has lines for."""
        if not is_dataclass(self):
            return [(repr(self),)]
        return [(field.name, shown(getattr(self, field.name))) for field in fields(self)]

    def _html_rows(self) -> Iterable[Row]:
        """A notebook has room for more."""
        return self._rows()

    def _repr_html_(self) -> str:
        return html_table(self._title(), self._html_rows())


class Printed(InNotebooks):
    """A result that also shows itself in a few lines at a prompt. A dataclass must be made with ``repr=False``."""

    def _rows(self) -> Iterable[Row]:
        return super()._rows() if is_dataclass(self) else ()

    def __repr__(self) -> str:
        return few_lines(self._title(), self._rows())

    __str__ = __repr__


def shown(value: Any, most: int = MOST_CHARACTERS) -> str:
    """A value in short: numbers as people write them, long things cut."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str):
        return _cut(value, most)
    if isinstance(value, (tuple, list)) and len(value) > 8:
        return f"{len(value)} entries"
    return _cut(repr(value), most)


def whole_text(result: Printed) -> str:
    """All that a result has to say of itself, for a command whose user gets no other sight of it."""
    title, rows = result._title(), result._rows()  # pyright: ignore[reportPrivateUsage]
    return _printable_line(title) + "".join(f"\n  {_printable_line(_joined(row))}" for row in rows)


def few_lines(title: str, rows: Iterable[Row]) -> str:
    """A title and a row a line, at most ``MOST_LINES`` of them."""
    lines = [_one_line(title), *(f"  {_one_line(_joined(row))}" for row in rows)]
    if len(lines) > MOST_LINES:
        lines[MOST_LINES - 1 :] = [f"  ... and {len(lines) - MOST_LINES + 1} more"]
    return "\n".join(lines)


def html_table(title: str, rows: Iterable[Row]) -> str:
    """The same for a notebook. Every text is escaped: names come out of files."""
    lines = ("".join(f"<td>{_escaped(cell)}</td>" for cell in row) for row in rows)
    body = "".join(f"<tr style='text-align: left'>{line}</tr>" for line in lines)
    return f"<div><strong>{_escaped(title)}</strong><table>{body}</table></div>"


def _escaped(text: str) -> str:
    return escape(printable(text)).replace("\n", "<br>")


def _joined(row: Row) -> str:
    name, *others = row
    return f"{name}: {', '.join(others)}" if others else name


def _one_line(text: str) -> str:
    return _cut(_printable_line(text), MOST_CHARACTERS)


def _printable_line(text: str) -> str:
    return printable(" ".join(text.split()))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
