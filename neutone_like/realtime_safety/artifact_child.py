"""The child process that plays an artifact: the native engine with a virtual audio device, inside the interposer.

A tenth of the callbacks come in real time, where the model keeps up. The rest follow each other at once, where it
cannot: blocks are late, queues are full, streams begin afresh, and the audio thread has to live with all of it.
"""

import ctypes
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neutone_like.artifact import load_artifact
from neutone_like.errors import NeutoneLikeError, RuntimeEngineError
from neutone_like.realtime_safety.reading import COULD_NOT_BEGIN
from neutone_like.runtime.choosing import choose_backend
from neutone_like.runtime.host_config import HostConfig
from neutone_like.runtime.mode import Mode
from neutone_like.runtime.native_module import native_module
from neutone_like.runtime.session import REFUSALS, Session
from neutone_like.runtime.session_config import SessionSettings

if TYPE_CHECKING:
    from neutone_like.runtime import _native

IN_REAL_TIME = 0.1
CALLBACKS_BETWEEN_CHANGES = 10
DISTINCT_VALUES = 7


@dataclass(frozen=True)
class ChildSettings:
    """What the command line holds, as JSON."""

    mode: Mode
    wake: str
    controls: str
    path: str
    callbacks: int
    warm_up_callbacks: int
    block_size: int
    sample_rate: int
    channels: int
    wait_fraction: float
    longest_callback_seconds: float
    report_file: int
    allow_operators: list[str]


class Checker:
    """The interposer's functions, which are in the process already."""

    def __init__(self) -> None:
        process = ctypes.CDLL(None)
        self.self_test = self._function(process, "neutone_like_rt_self_test", ctypes.c_char_p)
        arguments = (ctypes.c_int, ctypes.c_int64, ctypes.c_double)
        self.start = self._function(process, "neutone_like_rt_start", *arguments)
        self.finish = self._function(process, "neutone_like_rt_finish")

    @staticmethod
    def _function(process: ctypes.CDLL, name: str, *arguments: Any) -> Callable[..., int]:
        function = process[name]
        function.argtypes = arguments
        return function


def run(settings: ChildSettings) -> None:
    """Play, and have the report written.

    Raises:
        RuntimeEngineError: The controls could not be run, or the session ended early.
        NeutoneLikeError: What keeps the artifact from being played.
    """
    checker = Checker()
    if checker.self_test(settings.controls.encode()) != 0:
        raise RuntimeEngineError(f"The controls in {settings.controls} can't be run.")
    native = native_module()
    engine = native.Engine(_engine_config(settings.wake))
    try:
        host = HostConfig(
            settings.sample_rate, settings.block_size, settings.channels, wait_fraction=settings.wait_fraction
        )
        model: Any = settings.path
        if settings.allow_operators:  # only what TorchScript plays has any
            model = load_artifact(settings.path, allow_operators=settings.allow_operators)
        backend = choose_backend(model, host, mode=settings.mode)
        session = Session(None, engine, backend, host, SessionSettings(mode=settings.mode))
        paced = max(1, int(settings.callbacks * IN_REAL_TIME))
        plans = [_plan(session, paced, paced=True)]
        if settings.callbacks > paced:
            plans.append(_plan(session, settings.callbacks - paced, paced=False))
        checker.start(settings.report_file, settings.warm_up_callbacks, settings.longest_callback_seconds)
        for plan in plans:
            result = engine.run_realtime([plan])[0]
            if result.error.name != "ok":
                raise RuntimeEngineError(f"The run ended early: {REFUSALS[result.error.name]}.")
        checker.finish()
    finally:
        engine.close()


def _engine_config(wake: str) -> "_native.EngineConfig":
    config = native_module().EngineConfig()
    config.workers = 1
    config.polling = wake == "poll"
    config.realtime_priority = True
    return config


def _plan(session: Session, callbacks: int, paced: bool) -> "_native.DevicePlan":
    plan = native_module().DevicePlan(session.native)
    plan.callbacks = callbacks
    plan.paced = paced
    plan.realtime_priority = paced  # without pauses it would keep a core from everybody else
    step = CALLBACKS_BETWEEN_CHANGES * session.host.block_size
    for change in range(callbacks // CALLBACKS_BETWEEN_CHANGES):
        for index in range(len(session.parameters)):
            value = ((change + index) % DISTINCT_VALUES) / (DISTINCT_VALUES - 1)
            plan.add_change(change * step, index, value)
    return plan


if __name__ == "__main__":
    try:
        run(ChildSettings(**json.loads(sys.argv[1])))
    except NeutoneLikeError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(COULD_NOT_BEGIN)
