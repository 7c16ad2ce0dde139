"""What a session tells about itself: latency by its parts, and everything that was counted and timed."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from neutone_like.printing import InNotebooks, Printed, Row
from neutone_like.runtime.time_distribution import TimeDistribution, distribution

if TYPE_CHECKING:
    from neutone_like.runtime import _native


@dataclass(frozen=True, repr=False)
class LatencyParts(Printed):
    """Where a session's latency comes from, in host samples; the parts add up to ``total_samples``.

    Attributes:
        resample_in_samples: The filter towards the model's rate.
        buffering_samples: Waiting until a model block is complete.
        model_samples: The model's own delay; of an embedded wrapper, all of its latency.
        resample_out_samples: The filter back, and what rounding the total to a whole sample adds.
        inference_samples: What the worker's time adds; 0 in ``"inline"`` mode, and where waiting is enough.
        total_samples: What a host is told.
    """

    resample_in_samples: float
    buffering_samples: float
    model_samples: float
    resample_out_samples: float
    inference_samples: float
    total_samples: int

    def __repr__(self) -> str:
        names = ("resample_in", "buffering", "model", "resample_out", "inference")
        parts = " + ".join(f"{name.replace('_', ' ')} {getattr(self, f'{name}_samples'):g}" for name in names)
        return f"LatencyParts({self.total_samples} samples = {parts})"

    __str__ = __repr__


@dataclass(frozen=True, repr=False)
class SessionStatistics(Printed):
    """Everything counted and timed since a session was opened. It is read without stopping anything.

    Attributes:
        callbacks, samples: Calls of ``process``, and host samples in them.
        underruns: Callbacks in which at least one sample was missing.
        missing_samples: Host samples that were not ready in time, or whose input was dropped.
        dropped_samples: Host samples of input that found the queue full.
        restarts: How often the stream began anew after the queue was full.
        inserted_silence_samples: Latency grew by so much, because blocks were not of the promised size.
        nonfinite_samples: Samples of model output that were NaN or infinite, and became silence.
        nonfinite_input_samples: Samples of input that were NaN or infinite, and became silence.
        failed_blocks: Model blocks that raised or had the wrong size; silence took their place.
        model_blocks: Blocks that the model was asked for.
        waits: Callbacks that waited for their worker: see :class:`HostConfig`, ``wait_fraction``.
        waited_seconds: All of them together.
        hung: A block took longer than ``watchdog_seconds``: the session is silent until it is closed.
        last_error: What the model last complained about; empty if it never did.
        max_inference_seconds: Of one model block; measured, unless it was given.
        worker_seconds: What the latency allows a worker after a callback, with the other sessions that share it.
        callback_time: Of ``process``, on the host's thread.
        inference_time: Of one model block, on the thread that runs the model.
        turnaround_time: From the callback that completed a model block until its output was there.
    """

    callbacks: int
    samples: int
    underruns: int
    missing_samples: int
    dropped_samples: int
    restarts: int
    inserted_silence_samples: int
    nonfinite_samples: int
    nonfinite_input_samples: int
    failed_blocks: int
    model_blocks: int
    waits: int
    waited_seconds: float
    hung: bool
    last_error: str
    max_inference_seconds: float
    worker_seconds: float
    callback_time: TimeDistribution
    inference_time: TimeDistribution
    turnaround_time: TimeDistribution

    def _rows(self) -> list[Row]:
        lost = f"{self.missing_samples} samples missing, {self.dropped_samples} dropped, {self.restarts} restarts"
        wrong = f"{self.failed_blocks} failed blocks, {self.nonfinite_samples} samples not finite"
        return [
            (f"{self.callbacks} callbacks, {self.samples} samples, {self.model_blocks} model blocks",),
            (f"{self.underruns} underruns, {lost}",),
            *self._waiting(),
            (f"{wrong}{', HUNG' if self.hung else ''}{f', last error: {self.last_error}' if self.last_error else ''}",),
            ("callback", repr(self.callback_time)),
            ("inference", repr(self.inference_time)),
        ]

    def _waiting(self) -> list[Row]:
        return [(f"{self.waits} callbacks waited, {self.waited_seconds:.3f} s in all",)] if self.waits else []

    def _html_rows(self) -> list[Row]:
        return list(Printed._rows(self))


@dataclass(frozen=True)
class WorkerStatistics(InNotebooks):
    """One worker thread of an engine, since the engine was made.

    Attributes:
        cpu_seconds: Time it computed, in user and system code.
        turns: Times that it found work for a session.
        realtime_priority: Whether the system granted it one.
        left_behind: A model never returned to it; another worker has taken its place.
    """

    cpu_seconds: float
    turns: int
    realtime_priority: bool
    left_behind: bool


def read_workers(engine: "_native.Engine") -> tuple[WorkerStatistics, ...]:
    """Ask a native engine."""
    return tuple(WorkerStatistics(**_by_name(WorkerStatistics, worker)) for worker in engine.worker_stats())


def read_latency_parts(session: "_native.Session") -> LatencyParts:
    """Ask a native session."""
    parts = session.latency_parts()
    return LatencyParts(
        parts.resample_in, parts.buffering, parts.model, parts.resample_out, parts.inference, parts.total
    )


def read_statistics(session: "_native.Session") -> SessionStatistics:
    """Ask a native session."""
    return SessionStatistics(
        **_by_name(SessionStatistics, session.stats()),
        callback_time=distribution(session.callback_time_ns()),
        inference_time=distribution(session.inference_time_ns()),
        turnaround_time=distribution(session.turnaround_time_ns()),
    )


def _by_name(kind: type[SessionStatistics] | type[WorkerStatistics], native: object) -> dict[str, Any]:
    """Every field that isn't a distribution of times, read from the native object's attribute of that name."""
    return {field.name: getattr(native, field.name) for field in fields(kind) if field.type is not TimeDistribution}
