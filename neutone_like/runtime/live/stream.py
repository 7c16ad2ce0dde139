"""A model on a sound card."""

import atexit
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, get_args

from neutone_like.arguments import as_path, is_one_of
from neutone_like.artifact import Artifact
from neutone_like.errors import AudioError, RuntimeEngineError
from neutone_like.numbers import real_number, whole_number
from neutone_like.printing import InNotebooks, Row
from neutone_like.runtime.backends import Backend
from neutone_like.runtime.choosing import EngineBackendName, as_backend
from neutone_like.runtime.engine import Engine
from neutone_like.runtime.host_config import HostConfig
from neutone_like.runtime.live.channels import Channels, choose_channels
from neutone_like.runtime.live.device import choose_device, devices
from neutone_like.runtime.live.levels import decibels
from neutone_like.runtime.live.portaudio_library import ONE_AT_A_TIME, find_portaudio
from neutone_like.runtime.live.recorder import TAPE_SECONDS, Recording, Track
from neutone_like.runtime.live.report import LiveReport, LiveStatus
from neutone_like.runtime.live.wave_file import GrowingWave
from neutone_like.runtime.native_module import native_module
from neutone_like.runtime.session import Session
from neutone_like.runtime.time_distribution import distribution

if TYPE_CHECKING:
    from neutone_like.runtime import _native

LiveMode = Literal["auto", "inline", "async"]
MAXIMUM_BLOCK = 8192
_INLINE_SHARE = 1.0 / 3.0  # of a block, for the longest that a compiled model took
_CALLBACKS_TO_LEARN = 8  # until the device's block is known
_SECONDS_TO_BEGIN = 10.0
_TICK_SECONDS = 0.005  # bursts of MIDI must not fill the queue of its sound system
_SILENCE_LIMIT_SECONDS = 0.5  # a device that does not call for so long, or for 20 blocks, is gone
_CLOSE_LIMIT_SECONDS = 3.0  # one that does not stop by then is given up
_UNKNOWN_LATENCY_SECONDS = 1.0  # PipeWire tells of a day


