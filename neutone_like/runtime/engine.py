"""The pool of workers, and the sessions on it."""

import weakref
from collections.abc import Sequence
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NoReturn, get_args

from neutone_like.arguments import as_flag, is_one_of
from neutone_like.artifact import Artifact
from neutone_like.errors import RuntimeEngineError
from neutone_like.numbers import real_number, whole_number
from neutone_like.printing import Printed, Row
from neutone_like.runtime.backends import Backend
from neutone_like.runtime.choosing import EngineBackendName, choose_backend
from neutone_like.runtime.forking import require_same_process, this_process
from neutone_like.runtime.host_config import HostConfig
from neutone_like.runtime.mode import Mode
from neutone_like.runtime.model_calls import refuse_inside_engine
from neutone_like.runtime.native_module import native_module
from neutone_like.runtime.realtime_report import RealtimeReport
from neutone_like.runtime.realtime_run import ParameterChange, RealtimeRun, as_tuple
from neutone_like.runtime.session import Session
from neutone_like.runtime.session_config import Adaptation, LatePolicy, SessionSettings, require_worker_to_wait_for
from neutone_like.runtime.statistics import WorkerStatistics, read_workers

if TYPE_CHECKING:
    from neutone_like.runtime import _native

Wake = Literal["event", "poll"]
MAXIMUM_WORKERS = 64


