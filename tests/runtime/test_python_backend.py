"""Python callables as models, and what becomes of them when the interpreter ends, in fresh processes."""

import gc
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neutone_like import ContinuousParameter, ModelError, RuntimeEngineError
from neutone_like.runtime import Engine, HostConfig, PythonBackend
from support.runtime_models import Audio, noise, play, regular

HOST = HostConfig(48000, 128)


class Recorder:
    """Keeps what it is given, and by whom."""

    def __init__(self) -> None:
        self.heard: list[Audio] = []
        self.values: list[dict[str, Audio]] = []
        self.threads: set[int] = set()
        self.thread_objects: set[threading.Thread] = set()
        self.prepared: tuple[int, int] | None = None
        self.resets = 0

    def __deepcopy__(self, memo: Any) -> "Recorder":
        return Recorder()

    def __call__(self, x: Audio, parameters: dict[str, Audio]) -> Audio:
        self.heard.append(x)
        self.values.append(parameters)
        self.threads.add(threading.get_ident())
        self.thread_objects.add(threading.current_thread())
        return x

    def prepare(self, sample_rate: int, longest_block: int) -> None:
        self.prepared = (sample_rate, longest_block)

    def reset(self) -> None:
        self.resets += 1


def test_what_a_callable_is_given() -> None:
    recorder = Recorder()
    parameters = (
        ContinuousParameter("slow", default=2.0, maximum=4.0),
        ContinuousParameter("fast", default=3.0, maximum=4.0, rate="sample"),
    )
    x = noise(1280)
    with Engine() as engine:
        backend = PythonBackend(
            lambda x, parameters: recorder(x, parameters)[:, 10:], parameters=parameters, look_behind_samples=10
        )
        session = engine.open(backend, HOST, mode="inline")
        assert session.name == "<lambda>"
        recorder.heard.clear()
        recorder.values.clear()
        play(session, x, regular(1280, 128))
        assert [block.shape for block in recorder.heard] == [(2, 138)] * 10
        new = np.concatenate([block[:, 10:] for block in recorder.heard], 1)
        np.testing.assert_array_equal(new, x)
        for number, block in enumerate(recorder.heard[1:], 1):
            np.testing.assert_array_equal(block[:, :10], x[:, number * 128 - 10 : number * 128])
        assert not recorder.heard[0][:, :10].any()
        for values in recorder.values:
            assert (values["slow"].shape, values["fast"].shape) == ((1,), (128,))
            np.testing.assert_allclose(values["slow"], 2.0)
            np.testing.assert_allclose(values["fast"], 3.0)


def test_what_it_keeps_stays_as_it_was() -> None:
    """What a callable was given is its own: the engine's next block does not write over it."""
    recorder = Recorder()
    x = noise(1280)
    with Engine() as engine:
        play(engine.open(PythonBackend(recorder), HOST), x, regular(1280, 128))
    np.testing.assert_array_equal(np.concatenate(recorder.heard, 1), x)


def test_a_copy_is_measured_and_one_thread_state_serves_a_worker_for_life() -> None:
    recorder = Recorder()
    with Engine() as engine:
        session = engine.open(PythonBackend(recorder, sample_rate=44100, block_size=64), HOST)
        assert recorder.prepared == (44100, 64)
        assert recorder.heard == []
        play(session, noise(12800), regular(12800, 128))
        assert len(recorder.heard) > 150
        assert len(recorder.threads) == 1
        # threading makes an object for every thread state that it has not seen.
        assert len(recorder.thread_objects) == 1
        resets = recorder.resets
        session.reset()
        assert recorder.resets == resets + 1


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x, p: x[:, 1:], r"return floating-point audio of shape \[2, 128\] for .* got float32 of .*127"),
        (lambda x, p: x.astype(int), r"shape \[2, 128\].*, got int64 of shape \[2, 128\]"),
        (lambda x, p: None, "got object of shape"),
        (lambda x, p: p["depth"], "KeyError: 'depth'"),
        (lambda x: x, "TypeError: .*takes 1 positional argument but 2 were given"),
    ],
)  # fmt: skip
def test_a_callable_that_does_not_work_is_refused_when_it_is_opened(function: Any, message: str) -> None:
    with Engine() as engine, pytest.raises(RuntimeEngineError, match=f"(?s)fails on a block.*{message}"):
        engine.open(PythonBackend(function), HOST)


def test_a_callable_that_breaks_later_is_counted_with_its_own_words() -> None:
    broken: list[str] = []

    def sometimes(x: Audio, parameters: dict[str, Audio]) -> Audio:
        if broken == ["raise"]:
            raise ValueError("the knob came off: Ωhm")
        if broken == ["long"]:
            raise ValueError("Ω" * 5000)  # which is cut somewhere in a letter
        return x[:, : 3 if broken else None] * 2

    x = noise(128)
    with Engine() as engine:
        session = engine.open(PythonBackend(sometimes), HOST, mode="inline")
        np.testing.assert_array_equal(session.process(x), x * 2)
        for mode, words in (("raise", "ValueError: the knob came off: Ωhm"), ("shape", "got float32 of shape [2, 3]")):
            broken[:] = [mode]
            assert not session.process(x).any()
            assert words in session.stats().last_error
        broken[:] = ["long"]
        session.process(x)
        assert session.stats().last_error.startswith("ValueError: ΩΩΩ")
        broken.clear()
        np.testing.assert_array_equal(session.process(x), x * 2)
        assert session.stats().failed_blocks == 3


