"""Plays sessions on the virtual audio device, with a session beside them that does nothing."""

import io
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from neutone_like.arguments import as_flag, as_path
from neutone_like.audio import AudioReader
from neutone_like.audio.writer import require_place, writing_whole
from neutone_like.errors import AudioError, RuntimeEngineError
from neutone_like.numbers import as_finite_number, as_whole_number, real_number, whole_number
from neutone_like.printing import InNotebooks
from neutone_like.runtime.audio_blocks import Audio, read_audio
from neutone_like.runtime.backends import BuiltinBackend
from neutone_like.runtime.host_config import HostConfig
from neutone_like.runtime.native_module import native_module
from neutone_like.runtime.parameter_settings import host_value, require_name, shown
from neutone_like.runtime.realtime_report import RealtimeReport, SessionRun, WorkerRun
from neutone_like.runtime.session import REFUSALS, Session
from neutone_like.runtime.session_config import SessionSettings
from neutone_like.runtime.statistics import WorkerStatistics, read_workers
from neutone_like.runtime.time_distribution import distribution
from neutone_like.uninterrupted import uninterrupted

if TYPE_CHECKING:
    from neutone_like.runtime import _native

MAXIMUM_SECONDS = 24.0 * 3600.0
_MAXIMUM_SAMPLE = (1 << 62) - 1

_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class ParameterChange(InNotebooks):
    """A parameter that is set during a run.

    Args:
        sample: Host sample from the start of the run; it takes effect with the callback that holds it.
        name: The parameter's.
        value: In its own unit; of a categorical one, the label or its index.
        session: None for every session of the run.
    """

    sample: int
    name: str
    value: float | str
    session: Session | None = None


@dataclass(frozen=True)
class RealtimeRun:
    """One run, as :meth:`neutone_like.runtime.Engine.run_realtime` is told."""

    sessions: tuple[Session, ...]
    seconds: float
    input: Any
    parameter_changes: tuple[ParameterChange, ...]
    jitter_seconds: float
    vary_blocks: bool
    record: bool
    output: str | PathLike[str] | None
    realtime_priority: bool
    seed: int

    def play(self, engine: "_native.Engine", config: "_native.EngineConfig") -> RealtimeReport:
        """Play it on ``engine``, whose workers ``config`` describes."""
        self._check(engine)
        native = native_module()
        plans = [self._plan(session) for session in self.sessions]
        no_op_engine = native.Engine(config)
        try:
            no_op = open_no_op_sessions(no_op_engine, self.sessions)
            plans += [self._plan(session, is_no_op=True) for session in no_op]
            played = (*self.sessions, *no_op)
            inference = [(s.native.inference_time_ns(), s.native.turnaround_time_ns()) for s in played]
            began = time.perf_counter()
            workers, no_op_workers = read_workers(engine), read_workers(no_op_engine)
            reports = engine.run_realtime(plans)
            workers_after, no_op_workers_after = read_workers(engine), read_workers(no_op_engine)
            seconds = time.perf_counter() - began  # longer than the run: workers compute before it and after it, too
            runs = [_run(*parts) for parts in zip(played, reports, inference, strict=True)]
            result = RealtimeReport(
                sessions=tuple(runs[: len(self.sessions)]),
                no_op=tuple(runs[len(self.sessions) :]),
                workers=_worker_runs(workers, workers_after, seconds),
                no_op_workers=_worker_runs(no_op_workers, no_op_workers_after, seconds),
            )
        finally:
            no_op_engine.close()
        heard = result.sessions[0].output
        if self.output is not None and heard is not None:
            _write(as_path(self.output, "output", AudioError), heard, self.sessions[0].host.sample_rate)
        return result

    def _check(self, engine: "_native.Engine") -> None:
        if not self.sessions:
            raise RuntimeEngineError("run_realtime needs at least one session.")
        for session in self.sessions:
            if not session.belongs_to(engine):
                raise RuntimeEngineError(f"{session!r} was opened on another engine: run it there.")
            if session.is_closed:
                raise RuntimeEngineError(f"{session!r} is closed. Open another one with engine.open(...).")
        if len({id(session) for session in self.sessions}) != len(self.sessions):
            raise RuntimeEngineError("A session was given twice: only one device can call it.")
        self._seconds()
        real_number(self.jitter_seconds, "jitter_seconds", 0, 1, error=RuntimeEngineError)
        whole_number(self.seed, "seed", 0, (1 << 64) - 1, error=RuntimeEngineError)
        if self.output is not None and len(self.sessions) != 1:
            raise RuntimeEngineError(
                f"output= writes the sound of one session, and {len(self.sessions)} are played. Use record=True."
            )
        if self.output is not None:
            _check_output(as_path(self.output, "output", AudioError), self.input)

    def _seconds(self) -> float:
        seconds = as_finite_number(self.seconds)
        if seconds is None or not 0.0 < seconds <= MAXIMUM_SECONDS:
            raise RuntimeEngineError(f"seconds must lie above 0 and up to {MAXIMUM_SECONDS:.0f}, got {self.seconds!r}.")
        return seconds

    def _plan(self, session: Session, is_no_op: bool = False) -> "_native.DevicePlan":
        host = session.host
        usual_block = (
            (host.block_size + 1) / 2
            if as_flag(self.vary_blocks, "vary_blocks", RuntimeEngineError)
            else host.block_size
        )
        plan = native_module().DevicePlan(session.native)
        plan.callbacks = math.ceil(self._seconds() * host.sample_rate / usual_block)
        plan.realtime_priority = as_flag(self.realtime_priority, "realtime_priority", RuntimeEngineError)
        plan.jitter_seconds = float(self.jitter_seconds)
        plan.vary_blocks = as_flag(self.vary_blocks, "vary_blocks", RuntimeEngineError)
        plan.seed = int(self.seed)
        plan.companion = is_no_op
        if is_no_op:
            return plan
        plan.record_output = as_flag(self.record, "record", RuntimeEngineError) or self.output is not None
        if self.input is not None:
            plan.set_input(_read_input(self.input, host))
        for sample, index, value in sorted(_changes(self.parameter_changes, session)):
            plan.add_change(sample, index, value)
        return plan


