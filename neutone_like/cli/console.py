"""Lines that are typed while something runs, and one line that shows how it goes."""

import codecs
import os
import select
import shutil
import sys
from contextlib import suppress
from typing import Any

from neutone_like.printing import printable

_ERASE_LINE = "\r\x1b[K"
_BACKSPACES = ("\x7f", "\b")
_CLEAR = "\x15"  # Ctrl-U
_MOST_TYPED = 1000


class Console:
    """Stdin, line by line, and stderr. On a terminal, what is being typed stays visible behind the status.

    Anywhere else lines come as they are written, the status is not shown, and the end of stdin ends nothing.
    """

    def __init__(self) -> None:
        self._file = _descriptor(sys.stdin)
        self._is_terminal = self._file is not None and _is_our_terminal(self._file)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._typed = ""
        self._status = ""
        self._settings: Any = None

    def __enter__(self) -> "Console":
        if self._is_terminal and self._file is not None:
            import termios
            import tty

            self._settings = termios.tcgetattr(self._file)
            tty.setcbreak(self._file)
        return self

    def __exit__(self, *_: object) -> None:
        if self._settings is not None and self._file is not None:
            import termios

            with suppress(OSError, termios.error):  # the terminal is gone
                termios.tcsetattr(self._file, termios.TCSADRAIN, self._settings)
                sys.stderr.write("\n")
                sys.stderr.flush()
            self._settings = None

    @property
    def shows_status(self) -> bool:
        """Whether somebody sees it."""
        return self._is_terminal

    def lines(self, seconds: float) -> list[str]:
        """Those that were finished within so many seconds."""
        if not select.select([] if self._file is None else [self._file], [], [], seconds)[0]:
            return []
        assert self._file is not None
        try:
            content = os.read(self._file, 4096)
        except OSError:  # the terminal is gone
            content = b""
        if not content:
            self._file = None
            rest, self._typed = self._typed, ""
            return [rest] if rest.strip() else []
        finished = self._take(self._decoder.decode(content))
        self._draw()
        return finished

    def show(self, status: str) -> None:
        """Replace the line that shows how it goes."""
        self._status = status
        self._draw()

    def say(self, text: str) -> None:
        """Print above it; nowhere, where there is no stderr."""
        if sys.stderr is None:
            return
        erase = _ERASE_LINE if self._is_terminal else ""
        sys.stderr.write(f"{erase}{printable(text)}\n")
        sys.stderr.flush()
        self._draw()

    def _take(self, text: str) -> list[str]:
        finished: list[str] = []
        for letter in text:
            if letter in "\r\n":
                finished.append(self._typed)
                self._typed = ""
            elif self._is_terminal and letter in _BACKSPACES:
                self._typed = self._typed[:-1]
            elif self._is_terminal and letter == _CLEAR:
                self._typed = ""
            elif letter == "\t" or letter.isprintable():
                self._typed = (self._typed + letter)[-_MOST_TYPED:]
        return finished

    def _draw(self) -> None:
        if not self._is_terminal:
            return
        width = shutil.get_terminal_size().columns - 1
        line = printable(f"{self._status}  > {self._typed}")
        sys.stderr.write(_ERASE_LINE + (line if len(line) <= width else line[len(line) - width :]))
        sys.stderr.flush()


def _descriptor(file: Any) -> int | None:
    """None where there is no such file, as in a service, or one of another kind, as in a notebook."""
    try:
        number = file.fileno()
        select.select([number], [], [], 0.0)
    except (AttributeError, OSError, ValueError):
        return None
    return int(number)


def _is_our_terminal(file: int) -> bool:
    """A program in the background must leave the terminal as it is."""
    try:
        return os.isatty(file) and sys.stderr.isatty() and os.tcgetpgrp(file) == os.getpgrp()
    except (OSError, AttributeError):  # there may be no stderr
        return False
