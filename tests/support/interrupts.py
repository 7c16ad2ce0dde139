"""Signals at a chosen moment, as Ctrl-C or a request to end come at any."""

import os
import signal
from collections.abc import Callable, Iterator
from types import FrameType


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