def open_no_op_sessions(engine: "_native.Engine", sessions: Sequence[Session]) -> list[Session]:
    """A session that does nothing for every host setting and mode, with as much time for its worker."""
    opened: dict[tuple[HostConfig, str], Session] = {}
    for session in sessions:
        key = (session.host, session.settings.mode)
        if key not in opened:
            channels = session.host.channels
            backend = BuiltinBackend("identity", in_channels=channels, out_channels=channels)
            allowed = max(1e-6, session.stats().max_inference_seconds)
            settings = SessionSettings(mode=session.settings.mode, max_inference_seconds=allowed)
            opened[key] = Session(None, engine, backend, session.host, settings)
    return list(opened.values())


def _changes(changes: Sequence[ParameterChange], session: Session) -> list[tuple[int, int, float]]:
    """As the device takes them: sample, index, 0..1."""
    parameters = session.parameters
    names = [parameter.name for parameter in parameters]
    result: list[tuple[int, int, float]] = []
    for change in changes:
        if change.session is None or change.session is session:
            index = names.index(require_name(parameters, change.name))
            result.append((_sample(change), index, host_value(parameters[index], change.value)))
    return result


def _sample(change: ParameterChange) -> int:
    sample = as_whole_number(change.sample)
    if sample is None or sample > _MAXIMUM_SAMPLE:
        raise RuntimeEngineError(f"ParameterChange: sample must be a whole number, got {shown(change.sample)}.")
    if sample < 0:
        raise RuntimeEngineError(f"ParameterChange: sample must be 0 or more, got {sample}.")
    return sample


def as_tuple(given: Any, kind: type[_Kind], what: str) -> tuple[_Kind, ...]:
    """One of a kind, or any number of them.

    Raises:
        RuntimeEngineError: Something else, or among them.
    """
    if isinstance(given, kind):
        return (given,)
    try:
        entries = tuple(given)
    except TypeError:
        entries = (given,)
    for entry in entries:
        if not isinstance(entry, kind):
            raise RuntimeEngineError(f"{what}: expected {kind.__name__} objects, got {shown(entry)}.")
    return entries