class Engine(Printed):
    """Plays models in real time, on threads of its own that never touch Python.

    Use it in a ``with`` statement, or call :meth:`close`. An engine left open is closed when the interpreter exits.

    Args:
        workers: Threads that run models. Sessions share them, the earliest deadline first; one session's blocks run in
            order, on one worker at a time. Raise it to at most the number of idle processors.
        wake: ``"event"`` wakes a worker with one system call of the audio thread; ``"poll"`` lets workers look for work
            every 50 us, which costs them some CPU and the audio thread nothing. After a second without a block they
            look every 2 ms, so the first one after a pause may be that late; where no session is open they sleep.
        realtime_priority: Ask for real-time priority; :attr:`has_realtime_priority` says whether it was granted.
        watchdog_seconds: A session whose model block takes longer goes silent; the others play on. What a busy machine
            lets it wait for a processor is not counted.
            :meth:`open` waits two seconds longer for each call, since a model's first ones are slow.

    Raises:
        RuntimeEngineError: A value that is not allowed, or no native engine in this installation.
    """

    def __init__(
        self,
        workers: int = 1,
        *,
        wake: Wake = "event",
        realtime_priority: bool = True,
        watchdog_seconds: float = 2.0,
    ) -> None:
        workers = whole_number(workers, "workers", 1, MAXIMUM_WORKERS, error=RuntimeEngineError)
        watchdog = real_number(watchdog_seconds, "watchdog_seconds", 0.01, 3600, error=RuntimeEngineError)
        if not is_one_of(wake, get_args(Wake)):
            raise RuntimeEngineError(f"wake must be one of {get_args(Wake)}, got {wake!r}.")
        native = native_module()
        config = native.EngineConfig()
        config.workers = workers
        config.polling = wake == "poll"
        config.realtime_priority = as_flag(realtime_priority, "realtime_priority", RuntimeEngineError)
        config.watchdog_seconds = watchdog
        self.wake: Wake = wake
        self._process = this_process()
        self._config = config
        self._native = native.Engine(config)
        # Also when the interpreter exits: workers may be inside a Python backend, and must be out before Python goes.
        self._close = weakref.finalize(self, self._native.close)

    def __reduce__(self) -> NoReturn:
        """Raises RuntimeEngineError: threads can't be copied or pickled."""
        raise RuntimeEngineError("An engine can't be copied or pickled: make another one with Engine(...).")

    def _title(self) -> str:
        workers = f"{self.workers} worker{'' if self.workers == 1 else 's'}"
        if not self._close.alive:
            return f"Engine({workers}, {self.wake}, closed)"
        return (
            f"Engine({workers}, {self.wake}, real-time priority {'' if self.has_realtime_priority else 'not '}granted)"
        )

    def _html_rows(self) -> list[Row]:
        return [(f"worker {index}", repr(each)) for index, each in enumerate(self.worker_statistics(), 1)]

    def __enter__(self) -> "Engine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def workers(self) -> int:
        """How many threads run models."""
        return self._config.workers

    @property
    def has_realtime_priority(self) -> bool:
        """Whether the system granted real-time priority to the workers."""
        return all(worker.realtime_priority for worker in self.worker_statistics())

    def open(
        self,
        model: str | PathLike[str] | Artifact | Backend,
        host: HostConfig,
        *,
        mode: Mode = "async",
        backend: EngineBackendName | Backend = "auto",
        adaptation: Adaptation = "native",
        late_policy: LatePolicy = "fade",
        max_inference_seconds: float | None = None,
        instances: int = 1,
        queue_seconds: float = 2.0,
    ) -> Session:
        """Get a model ready for a host. It is loaded, sized, warmed up and measured here, which takes a while.

        Args:
            model: The path of an artifact, of a compiled model or of an exported ``.onnx`` or ``.tflite`` file whose
                sidecar lies beside it, an :class:`neutone_like.Artifact`, a
                :class:`neutone_like.runtime.PythonBackend` or a :class:`neutone_like.runtime.NativeBackend`.
            host: What the host promises.
            mode: ``"async"`` runs the model on a worker: the audio thread never waits, unless the host says
                ``wait_fraction``, and latency allows for the worker's time. ``"inline"`` runs it in ``process``: no
                latency added, and as real-time safe as the model is, which a compiled one is.
            backend: What computes an artifact. ``"auto"`` is ``"compiled"`` where there is a ``model.nlc`` of this
                ``model.nm`` beside it, for the rate that the model has for this host, else ``"torchscript"``;
                :attr:`Session.backend_name` says which. Where an exported file lies beside it too and its engine is
                installed, all are measured once in this host's blocks and the fastest that plays the same plays
                (:attr:`Session.backend_reason`); in ``"inline"`` mode a compiled one stays. ``"onnxruntime"`` and
                ``"litert"`` play what was exported for them, out of the packages of these names. Or a PythonBackend or
                NativeBackend, which declares the same channels and parameters.
            adaptation: ``"native"`` fits rates, blocks and parameters in C++; ``"embedded"`` plays the wrapper inside
                the artifact, as a plugin does.
            late_policy: What is heard instead of samples that are not ready in time: ``"fade"`` fades the last one to
                silence, ``"hold"`` holds it, ``"dry"`` lets the input through.
            max_inference_seconds: The longest time that a model block takes, for the latency; None to measure it.
            instances: More than one lets blocks of a stateless model run at the same time on as many workers.
            queue_seconds: How much input is kept while the worker stalls, before the stream starts afresh.

        Raises:
            RuntimeEngineError: A value that is not allowed, a backend that does not load, a model that does not return
                from a call, not enough memory, or the engine is closed.
            ArtifactError: The artifact can't be played; the message says why.
            MissingExtraError: The package that should play it is not installed.
            AudioError: The two rates have too small a common divisor.
        """
        settings = SessionSettings(mode, adaptation, late_policy, max_inference_seconds, instances, queue_seconds)
        if not isinstance(host, HostConfig):
            raise RuntimeEngineError(f"Expected a HostConfig for host, got {type(host).__name__}.")
        require_worker_to_wait_for(host, settings.mode)
        chosen = choose_backend(model, host, backend, settings.adaptation, settings.mode)
        return Session(self, self._require_open(), chosen, host, settings)

    def run_realtime(
        self,
        sessions: Session | Sequence[Session],
        seconds: float = 10.0,
        *,
        input: Any = None,
        parameter_changes: Sequence[ParameterChange] = (),
        jitter_seconds: float = 0.0,
        vary_blocks: bool = False,
        record: bool = False,
        output: str | PathLike[str] | None = None,
        realtime_priority: bool = True,
        seed: int = 0,
    ) -> RealtimeReport:
        """Play sessions at real deadlines: each on a native thread that calls it as a sound card would.

        For every host setting a session that does nothing plays beside them, on workers of its own: what happens to
        that one is the machine's fault. A session that is closed or prepared meanwhile ends early, and the run with the
        last of them. Interrupting a run (Ctrl-C) closes its sessions.

        Args:
            sessions: All play at once.
            seconds: How long.
            input: float32 ``[channels, N]`` or an audio file, played in a loop; None for quiet noise.
            parameter_changes: At given host samples.
            jitter_seconds: Every callback begins up to so much late, at random.
            vary_blocks: Blocks of random sizes up to the promised one.
            record: Keep what came out, in ``report.sessions[i].output``.
            output: Write what came out of the (only) session to this audio file.
            realtime_priority: Ask the system for it, for the calling threads.
            seed: Of everything random.

        Returns:
            What was counted and timed in this run alone.

        Raises:
            RuntimeEngineError: No session, one of another engine, a closed one, one that another run plays, a value out
                of range, or a model in inline mode that does not return.
            AudioError: Input of another type, shape or rate, a damaged file, or an output that can't be written or is
                the input.
            ParameterError: A change of a parameter that a session does not have, or out of its range.
        """
        native = self._require_open()
        refuse_inside_engine(native, "run_realtime()")
        run = RealtimeRun(
            sessions=as_tuple(sessions, Session, "sessions"),
            seconds=seconds,
            input=input,
            parameter_changes=as_tuple(parameter_changes, ParameterChange, "parameter_changes"),
            jitter_seconds=jitter_seconds,
            vary_blocks=vary_blocks,
            record=record,
            output=output,
            realtime_priority=realtime_priority,
            seed=seed,
        )
        return run.play(native, self._config)

    def worker_statistics(self) -> tuple[WorkerStatistics, ...]:
        """What each worker did so far."""
        return read_workers(self._native)

    def close(self) -> None:
        """Close every session and end the workers. Closing twice does nothing.

        What other threads do with the engine ends: sessions that are being opened, and runs. A model that does not
        return within ``watchdog_seconds`` is left behind.

        Raises:
            RuntimeEngineError: A model that the engine plays asks for it.
        """
        refuse_inside_engine(self._native, "Engine.close()")
        self._close()

    def _require_open(self) -> "_native.Engine":
        require_same_process(self._process, "The engine")
        if not self._close.alive:
            raise RuntimeEngineError("The engine is closed. Make another one with Engine(...).")
        return self._native
