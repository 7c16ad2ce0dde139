"""One model playing for one host."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from neutone_like.arguments import require_kind
from neutone_like.errors import AudioError, RuntimeEngineError
from neutone_like.model import NumericalParameter
from neutone_like.model.parameter_values import from_host_value
from neutone_like.printing import InNotebooks, Row
from neutone_like.runtime.audio_blocks import AnyAudio, give_back, read_audio
from neutone_like.runtime.backends import Backend
from neutone_like.runtime.forking import require_same_process, this_process
from neutone_like.runtime.host_config import HostConfig
from neutone_like.runtime.model_calls import ModelCaller, refuse_inside, refuse_inside_engine
from neutone_like.runtime.native_module import native_module
from neutone_like.runtime.parameter_settings import automation, host_value, require_name
from neutone_like.runtime.session_config import SessionSettings, session_config
from neutone_like.runtime.statistics import LatencyParts, SessionStatistics, read_latency_parts, read_statistics

if TYPE_CHECKING:
    from neutone_like.runtime import _native

# What ended a run early, by the name of a native ProcessResult.
REFUSALS = {
    "ok": "",
    "block_too_large": "a block was longer than promised",
    "two_threads": "another thread was inside process()",
    "closed": "the session was closed",
}


@dataclass(frozen=True)
class _Opened:
    """What :meth:`Session.prepare` replaces, all at once."""

    native: "_native.Session"
    host: HostConfig
    config: "_native.SessionConfig"


class Session(InNotebooks):
    """A model that is ready for a host's audio. :meth:`neutone_like.runtime.Engine.open` makes one.

    One thread at a time calls :meth:`process`; everything else may be called from any thread, at any time. What the
    model does wrong never raises from :meth:`process`: silence takes its place, and :meth:`stats` counts it.
    """

    def __init__(
        self, owner: object, engine: "_native.Engine", backend: Backend, host: HostConfig, settings: SessionSettings
    ) -> None:
        kinds = (native_module().Engine, Backend, HostConfig, SessionSettings)
        for part, kind in zip((engine, backend, host, settings), kinds, strict=True):
            require_kind(part, kind, RuntimeEngineError)
        self._owner = owner  # an engine closes its sessions when nobody holds it any more
        self._engine = engine
        self._backend = backend
        self._settings = settings
        facts = backend.facts  # made anew each time: too slow to ask for in process()
        self._name = facts.name
        self._parameters = facts.parameters
        self._indices = {parameter.name: index for index, parameter in enumerate(self._parameters)}
        self._caller = ModelCaller(engine, on_workers=settings.mode == "async")
        self._results = native_module().ProcessResult
        self._ok = self._results.ok
        self._control = threading.RLock()  # of the threads that prepare, reset and render; never the audio's
        self._preparing = False
        self._process = this_process()
        self._opened = self._open(host)

    def _open(self, host: HostConfig) -> _Opened:
        config = session_config(self._backend, host, self._settings)
        return _Opened(self._backend.open_session(self._engine, config, self._caller), host, config)

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        """Raises RuntimeEngineError: threads can't be copied or pickled."""
        raise RuntimeEngineError("A session can't be copied or pickled: open another one with engine.open(...).")

    def __repr__(self) -> str:
        state = "closed" if self.is_closed else f"latency {self.latency_samples} samples"
        return f"Session({self.name!r}, {self.backend_name}, {self.host}, {self._settings.mode}, {state})"

    def _html_rows(self) -> list[Row]:
        values = [] if self.is_closed else [(each.name, str(self.parameter(each.name))) for each in self.parameters]
        return [(repr(self),), *values]

    @property
    def name(self) -> str:
        """The model's name."""
        return self._name

    @property
    def backend_name(self) -> str:
        """What computes the model's output: ``"compiled"``, ``"torchscript"``, ``"onnxruntime"``, ``"litert"``,
        ``"python"``, ``"native"``.
        """
        return self._backend.backend_name

    @property
    def backend_reason(self) -> str:
        """Why ``backend="auto"`` chose it out of several that were measured: the times, and what was left out. ``""``
        where nothing was measured.
        """
        return self._backend.reason

    @property
    def host(self) -> HostConfig:
        """What the host promised."""
        return self._opened.host

    @property
    def settings(self) -> SessionSettings:
        """How the session was opened."""
        return self._settings

    @property
    def parameters(self) -> tuple[NumericalParameter, ...]:
        """What can be set, as the model declares it."""
        return self._parameters

    @property
    def model_sample_rate(self) -> int:
        """The rate in Hz that the model is called with; of an embedded wrapper, the host's."""
        return self._opened.config.model_rate

    @property
    def model_block_size(self) -> int | None:
        """Samples of every call of the model; None where it takes what comes."""
        return self._opened.config.model_block or None

    @property
    def output_channels(self) -> int:
        """Channels of what :meth:`process` returns: the host's, or the model's own beyond stereo."""
        return self._opened.native.output_channels

    @property
    def is_closed(self) -> bool:
        """Whether :meth:`process` is over."""
        return self._opened.native.is_closed

    @property
    def latency_samples(self) -> int:
        """Host samples between an input sample and the output that it causes, exactly."""
        return self._opened.native.latency_samples

    @property
    def native(self) -> "_native.Session":
        """The compiled session, for the rest of this package."""
        return self._native

    @property
    def _native(self) -> "_native.Session":
        return self._opened.native

    def belongs_to(self, engine: "_native.Engine") -> bool:
        """Whether it was opened on this compiled engine."""
        return self._engine is engine

    def latency_parts(self) -> LatencyParts:
        """Where the latency comes from."""
        return read_latency_parts(self._native)

    def stats(self) -> SessionStatistics:
        """Counts and times since the session was opened, read without a lock."""
        return read_statistics(self._native)

    def set_parameter(self, name: str, value: float | str) -> None:
        """Set a parameter from now on: no lock, from any thread.

        Args:
            name: As declared.
            value: In the parameter's own unit; of a categorical one, the label or its index.

        Raises:
            ParameterError: No such parameter, or a value out of its range.
        """
        index = self._indices[require_name(self._parameters, name)]
        value_0to1 = host_value(self._parameters[index], value)
        opened = self._opened
        opened.native.set_parameter_0to1(index, value_0to1)
        if opened is not self._opened:  # prepare() has just been
            self._opened.native.set_parameter_0to1(index, value_0to1)

    def parameter(self, name: str) -> float | str:
        """What a parameter is set to, in its own unit.

        Raises:
            ParameterError: No such parameter.
        """
        index = self._indices[require_name(self._parameters, name)]
        return from_host_value(self._parameters[index], self._native.parameter_0to1(index))

    def process(self, x: AnyAudio) -> AnyAudio:
        """Give the model a block of audio, and take what is ready.

        Args:
            x: float32 ``[channels, N]``, ``N`` at most the host's ``block_size``; a NumPy array or a tensor.

        Returns:
            ``[output_channels, N]``, of the same kind: the output for the input of ``latency_samples`` ago.

        Raises:
            AudioError: Another type, shape or number of channels, or a longer block than was promised.
            RuntimeEngineError: The session is closed, another thread is inside ``process``, ``run_realtime`` plays it,
                or this process was forked off since it was opened.
        """
        self._require_same_process()
        opened = self._opened
        native = opened.native
        audio = read_audio(x, opened.host.channels)
        y = np.empty((native.output_channels, audio.shape[1]), np.float32)
        result = native.process(audio, y)
        if result is not self._ok:
            if result is not self._results.closed or not (self._preparing or opened is not self._opened):
                raise self._refusal(result, audio.shape[1])
            y.fill(0.0)  # prepare() is at work, or has just been
        return give_back(y, x)

    def process_offline(
        self, x: AnyAudio, parameters: Mapping[str, float | str | npt.NDArray[np.floating[Any]]] | None = None
    ) -> AnyAudio:
        """Process a whole signal on the calling thread, from a fresh state; nothing can be late.

        The stream that :meth:`process` works on starts afresh too.

        Args:
            x: float32 ``[channels, N]``, of any length.
            parameters: By name, in each parameter's own unit: a value, or an array of ``N`` values. Those left out stay
                as they are set.

        Returns:
            ``[output_channels, N]``, of the same kind: aligned with ``x``, as if there was no latency.

        Raises:
            AudioError: Another type, shape or number of channels.
            ParameterError: A name that is not declared, a value out of its range, or another length than the audio's.
            RuntimeEngineError: The session is closed or was closed meanwhile, the model raised or returned another
                size, or the model itself calls this.
        """
        self._require_same_process()
        refuse_inside(self._caller, "process_offline()")
        with self._control:
            native = self._native
            audio = read_audio(x, self.host.channels)
            present = [native.parameter_0to1(index) for index in range(len(self._parameters))]
            values = automation(self._parameters, parameters, present, audio.shape[1])
            y = np.empty((native.output_channels, audio.shape[1]), np.float32)
            failed_before = native.stats().failed_blocks
            native.process_offline(audio, y, values)
            after = native.stats()
        if failed_before != after.failed_blocks:
            raise RuntimeEngineError(
                f"{self.name} failed in {after.failed_blocks - failed_before} blocks, the last time with: "
                f"{after.last_error}"
            )
        return give_back(y, x)

    def reset(self) -> None:
        """Clear all state, as if nothing had been played. Parameters keep their values.

        Raises:
            RuntimeEngineError: The session is closed, its model does not return, or the model itself calls this.
        """
        self._require_same_process()
        refuse_inside(self._caller, "reset()")
        with self._control:
            self._native.reset()

    def prepare(self, host: HostConfig) -> None:
        """Prepare for another host: the session is closed and opened again; parameters keep their values.

        ``process`` gives silence meanwhile; a ``run_realtime`` that plays the session ends. Counts begin at zero, and a
        closed session is open again.

        Raises:
            RuntimeEngineError, AudioError: The model can't play for this host, or the model itself calls this. If
                that shows only when it is opened, the session stays closed.
        """
        self._require_same_process()
        refuse_inside(self._caller, "prepare()")
        if not isinstance(host, HostConfig):
            raise RuntimeEngineError(f"Expected a HostConfig for host, got {type(host).__name__}.")
        session_config(self._backend, host, self._settings)  # refuses what it can before anything is closed
        with self._control:
            self._preparing = True
            try:
                self._prepare(host)
            finally:
                self._preparing = False

    def _prepare(self, host: HostConfig) -> None:
        before = self._native
        before.close()
        opened = self._open(host)
        kept = [before.parameter_0to1(index) for index in range(len(self._parameters))]
        for index, value in enumerate(kept):
            opened.native.set_parameter_0to1(index, value)
        self._opened = opened
        for index, value in enumerate(kept):  # what was set at this very moment
            if before.parameter_0to1(index) != value:
                opened.native.set_parameter_0to1(index, before.parameter_0to1(index))

    def wait_idle(self) -> None:
        """Wait until the workers have nothing left to do for this session. Not for audio threads.

        Raises:
            RuntimeEngineError: The session is closed or given up meanwhile, or a model asks that the engine plays.
        """
        self._require_same_process()
        refuse_inside(self._caller, "wait_idle()")
        refuse_inside_engine(self._engine, "wait_idle()", workers_only=True)
        self._native.wait_idle()

    def close(self) -> None:
        """Release everything. Counts and latency can still be read. Closing twice does nothing.

        What other threads do with the session ends: ``process_offline`` with an error, ``run_realtime`` early.

        Raises:
            RuntimeEngineError: The model itself calls this.
        """
        if self._process is not this_process():
            return  # the process that opened it closes it
        refuse_inside(self._caller, "close()")
        self._native.close()
        with self._control:  # prepare() may have been at work
            self._native.close()

    def _require_same_process(self) -> None:
        require_same_process(self._process, "The session of ", self._name)

    def _refusal(self, result: "_native.ProcessResult", samples: int) -> Exception:
        if result is self._results.block_too_large:
            return AudioError(
                f"The host promised blocks of at most {self.host.block_size} samples, got {samples}. "
                "Call prepare(HostConfig(...)) with the longest block first, or cut this one."
            )
        if result is self._results.two_threads:
            return RuntimeEngineError(
                "Another thread is inside process() of this session. A stream has one order: call it from one thread "
                "at a time, or open a session for each."
            )
        if result is self._results.on_device:
            return RuntimeEngineError(
                "A sound card or run_realtime plays this session. A stream has one order: wait until that has ended, "
                "or open another session."
            )
        return RuntimeEngineError("The session is closed. Open another one with engine.open(...).")
