"""Engines in forked processes, where their threads are not: refused in words, and nothing waits for them."""

import copy
import os
import pickle
import signal
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from neutone_like import RuntimeEngineError, load_compiled
from neutone_like.runtime import BuiltinBackend, Engine, HostConfig, Session
from support.places import PROJECT
from support.runtime_models import noise

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]
HOST, X = HostConfig(48000, 64), noise(64)
ACTIONS: list[Callable[[Engine, Session], Any]] = [
    lambda engine, session: session.process(X),
    lambda engine, session: session.process_offline(X),
    lambda engine, session: session.reset(),
    lambda engine, session: session.prepare(HOST),
    lambda engine, session: session.wait_idle(),
    lambda engine, session: engine.open(BuiltinBackend("identity"), HOST),
    lambda engine, session: engine.run_realtime(session, 0.1),
]


def said_in_a_child(action: Callable[[], Any]) -> str:
    """What it raises there, of a child that ends within a minute."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            action()
            os.write(writing, b"nothing")
        except BaseException as error:
            os.write(writing, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        said = file.read()
    assert os.waitpid(child, 0)[1] == 0
    return said


@pytest.mark.parametrize("mode", ["async", "inline"])
def test_a_child_is_told(mode: Any) -> None:
    with Engine() as engine, engine.open(BuiltinBackend("identity"), HOST, mode=mode) as session:

        def all_of_them() -> None:
            for action in ACTIONS:
                with pytest.raises(RuntimeEngineError, match="was made before this process was forked off"):
                    action(engine, session)
            session.close()
            engine.close()
            with Engine() as own, own.open(BuiltinBackend("identity"), HOST, mode="inline") as other:
                np.testing.assert_array_equal(other.process(X), X)

        assert said_in_a_child(all_of_them) == "nothing"
        session.process(X)
        session.wait_idle()  # and the parent goes on


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_threads_are_not_copied(copied: Callable[[Any], Any]) -> None:
    with Engine() as engine, engine.open(BuiltinBackend("identity"), HOST, mode="inline") as session:
        with pytest.raises(RuntimeEngineError, match="A session can't be copied or pickled: open another one"):
            copied(session)
        with pytest.raises(RuntimeEngineError, match="An engine can't be copied or pickled: make another one"):
            copied(engine)


def test_a_compiled_model_that_played_when_the_process_was_forked_tells_the_child() -> None:
    """The thread that is inside did not come along: nobody would ever let the child in."""
    model, ends = load_compiled(PROJECT / "exported" / "overdrive"), threading.Event()
    long, short = (np.zeros((model.in_channels, samples), np.float32) for samples in (1 << 20, 64))

    def play() -> None:
        while not ends.is_set():
            model.process(long)

    def ask() -> None:
        try:
            model.process(short)
        except RuntimeEngineError:  # forked while the thread was inside
            with pytest.raises(RuntimeEngineError, match="when this process was forked off.*Use a model of its own"):
                model.reset()
            copy.copy(model).process(short)
        else:
            model.reset()
            raise RuntimeEngineError("forked between two blocks")

    thread = threading.Thread(target=play)
    thread.start()
    try:
        said = next(each for each in (said_in_a_child(ask) for _ in range(1000)) if "between two" not in each)
    finally:
        ends.set()
        thread.join()
    assert said == "nothing"
    model.reset()
