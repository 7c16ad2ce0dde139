"""One model playing for one host."""

import threading
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from neutone_like.errors import AudioError, ParameterError, RuntimeEngineError
from neutone_like.model import NumericalParameter
from neutone_like.model.parameter_values import check_names, from_host_value, to_host_value
from neutone_like.printing import InNotebooks, Row
from neutone_like.runtime.audio_blocks import AnyAudio, Audio, give_back, read_audio
from neutone_like.runtime.backends import Backend
from neutone_like.runtime.host_config import HostConfig
from neutone_like.runtime.session_config import SessionSettings, session_config
from neutone_like.runtime.statistics import LatencyParts, SessionStatistics, read_latency_parts, read_statistics

if TYPE_CHECKING:
    from neutone_like.runtime import _native

# ProcessResult of native/src/engine/session.hpp.
_BLOCK_TOO_LARGE, _TWO_THREADS, _CLOSED = 1, 2, 3
REFUSALS = {
    _BLOCK_TOO_LARGE: "a block was longer than promised",
    _TWO_THREADS: "another thread was inside process()",
    _CLOSED: "the session was closed",
}


class Session(InNotebooks):
    """A model that is ready for a host's audio. :meth:`neutone_like.runtime.Engine.open` makes one.

    One thread at a time calls :meth:`process`; everything else may be called from any thread, at any time. What the
    model does wrong never raises from :meth:`process`: silence takes its place, and :meth:`stats` counts it.
    """

    def __init__(
        self, owner: object, engine: "_native.Engine", backend: Backend, host: HostConfig, settings: SessionSettings
    ) -> None:
        self._owner = owner  # an engine closes its sessions when nobody holds it any more
        self._engine = engine
        self._backend = backend
        self._host = host
        self._settings = settings
        self._parameters = backend.facts.parameters
        self._indices = {parameter.name: index for index, parameter in enumerate(self._parameters)}
        self._control = threading.RLock()  # of the threads that prepare, reset and close; never the audio's
        self._preparing = False
        self._config = session_config(backend, host, settings)
        self._native = backend.open_session(engine, self._config)

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self.is_closed else f"latency {self.latency_samples} samples"
        return f"Session({self.name!r}, {self._host}, {self._settings.mode}, {state})"

    def _html_rows(self) -> list[Row]:
        values = [] if self.is_closed else [(each.name, str(self.parameter(each.name))) for each in self.parameters]
        return [(repr(self),), *values]

    @property
    def name(self) -> str:
        """The model's name."""
        return self._backend.facts.name

    @property
    def host(self) -> HostConfig:
        """What the host promised."""
        return self._host

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
        return self._config.model_rate

    @property
    def model_block_size(self) -> int | None:
        """Samples of every call of the model; None where it takes what comes."""
        return self._config.model_block or None

    @property
    def output_channels(self) -> int:
        """Channels of what :meth:`process` returns: the host's, or the model's own beyond stereo."""
        return self._native.output_channels

    @property
    def is_closed(self) -> bool:
        """Whether :meth:`process` is over."""
        return self._native.is_closed

    @property
    def latency_samples(self) -> int:
        """Host samples between an input sample and the output that it causes, exactly."""
        return self._native.latency_samples

    @property
    def native(self) -> "_native.Session":
        """The compiled session, for the rest of this package."""
        return self._native

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
        check_names(self._parameters, {name: value})
        index = self._indices[name]
        self._native.set_parameter_0to1(index, to_host_value(self._parameters[index], value))

    def parameter(self, name: str) -> float | str:
        """What a parameter is set to, in its own unit.

        Raises:
            ParameterError: No such parameter.
        """
        check_names(self._parameters, {name: None})
        index = self._indices[name]
        return from_host_value(self._parameters[index], self._native.parameter_0to1(index))

    def process(self, x: AnyAudio) -> AnyAudio:
        """Give the model a block of audio, and take what is ready.

        Args:
            x: float32 ``[channels, N]``, ``N`` at most the host's ``block_size``; a NumPy array or a tensor.

        Returns:
            ``[output_channels, N]``, of the same kind: the output for the input of ``latency_samples`` ago.

        Raises:
            AudioError: Another type, shape or number of channels, or a longer block than was promised.
            RuntimeEngineError: The session is closed, or another thread is inside ``process``.
        """
        native = self._native
        audio = read_audio(x, self._host.channels)
        y = np.empty((native.output_channels, audio.shape[1]), np.float32)
        result = native.process(audio, y)
        if result == _CLOSED and (self._preparing or native is not self._native):
            y.fill(0.0)  # prepare() is at work, or has just been
        elif result != 0:
            raise self._refusal(result, audio.shape[1])
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
            RuntimeEngineError: The session is closed, or the model raised or returned another size.
        """
        audio = read_audio(x, self._host.channels)
        values = self._automation(parameters, audio.shape[1])
        y = np.empty((self._native.output_channels, audio.shape[1]), np.float32)
        with self._control:
            failed_before = self._native.stats().failed_blocks
            self._native.process_offline(audio, y, values)
            after = self._native.stats()
        if failed_before != after.failed_blocks:
            raise RuntimeEngineError(
                f"{self.name} failed in {after.failed_blocks - failed_before} blocks, the last time with: "
                f"{after.last_error}"
            )
        return give_back(y, x)

    def reset(self) -> None:
        """Clear all state, as if nothing had been played. Parameters keep their values."""
        with self._control:
            self._native.reset()

    def prepare(self, host: HostConfig) -> None:
        """Prepare for another host: the session is closed and opened again; parameters keep their values.

        ``process`` gives silence meanwhile; a ``run_realtime`` that plays the session ends. Counts begin at zero, and a
        closed session is open again.

        Raises:
            RuntimeEngineError, AudioError: The model can't play for this host. If that shows only when it is opened,
                the session stays closed.
        """
        config = session_config(self._backend, host, self._settings)
        with self._control:
            self._preparing = True
            try:
                self._native.close()
                native = self._backend.open_session(self._engine, config)
                for index in range(len(self._parameters)):
                    native.set_parameter_0to1(index, self._native.parameter_0to1(index))
                self._native, self._host, self._config = native, host, config
            finally:
                self._preparing = False

    def wait_idle(self) -> None:
        """Wait until the workers have nothing left to do for this session. Not for audio threads."""
        self._native.wait_idle()

    def close(self) -> None:
        """Release everything. Counts and latency can still be read. Closing twice does nothing."""
        with self._control:
            self._native.close()

    def _automation(
        self, parameters: Mapping[str, float | str | npt.NDArray[np.floating[Any]]] | None, samples: int
    ) -> Audio | None:
        """0..1 for every parameter and sample; None where nothing is given."""
        if parameters is not None and not isinstance(parameters, Mapping):
            raise ParameterError(
                f'parameters must map names to values, such as {{"drive": 24.0}}, got {type(parameters).__name__}.'
            )
        if not parameters:
            return None
        check_names(self._parameters, parameters)
        rows = np.empty((len(self._parameters), samples), np.float32)
        for index, parameter in enumerate(self._parameters):
            value = parameters.get(parameter.name)
            if value is None:
                rows[index] = self._native.parameter_0to1(index)
            elif isinstance(value, (int, float, str)):
                rows[index] = to_host_value(parameter, value)
            else:
                rows[index] = _curve(parameter, value, samples)
        return rows

    def _refusal(self, result: int, samples: int) -> Exception:
        if result == _BLOCK_TOO_LARGE:
            return AudioError(
                f"The host promised blocks of at most {self._host.block_size} samples, got {samples}. "
                "Call prepare(HostConfig(...)) with the longest block first, or cut this one."
            )
        if result == _TWO_THREADS:
            return RuntimeEngineError(
                "Another thread is inside process() of this session. A stream has one order: call it from one thread "
                "at a time, or open a session for each."
            )
        return RuntimeEngineError("The session is closed. Open another one with engine.open(...).")


def _curve(parameter: NumericalParameter, values: npt.NDArray[np.floating[Any]], samples: int) -> Audio:
    """A value a sample as 0..1."""
    curve = np.asarray(values, np.float64)
    if curve.shape != (samples,):
        raise ParameterError(
            f"Parameter {parameter.name!r}: expected one value, or one for each of the {samples} samples, "
            f"got an array of shape {curve.shape}."
        )
    inside = (curve >= parameter.minimum) & (curve <= parameter.maximum)
    if not inside.all():
        raise ParameterError(
            f"Parameter {parameter.name!r}: allowed is {parameter.minimum}..{parameter.maximum}, "
            f"got {curve[np.argmin(inside)]} at sample {int(np.argmin(inside))}."
        )
    return ((curve - parameter.minimum) / (parameter.maximum - parameter.minimum)).astype(np.float32)
