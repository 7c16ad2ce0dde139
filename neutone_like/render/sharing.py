"""Who uses an effect. Effects keep state, so one render at a time may use one, and a stream whose effect was taken by
another is over: it is refused, since it would give other samples.
"""

import os
import threading
from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

from neutone_like.errors import ModelError


class Users:
    """Which thread uses what, by identity; and which stream had it last."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.threads: dict[int, int] = {}
        self.streams: WeakKeyDictionary[Any, object] = WeakKeyDictionary()


users = Users()
_acting = threading.local()


def _forget_other_threads() -> None:
    """In a forked child there is none of them, and nobody to give back what they hold."""
    users.changed = threading.Condition()
    users.threads = {}


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_other_threads)


def acting_thread() -> int:
    """The thread that what happens here is done for."""
    return getattr(_acting, "thread", threading.get_ident())


def act_for(thread: int) -> None:
    """From now on this thread works for another one, which waits for it."""
    _acting.thread = thread


class using:
    """Hold ``parts`` inside a ``with`` statement, after waiting until no other thread does.

    A class, and no generator, so that whatever moment an interrupt comes at, what is held is given back.

    Args:
        parts: What keeps state.
        name: Of it all, for a message.

    Raises:
        ModelError: This thread uses a part already, as a progress function does that renders with what reports to it;
            or it holds something else, so that waiting might never end.
    """

    _holds = False

    def __init__(self, parts: Iterable[Any], name: str) -> None:
        self._parts = {id(part): part for part in parts}  # which also keeps them alive
        self._name = name
        self._me = acting_thread()

    def __del__(self) -> None:
        if self._holds:  # an interrupt came on the threshold of __exit__
            self._give_back()

    def __enter__(self) -> None:
        try:
            with users.changed:
                self._take(self._me)
        except ModelError:
            raise
        except BaseException:
            self._give_back()
            raise

    def __exit__(self, *_: object) -> None:
        try:
            self._give_back()
        except KeyboardInterrupt:
            self._give_back()
            raise

    def _take(self, me: int) -> None:
        while taken := {users.threads[key] for key in self._parts if key in users.threads}:
            if me in taken:
                raise ModelError(
                    f"{self._name} is at work in this thread already, and keeps state: rendering with it from a "
                    "progress function, or from within a model, would give other samples. Make a second one for that."
                )
            if me in users.threads.values():
                raise ModelError(
                    f"{self._name} is used by another thread, and this one may not wait for it in the middle of a "
                    "render. Make a second one for this thread."
                )
            users.changed.wait()
        self._holds = True
        users.threads.update(dict.fromkeys(self._parts, me))

    def _give_back(self) -> None:
        with users.changed:
            for key in self._parts:
                if users.threads.get(key) == self._me:
                    del users.threads[key]
            self._holds = False
            users.changed.notify_all()


def begin_stream(parts: Iterable[Any]) -> object:
    """From now on the parts' state is that of a stream, which what is returned stands for."""
    stream = object()
    for part in parts:
        users.streams[part] = stream
    return stream


def require_stream(stream: object, parts: Iterable[Any], name: str) -> None:
    """Check that nobody else has begun a stream with the parts.

    Raises:
        ModelError: Somebody has.
    """
    if any(users.streams.get(part) is not stream for part in parts):
        raise ModelError(
            f"{name} keeps state, and another render or stream has used it since this stream began, so that it can't "
            "go on. Use one for each stream, such as ModelPlugin(artifact)."
        )


def states_of_model(module: Any) -> list[Any]:
    """What of a wrapper keeps state: itself, and the model in it, which another wrapper may have too."""
    inner = [getattr(module, name, None) for name in ("w2w_base", "nrb", "module")]
    return [module, *(each for each in inner if each is not None)]


def states_of_effect(plugin: Any) -> list[Any]:
    """What of a pedalboard plugin keeps state: itself, and those in it."""
    try:
        inside = list(plugin)
    except TypeError:  # no container
        inside = []
    return [plugin, *(state for each in inside for state in states_of_effect(each))]
