"""Signals at a chosen moment, as Ctrl-C or a request to end come at any."""

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any


class Ended(BaseException):
    """What the handler raises."""


def interrupt_sent_by() -> Iterator[Callable[[], None]]:
    """A function that sends this process a signal whose handler raises :class:`Ended` in the main thread."""

    def end(number: int, frame: FrameType | None) -> None:
        raise Ended

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield lambda: os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def interrupted_at_each_line(action: Callable[[], object], interrupt: Callable[[], None]) -> Iterator[int]:
    """The numbers of the lines of Python, its library's too, before each of which the action was interrupted once."""
    gc.collect()
    for number in range(1, sys.maxsize):
        left = number

        def count(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal left
            left -= event == "line"
            if left == 0 and event == "line":
                sys.settrace(None)
                interrupt()
            return count

        before = sys.gettrace()
        gc.disable()  # what it calls loses interrupts
        sys.settrace(count)
        try:
            action()
        except Ended:
            pass
        else:
            if left <= 0:
                raise AssertionError("the interrupt was lost")
        finally:
            sys.settrace(before)
            gc.enable()
        if left > 0:
            return  # it was done before
        yield number