def test_what_is_not_a_callable() -> None:
    with pytest.raises(ModelError, match="PythonBackend: expected a callable, got int"):
        PythonBackend(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_model_with_state_is_not_played_by_two_at_once() -> None:
    with Engine(workers=2) as engine:
        with pytest.raises(RuntimeEngineError, match=r"instances=2 .*Recorder has a method reset\(\). Use instances=1"):
            engine.open(PythonBackend(Recorder()), HOST, instances=2)
        x = noise(1280)
        session = engine.open(PythonBackend(lambda x, p: x * 0.5), HOST, instances=2)
        y = play(session, x, regular(1280, 128))
        late = session.latency_samples
        np.testing.assert_array_equal(y[:, late:], 0.5 * x[:, : 1280 - late])


def test_a_model_that_holds_its_own_session_is_collected() -> None:
    class Selfish(Recorder):
        session: Any = None

    with Engine() as engine:
        model = Selfish()
        model.session = engine.open(PythonBackend(model), HOST)
        model.session.process(noise(128))
        watched = weakref.ref(model)
        model.session.wait_idle()
        del model
        for _ in range(3):
            gc.collect()
        assert watched() is None


# Nothing may be left over at the end, but for what a thread that never ends holds.
PROGRAMS = {
    "closed": "with engine: session.process(x)",
    "left open": "session.process(x)",
    "left open and busy": "[session.process(x) for _ in range(50)]",
    "model holds session": "model.session = session; session.process(x)",
    "killed by an error": "session.process(x); raise SystemExit(0)",
    "session of a dead engine": "engine.close(); del engine; session.stats()",
}
PROGRAMS_WITH_STUCK_THREADS = {
    "model sleeps for ever": "model.sleep = 1e6; session.process(x); time.sleep(0.3)",
    "model computes for ever": "model.spin = True; session.process(x); time.sleep(0.3)",
    "in a thread": "threading.Thread(target=play_on, daemon=True).start(); time.sleep(0.05)",
}

PREAMBLE = """
import threading, time
import numpy as np
from neutone_like.runtime import Engine, HostConfig, PythonBackend

class Model:
    sleep = 0.0
    spin = False
    def __call__(self, x, parameters):
        time.sleep(self.sleep)
        while self.spin:
            pass
        return x
    def reset(self):
        pass

def play_on():
    while not session.is_closed:
        session.wait_idle()
        time.sleep(0.001)

x = np.zeros((2, 128), np.float32)
model = Model()
engine = Engine(watchdog_seconds=0.1)
session = engine.open(PythonBackend(model), HostConfig(48000, 128))
model = session._backend.function
"""


QUICK = ("left open and busy", "model computes for ever")
WATCH_LEAKS = "from neutone_like.runtime import _native; _native.set_leak_warnings(True)\n"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow)
        for name in PROGRAMS | PROGRAMS_WITH_STUCK_THREADS
    ],
)
def test_the_interpreter_ends_well(name: str, subprocess_environment: dict[str, str], tmp_path: Path) -> None:
    stuck = PROGRAMS_WITH_STUCK_THREADS.get(name)
    program = WATCH_LEAKS + PREAMBLE + PROGRAMS[name] if stuck is None else PREAMBLE + stuck
    command = [sys.executable, "-W", "error", "-c", program]
    run = subprocess.run(
        command, cwd=tmp_path, env=subprocess_environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""


def test_a_leak_would_be_seen(subprocess_environment: dict[str, str], tmp_path: Path) -> None:
    program = WATCH_LEAKS + PREAMBLE + "import ctypes; ctypes.pythonapi.Py_IncRef(ctypes.py_object(session._native))"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=subprocess_environment, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert run.returncode == 0
    assert "leaked instance" in run.stderr


def test_an_interrupted_run_ends(subprocess_environment: dict[str, str], tmp_path: Path) -> None:
    program = """
import os, signal, threading, time
from neutone_like.runtime import BuiltinBackend, Engine, HostConfig
with Engine() as engine:
    session = engine.open(BuiltinBackend("identity"), HostConfig(48000, 128))
    def press_ctrl_c():
        while session.stats().callbacks == 0:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=press_ctrl_c).start()
    try:
        engine.run_realtime(session, 3600.0)
    except KeyboardInterrupt:
        print("interrupted", session.is_closed, session.stats().callbacks > 0)
"""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=subprocess_environment, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == "interrupted True True\n"


def test_there_is_a_message_where_memory_ends(subprocess_environment: dict[str, str], tmp_path: Path) -> None:
    program = """
import resource
from neutone_like import RuntimeEngineError
from neutone_like.runtime import BuiltinBackend, Engine, HostConfig
with Engine() as engine:
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30), used + (1 << 30)))
    sessions = []
    try:
        while len(sessions) < 100:
            sessions.append(engine.open(BuiltinBackend("identity"), HostConfig(384000, 4096), queue_seconds=60.0))
    except RuntimeEngineError as error:
        assert 1 < len(sessions) < 10
        print(error)
    y = sessions[0].process_offline(__import__("numpy").ones((2, 9000), "float32"))
    print(y.sum())
"""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=subprocess_environment, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "not enough memory" in run.stdout
    assert "18000.0" in run.stdout


def test_what_is_said_where_the_engine_was_not_built(subprocess_environment: dict[str, str], tmp_path: Path) -> None:
    program = """
import sys
import neutone_like
assert "neutone_like.runtime._native" not in sys.modules
sys.modules["neutone_like.runtime._native"] = None
from neutone_like.runtime import Engine, HostConfig
HostConfig(48000, 128)
try:
    Engine()
except neutone_like.RuntimeEngineError as error:
    print(error)
"""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=subprocess_environment, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "The native engine is not there" in run.stdout
    assert "Install a C++20 compiler" in run.stdout
