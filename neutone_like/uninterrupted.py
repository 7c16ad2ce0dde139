"""Steps that no handler of a signal may come between.

Python runs the handlers of signals between any two steps of its main thread, and what they raise ends what is going on
there. A process that is being started must not be forgotten half way. In soundfile's file objects, whose C code calls
Python, Ctrl-C is printed and lost, and libsndfile takes what the call did not return for the end of the file. A zip
archive with a member half written can't be closed, and what is raised is that.
"""

import _thread
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Result = TypeVar("Result")


def uninterrupted(call: Callable[[], Result]) -> Result:
    """What ``call`` returns, made in a thread where no handler of a signal runs.

    An interrupt is raised here, when the call has ended or before it began.

    Raises:
        Exception: What the call raises.
    """
    if threading.get_ident() != threading.main_thread().ident or sys.is_finalizing():  # no thread runs any more
        return call()
    turn, done, returned, raised = threading.Lock(), threading.Lock(), list[Result](), list[BaseException]()
    wanted = True

    def run() -> None:
        with turn:
            if wanted:
                try:
                    returned.append(call())
                except BaseException as error:  # raised below
                    raised.append(error)
        done.release()

    done.acquire()
    try:
        try:
            _thread.start_new_thread(run, ())  # an interrupt inside of Thread.start would leave that in pieces
        except RuntimeError:  # the interpreter is at its end, and starts no thread any more
            return call()
        done.acquire()
    except BaseException:
        wanted = False
        with turn:  # never interrupted in the middle, and not begun after this
            raise
    if raised:
        raise raised.pop()  # which nothing here then keeps, with all that its frames hold
    return returned.pop()


@contextmanager
def afterwards(call: Callable[[], object]) -> Iterator[None]:
    """``call`` is made to its end after the block, whatever ends that and whenever; perhaps twice."""
    try:
        try:
            yield
        finally:
            uninterrupted(call)
    except BaseException:  # again, where an interrupt came on the threshold
        uninterrupted(call)
        raise
