"""Ctrl-C, exit, close and the garbage collector at any moment: nothing hangs, and the caller is told."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neutone_like import RuntimeEngineError
from neutone_like.runtime import BuiltinBackend, Engine, HostConfig, PythonBackend, Session
from support.runtime_models import Audio, noise

HOST = HostConfig(48000, 64)
X = noise(64)
# Every block takes 20 ms, so that a minute of audio takes ten; the copy that is measured takes none.
SLOW = BuiltinBackend(
    "faults",
    block_size=64,
    options={"stall_block": 0, "stall_every": 1, "stall_count": 1e9, "stall_ms": 20},
)
STUCK = BuiltinBackend("faults", options={"hang_block": 0, "hang_seconds": 4})


@pytest.fixture
def interrupted() -> Iterator[Callable[[Callable[[], object]], None]]:
    """Does something, and interrupts it a moment later as a terminal does; what it raises is in here, however early."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timers: list[threading.Timer] = []

    def do(action: Callable[[], object]) -> None:
        timers.append(threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)))
        timers[-1].start()
        action()

    yield do
    for timer in timers:
        timer.join()
    signal.signal(signal.SIGINT, before)


def sleeps(x: Audio, parameters: dict[str, Audio]) -> Audio:
    time.sleep(0.005)
    return x


def test_ctrl_c_ends_what_takes_long(interrupted: Callable[[Callable[[], object]], None]) -> None:
    minute = np.zeros((2, 60 * 48000), np.float32)
    with Engine(watchdog_seconds=600.0) as engine:
        slow = engine.open(SLOW, HOST, mode="inline")
        sleeping = engine.open(PythonBackend(sleeps, block_size=64), HOST, mode="inline", max_inference_seconds=0.1)
        stuck = engine.open(STUCK, HOST, max_inference_seconds=0.001)
        stuck.process(X)

        def play_on() -> None:
            while True:
                sleeping.process(X)

        for action in (
            lambda: slow.process_offline(minute),
            lambda: sleeping.process_offline(minute),
            play_on,
            stuck.wait_idle,
        ):
            with pytest.raises(KeyboardInterrupt):
                interrupted(action)
        np.testing.assert_array_equal(sleeping.process(X), X)  # and all go on as before
        with pytest.raises(KeyboardInterrupt):
            interrupted(engine.close)
        assert stuck.is_closed


def test_ctrl_c_ends_opening(interrupted: Callable[[Callable[[], object]], None]) -> None:
    returns = threading.Event()

    def waits(x: Audio, parameters: dict[str, Audio]) -> Audio:
        returns.wait(600.0)
        return x

    with Engine(watchdog_seconds=600.0) as engine:
        with pytest.raises(KeyboardInterrupt):
            interrupted(lambda: engine.open(PythonBackend(waits), HOST))
        session = engine.open(BuiltinBackend("identity"), HOST, mode="inline")
        np.testing.assert_array_equal(session.process(X), X)
        returns.set()


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_what_is_no_exception_reaches_the_caller(raised: type[BaseException]) -> None:
    asked: list[int] = []

    def quits(x: Audio, parameters: dict[str, Audio]) -> Audio:
        if asked:
            raise raised
        return x

    with Engine() as engine:
        session = engine.open(PythonBackend(quits), HOST, mode="inline", max_inference_seconds=0.01)
        asked.append(1)
        with pytest.raises(raised):
            session.process(X)
        with pytest.raises(raised):
            session.process_offline(noise(640))
        asked.clear()
        session.reset()
        np.testing.assert_array_equal(session.process(X), X)
        on_worker = engine.open(PythonBackend(quits), HOST, max_inference_seconds=0.01)
        asked.append(1)
        on_worker.process(X)
        on_worker.wait_idle()
        assert on_worker.stats().last_error.startswith(raised.__name__)  # where nobody waits it is a failed block


class NeverReturns:
    """Waits in one of its methods until it is told to go on."""

    def __init__(self, method: str, returns: threading.Event) -> None:
        self.method, self.returns = method, returns

    def _do(self, method: str) -> None:
        if method == self.method:
            self.returns.wait(600.0)

    def __deepcopy__(self, memo: Any) -> "NeverReturns":
        self._do("copy")
        return NeverReturns(self.method, self.returns)

    def prepare(self, sample_rate: int, longest_block: int) -> None:
        self._do("prepare")

    def reset(self) -> None:
        self._do("reset")

    def __call__(self, x: Audio, parameters: dict[str, Audio]) -> Audio:
        self._do("call")
        return x


def test_opening_gives_up_a_model_that_never_returns() -> None:
    returns = threading.Event()

    def refusal(method: str) -> str:
        with Engine(watchdog_seconds=0.1) as engine, pytest.raises(RuntimeEngineError) as caught:
            engine.open(PythonBackend(NeverReturns(method, returns)), HOST)
        return str(caught.value)

    with ThreadPoolExecutor(3) as pool:
        messages = list(pool.map(refusal, ("call", "prepare", "copy")))
    returns.set()
    assert all("not returned from one call for 2.1" in message for message in messages), messages


def every_action(session: Session, engine: Engine) -> dict[str, Callable[[], object]]:
    return {
        "close()": session.close,
        "reset()": session.reset,
        "prepare()": lambda: session.prepare(HOST),
        "process_offline()": lambda: session.process_offline(X),
        "wait_idle()": session.wait_idle,
        "Engine.close()": engine.close,
        "run_realtime()": lambda: engine.run_realtime(session, 0.01),
    }