class LiveStream(InNotebooks):
    """A model that plays on a sound card, on threads that Python never holds up.

    Use it in a ``with`` statement, or call :meth:`close`, which gives the report. What it records is written by a
    thread of its own, and is whole also where the device goes away.

    Args:
        model: As of :meth:`neutone_like.runtime.Engine.open`.
        device: The device to hear and to play on: its number, or a part of its name; None for the default.
        input_device, output_device: One of the two only.
        sample_rate: In Hz; None for the output device's own. The model is converted to it.
        block_size: Samples of a callback. None leaves it to the device, which is best with a sound server: there
            every other size costs a block more.
        inputs, outputs: Channels of the device, counted from 1; None for the first two, or the first.
        parameters: By name, in each parameter's own unit, from the first sample on.
        mode: ``"inline"`` plays the model in the callback; ``"async"`` on a worker, with more latency; ``"auto"``
            inline where a compiled model needs at most a third of a block, measured when it is opened.
        backend: As of :meth:`neutone_like.runtime.Engine.open`.
        latency_seconds: What to ask of the device in each direction; None for the least that it offers.
        record_input, record_output: WAV files of float32 to make; they must not exist. The output is as it is heard:
            ``latency_samples`` behind the input.
        portaudio: The file of PortAudio's library; None for that of the package ``sounddevice``, or the system's.

    Raises:
        RuntimeEngineError: No PortAudio, no such device, one that refuses the rate or the channels, or that does not
            begin; a value that is not allowed.
        AudioError: A file can't be recorded to.
        ArtifactError: The artifact can't be played.
        ParameterError: No such parameter, or a value out of its range.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | Artifact | Backend,
        *,
        device: int | str | None = None,
        input_device: int | str | None = None,
        output_device: int | str | None = None,
        sample_rate: int | None = None,
        block_size: int | None = None,
        inputs: Sequence[int] | None = None,
        outputs: Sequence[int] | None = None,
        parameters: Mapping[str, float | str] | None = None,
        mode: LiveMode = "auto",
        backend: EngineBackendName | Backend = "auto",
        latency_seconds: float | None = None,
        record_input: str | os.PathLike[str] | None = None,
        record_output: str | os.PathLike[str] | None = None,
        portaudio: str | os.PathLike[str] | None = None,
    ) -> None:
        if not is_one_of(mode, get_args(LiveMode)):
            raise RuntimeEngineError(f"mode must be one of {get_args(LiveMode)}, got {mode!r}.")
        found = as_backend(model)
        library = find_portaudio(portaudio)
        every = devices(portaudio=portaudio)
        self.input_device = choose_device(every, device if input_device is None else input_device, inputs=True)
        self.output_device = choose_device(every, device if output_device is None else output_device, inputs=False)
        self.channels = choose_channels(found.facts, self.input_device, self.output_device, inputs, outputs)
        self.sample_rate = checked_rate(sample_rate, self.output_device.default_sample_rate)
        plan = stream_plan(library, self.input_device.index, self.output_device.index, self.channels, self.sample_rate)
        plan.block_size = checked_block(block_size)
        plan.latency_seconds = _latency(latency_seconds)
        plan.input_tape_seconds = 0.0 if record_input is None else TAPE_SECONDS
        plan.output_tape_seconds = 0.0 if record_output is None else TAPE_SECONDS
        self._before_looking: list[Callable[[], None]] = []
        self._failures: list[Exception] = []
        self._recordings: tuple[Recording, ...] = ()
        self._asked = (0, 0)
        self._ended = threading.Event()
        self._wanted_end = threading.Event()
        self._closing = threading.Lock()
        self._report: LiveReport | None = None
        self._engine = Engine()
        self._tracks: list[Track] = []
        try:
            with ONE_AT_A_TIME:
                self._native = native_module().LiveStream(plan)
                self._native.start()
            self.block_size = _learn_block(self._native, plan.block_size)
            varying = self._native.smallest_block != self._native.largest_block
            host = HostConfig(self.sample_rate, self.block_size, self.channels.session, varying_blocks=varying)
            self.session = _open(self._engine, found, host, mode, backend)
            for name, value in (parameters or {}).items():
                self.session.set_parameter(name, value)
            self._record(record_input, record_output)
            self._native.attach(self.session.native)
        except BaseException:
            self._abandon()
            raise
        self._keeper = threading.Thread(target=self._keep, name="neutone-like live", daemon=True)
        self._keeper.start()
        atexit.register(self.close)  # recordings are finished whatever happens

    def __enter__(self) -> "LiveStream":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._report is not None else "device lost" if self.is_lost else "playing"
        return f"LiveStream({self.session.name!r}, {self.output_device}, {self.session.host}, {state})"

    def _html_rows(self) -> list[Row]:
        return [(repr(self),), (repr(self.session),)]

    @property
    def is_lost(self) -> bool:
        """Whether the device has gone away. Then there is nothing to do but :meth:`close`."""
        return self._native.is_lost

    @property
    def device_latency_seconds(self) -> float | None:
        """What the device says that it adds, in and out together; None where it doesn't know."""
        return known_latency(self._native)

    def set_parameter(self, name: str, value: float | str) -> None:
        """As :meth:`neutone_like.runtime.Session.set_parameter`."""
        self.session.set_parameter(name, value)

    def parameter(self, name: str) -> float | str:
        """As :meth:`neutone_like.runtime.Session.parameter`."""
        return self.session.parameter(name)

    def wait(self, seconds: float | None = None) -> bool:
        """Let it play for so long, or as long as the device is there; False once it is gone or closed."""
        return not self._ended.wait(seconds)

    def status(self) -> LiveStatus:
        """Levels and load since this was asked last, and counts so far."""
        busy, samples = self._native.busy_ns, self._native.samples
        before_busy, before_samples = self._asked
        self._asked = (busy, samples)
        seconds = (samples - before_samples) / self.sample_rate
        return LiveStatus(
            input_peak_db=decibels(self._native.take_input_peak()),
            output_peak_db=decibels(self._native.take_output_peak()),
            load=1e-9 * (busy - before_busy) / seconds if seconds > 0.0 else 0.0,
            device_xruns=self._native.device_xruns,
            underruns=self.session.native.stats().underruns,
            seconds=self._native.session_samples / self.sample_rate,
            is_lost=self._native.is_lost,
        )

    def close(self) -> LiveReport:
        """Stop, and finish the recordings. A second time gives the same report.

        A device that went away, or that does not stop within three seconds, is left alone until the process ends.

        Raises:
            RuntimeEngineError: An action of :meth:`every_tick` failed, or calls this.
        """
        if threading.current_thread() is self._keeper:
            raise RuntimeEngineError(
                "close() waits for the thread that calls the actions of every_tick(), so none of them can call it. Set "
                "an event there, and close where that is waited for."
            )
        with self._closing:
            if self._report is None:
                self._wanted_end.set()
                self._keeper.join()
                with ONE_AT_A_TIME:
                    self._native.close()
                self._finish_recordings()
                self._report = self._read_report()
                self.session.close()
                self._engine.close()
                atexit.unregister(self.close)
                if self._failures:
                    raise RuntimeEngineError("An action of every_tick() failed.") from self._failures[0]
        return self._report

    def every_tick(self, action: Callable[[], None]) -> None:
        """Call ``action`` some 200 times a second, on the thread that watches the device, for as long as that plays.

        It must not wait, nor call :meth:`close`. Where it raises, it is called no more, and :meth:`close` raises that
        in the end.
        """
        self._before_looking.append(action)

    def _record(
        self, record_input: str | os.PathLike[str] | None, record_output: str | os.PathLike[str] | None
    ) -> None:
        """Files last: nothing is left behind where something before them can't be."""
        native = self._native
        names = [
            os.path.abspath(as_path(path, "a recording", AudioError))
            for path in (record_input, record_output)
            if path is not None
        ]
        if len(set(names)) < len(names):
            raise AudioError(f"record_input and record_output are both {record_output}. Give two names.")
        wanted = (
            (record_input, len(self.channels.inputs), native.take_input, lambda: native.lost_input_samples),
            (record_output, self.session.output_channels, native.take_output, lambda: native.lost_output_samples),
        )
        for path, channels, take, lost in wanted:
            if path is not None:
                file = GrowingWave(Path(path), self.sample_rate, channels)
                self._tracks.append(Track(file, take, lost, self.sample_rate))

    def _keep(self) -> None:
        """The keeper's thread: writes what was recorded, and notices that the device is gone."""
        while not self._wanted_end.wait(_TICK_SECONDS) and not self._native.look_lost():
            for action in tuple(self._before_looking):
                self._do(action)
            for track in self._tracks:
                track.drain()
        if self._native.is_lost:
            self._finish_recordings()
        self._ended.set()

    def _do(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # somebody's own; recordings and the watch go on
            self._before_looking.remove(action)
            self._failures.append(error)

    def _finish_recordings(self) -> None:
        """After the last callback."""
        self._recordings += tuple(track.finish() for track in self._tracks)
        self._tracks = []

    def _abandon(self) -> None:
        for track in self._tracks:
            track.discard()
        native = getattr(self, "_native", None)
        if native is not None:
            with ONE_AT_A_TIME:
                native.close()
        self._engine.close()

    def _read_report(self) -> LiveReport:
        native, stats = self._native, self.session.stats()
        seconds = native.samples / self.sample_rate
        counts: dict[str, Any] = {name: getattr(native, name) for name in _COUNTS}
        return LiveReport(
            name=self.session.name,
            input_device=str(self.input_device),
            output_device=str(self.output_device),
            backend_name=self.session.backend_name,
            mode=self.session.settings.mode,
            sample_rate=self.sample_rate,
            block_size=native.largest_block,
            latency_samples=self.session.latency_samples,
            device_latency_seconds=self.device_latency_seconds,
            seconds=native.session_samples / self.sample_rate,
            underruns=stats.underruns,
            missing_samples=stats.missing_samples,
            nonfinite_samples=stats.nonfinite_samples,
            failed_blocks=stats.failed_blocks,
            load=1e-9 * native.busy_ns / seconds if seconds > 0.0 else 0.0,
            callback_time=distribution(native.callback_time_ns()),
            recordings=self._recordings,
            is_lost=native.is_lost,
            last_error=stats.last_error,
            **counts,
        )


_COUNTS = (
    "callbacks",
    "device_xruns",
    "input_overflows",
    "input_underflows",
    "output_underflows",
    "output_overflows",
    "overloads",
    "silent_samples",
)


def checked_rate(wanted: int | None, own: float) -> int:
    """In Hz; a device's own unless another is wanted.

    Raises:
        RuntimeEngineError: Out of range.
    """
    if wanted is None:
        return round(own)
    return whole_number(wanted, "sample_rate", 1000, 384_000, unit="Hz", error=RuntimeEngineError)


def checked_block(wanted: int | None) -> int:
    """In samples; 0 where the device may choose.

    Raises:
        RuntimeEngineError: Out of range.
    """
    if wanted is None:
        return 0
    return whole_number(wanted, "block_size", 1, MAXIMUM_BLOCK, unit="samples", error=RuntimeEngineError)


def _latency(wanted: float | None) -> float:
    if wanted is None:
        return 0.0
    return real_number(wanted, "latency_seconds", 0.0, 2.0, error=RuntimeEngineError)


def stream_plan(library: str, heard: int, played_on: int, channels: Channels, rate: int) -> "_native.LivePlan":
    """What a stream is opened with, but for its block and what it is for."""
    plan = native_module().LivePlan()
    plan.library = library
    plan.input_device = heard
    plan.output_device = played_on
    plan.inputs = list(channels.inputs)
    plan.outputs = list(channels.outputs)
    plan.sample_rate = rate
    plan.output_tape_channels = channels.session_outputs
    plan.close_limit_seconds = _CLOSE_LIMIT_SECONDS
    plan.silence_limit_seconds = _SILENCE_LIMIT_SECONDS
    return plan


def known_latency(native: "_native.LiveStream") -> float | None:
    """What a device says it adds, in seconds; None where it doesn't know."""
    total = native.input_latency_seconds + native.output_latency_seconds
    return total if 0.0 < total < _UNKNOWN_LATENCY_SECONDS else None


def _learn_block(native: "_native.LiveStream", wanted: int) -> int:
    """What the device calls with, which only its callbacks tell; silence is heard meanwhile."""
    limit = time.monotonic() + _SECONDS_TO_BEGIN
    while native.callbacks < _CALLBACKS_TO_LEARN:
        if native.look_lost() or time.monotonic() > limit:
            raise RuntimeEngineError(
                f"The device was opened, but does not ask for sound: {native.callbacks} callbacks came. "
                "Another program may hold it, or its sound server hangs: try again, or another device."
            )
        time.sleep(0.002)
    return min(wanted or native.largest_block, MAXIMUM_BLOCK)


def _open(
    engine: Engine, model: Backend, host: HostConfig, mode: LiveMode, backend: EngineBackendName | Backend
) -> Session:
    if mode != "auto":
        return engine.open(model, host, mode=mode, backend=backend)
    session = engine.open(model, host, mode="async", backend=backend)
    block_seconds = host.block_size / host.sample_rate
    if session.backend_name != "compiled":
        return session
    if session.stats().max_inference_seconds > _INLINE_SHARE * block_seconds:
        return session
    session.close()
    return engine.open(model, host, mode="inline", backend=backend)