def _read_input(source: Any, host: HostConfig) -> Audio:
    """An array as it is, or a file of the host's rate."""
    if isinstance(source, (str, PathLike)):
        source = _read_file(as_path(source, "input", AudioError), host)
    audio = read_audio(source, host.channels)
    if audio.shape[1] == 0:
        raise AudioError("Expected at least one sample of input, got none.")
    return audio


def _read_file(path: Path, host: HostConfig) -> Audio:
    try:
        with AudioReader(path) as reader:
            sample_rate, samples = reader.sample_rate, reader.read_all()
    except AudioError as error:
        raise AudioError(f"{path} can't be read as audio: {error}") from error
    if sample_rate != host.sample_rate:
        raise AudioError(f"{path} has {sample_rate} Hz, the host {host.sample_rate} Hz. Convert the file first.")
    return samples


def _check_output(path: Path, source: Any) -> None:
    """Before anything is played."""
    import soundfile

    formats = [name for name in soundfile.available_formats() if soundfile.check_format(name, "FLOAT")]
    if _format_of(path) not in formats:
        endings = ", ".join(formats).lower()
        raise AudioError(f"{path} can't be written: its ending must be one of {endings}, which hold float32.")
    if not path.parent.is_dir():
        raise AudioError(f"{path} can't be written: there is no folder {path.parent}.")
    require_place(path, Path(source) if isinstance(source, (str, PathLike)) else None)


def _format_of(path: Path) -> str:
    """As libsndfile calls it."""
    ending = path.suffix[1:].upper()
    return "AIFF" if ending == "AIF" else ending


def _write(path: Path, heard: Audio, sample_rate: int) -> None:
    import soundfile

    encoded = io.BytesIO()  # since an error of the disk does not get out of a file that soundfile writes
    try:
        uninterrupted(lambda: soundfile.write(encoded, heard.T, sample_rate, subtype="FLOAT", format=_format_of(path)))
    except (ValueError, soundfile.LibsndfileError) as error:
        raise AudioError(f"{path} can't be written: {error}. Audio is float32, which .wav files hold.") from error
    with writing_whole(path) as file:
        file.write(encoded.getbuffer())


def _run(session: Session, report: "_native.DeviceReport", before: Any) -> SessionRun:
    settings, native = session.settings, session.native
    output = report.output()
    inference_before, turnaround_before = before
    block = session.model_block_size
    budget = session.host.block_size / session.host.sample_rate if block is None else block / session.model_sample_rate
    return SessionRun(
        name=session.name,
        host=str(session.host),
        mode=settings.mode,
        adaptation=settings.adaptation,
        latency_samples=session.latency_samples,
        callbacks=report.callbacks,
        samples=report.samples,
        seconds=report.seconds,
        deadline_misses=report.deadline_misses,
        underruns=report.underruns,
        missing_samples=report.missing_samples,
        callback_time=distribution(report.callback_time_ns()),
        wake_lateness=distribution(report.wake_lateness_ns()),
        inference_time=distribution(native.inference_time_ns(), inference_before),
        turnaround_time=distribution(native.turnaround_time_ns(), turnaround_before),
        inference_budget_us=1e6 * budget,
        cpu_share=report.cpu_seconds / report.seconds,
        realtime_priority=report.realtime_priority,
        ended_early=REFUSALS[report.error.name],
        block_sizes=tuple(report.block_sizes),
        output=output if output.shape[0] else None,
        backend_name=session.backend_name,
        waits=report.waits,
        waited_seconds=report.waited_seconds,
    )


def _worker_runs(
    before: Sequence[WorkerStatistics], after: Sequence[WorkerStatistics], seconds: float
) -> tuple[WorkerRun, ...]:
    return tuple(
        WorkerRun((now.cpu_seconds - then.cpu_seconds) / seconds, now.turns - then.turns, now.realtime_priority)
        for then, now in zip(before, after, strict=False)
    )