@pytest.mark.parametrize("mode", ["inline", "async"])
@pytest.mark.parametrize("where", ["call", "reset"])
def test_a_model_that_would_wait_for_itself_is_told_so(mode: Any, where: str) -> None:
    pending: list[Callable[[], object]] = []
    said: list[str] = []

    class Meddler:
        def act(self, method: str) -> None:
            if method == where and pending:
                try:
                    pending.pop()()
                except RuntimeEngineError as error:
                    said.append(str(error))

        def __deepcopy__(self, memo: Any) -> "Meddler":
            return Meddler()

        def reset(self) -> None:
            self.act("reset")

        def __call__(self, x: Audio, parameters: dict[str, Audio]) -> Audio:
            self.act("call")
            return x

    with Engine() as engine:
        session = engine.open(PythonBackend(Meddler()), HOST, mode=mode, max_inference_seconds=0.25)
        for name, action in every_action(session, engine).items():
            pending.append(action)
            if where == "call":
                session.process(X)
                session.wait_idle()
            else:
                session.reset()
            if mode == "async" or name != "wait_idle()" or said:
                assert said.pop().startswith(name), name
        latency = session.latency_samples
        session.reset()
        y = np.concatenate([session.process(X) for _ in range(latency // 64 + 1)], axis=1)
        np.testing.assert_array_equal(y[:, latency : latency + 1], X[:, :1])


def test_a_session_that_nobody_holds_is_closed_and_is_no_load() -> None:
    with Engine() as engine:

        def latency() -> int:
            return engine.open(BuiltinBackend("identity"), HOST, max_inference_seconds=0.01).latency_samples

        assert {latency() for _ in range(5)} == {latency()}
        kept = engine.open(BuiltinBackend("identity"), HOST, max_inference_seconds=0.01)
        assert latency() > kept.latency_samples  # which is how load would show


def test_close_ends_what_other_threads_do() -> None:
    minute = np.zeros((2, 60 * 48000), np.float32)
    closing = threading.Event()

    def waits(x: Audio, parameters: dict[str, Audio]) -> Audio:
        closing.wait(600.0)  # so that it is being opened until then, however long the others take
        return x

    with ThreadPoolExecutor(4) as pool, Engine(watchdog_seconds=600.0) as engine:
        rendered, played = engine.open(SLOW, HOST, mode="inline"), engine.open(BuiltinBackend("identity"), HOST)
        far_apart = engine.open(BuiltinBackend("identity"), HostConfig(1000, 1 << 15), mode="inline")
        rendering = pool.submit(rendered.process_offline, minute)
        run = pool.submit(engine.run_realtime, [played, far_apart], 3600.0)
        opening = pool.submit(engine.open, PythonBackend(waits), HOST)
        while played.stats().callbacks == 0:
            time.sleep(0.01)
        with pytest.raises(RuntimeEngineError, match="run_realtime plays this session"):
            played.process(X)
        with pytest.raises(RuntimeEngineError, match="Another run_realtime plays this session"):
            engine.run_realtime(played, 0.1)
        rendered.close()
        with pytest.raises(RuntimeEngineError, match="session is closed"):
            rendering.result(600)
        closer = pool.submit(engine.close)
        while not played.is_closed:
            time.sleep(0.01)
        closing.set()
        with pytest.raises(RuntimeEngineError, match="engine (was|is) closed"):
            opening.result(600)
        report = run.result(600)
        assert {part.ended_early for part in report.sessions} == {"the session was closed"}
        closer.result(600)


PROGRAM = """
import os, signal, sys, threading, time
import numpy as np
from neutone_like.runtime import BuiltinBackend, Engine, HostConfig, PythonBackend

def sleeps(x, parameters):
    time.sleep(0.01)
    return x

HOST, X = HostConfig(48000, 64), np.zeros((2, 64), np.float32)
engine, other = Engine(), Engine(watchdog_seconds=0.5)
child = os.fork()
if child == 0:
    sys.exit(0)  # none of the engines' threads is here
assert os.waitpid(child, 0)[1] == 0
models = BuiltinBackend("identity"), PythonBackend(sleeps, block_size=64)
ways = [(model, mode) for model in models for mode in ("async", "inline")]
sessions = [engine.open(model, HOST, mode=mode, max_inference_seconds=0.05) for model, mode in ways]
runs = [engine.open(model, HOST, max_inference_seconds=0.05) for model in models]
offline = [engine.open(model, HOST, mode="inline", max_inference_seconds=0.05) for model in models]

def again(action):
    def act():
        while True:
            action()
    threading.Thread(target=act, daemon=True).start()

for session in sessions:
    again(lambda session=session: session.process(X))
for session in offline:
    again(lambda session=session: session.process_offline(np.zeros((2, 480000), np.float32)))
for run in runs:
    again(lambda run=run: engine.run_realtime(run, 3600.0))
again(lambda: other.open(models[1], HOST))
again(lambda: other.open(PythonBackend(lambda x, parameters: time.sleep(3600)), HOST))
while not all(run.stats().callbacks for run in runs):
    time.sleep(0.01)
"""


def test_the_interpreter_ends_while_daemons_are_inside(subprocess_environment: dict[str, str], tmp_path: Path) -> None:
    """As far as a process can tell in which moment it ended, it is a different one each time."""
    runs = [
        subprocess.run(
            [sys.executable, "-c", f"{PROGRAM}\ntime.sleep({wait})"], cwd=tmp_path, env=subprocess_environment,
            capture_output=True, text=True, timeout=600, check=False,
        )
        for wait in (0.05, 0.4)
    ]  # fmt: skip
    # Threads of a daemon's own may say that they lost their engine; nothing may abort or hang.
    assert [(run.returncode, "terminate called" in run.stderr, "Fatal" in run.stderr) for run in runs] == [
        (0, False, False)
    ] * 2, runs[0].stderr + runs[1].stderr
