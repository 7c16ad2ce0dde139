"""What a run at real deadlines found: a table for people, JSON for programs."""

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from neutone_like.arguments import require_kind
from neutone_like.errors import RuntimeEngineError
from neutone_like.printing import InNotebooks, Printed, Row, printable
from neutone_like.runtime.audio_blocks import Audio
from neutone_like.runtime.time_distribution import TimeDistribution

if TYPE_CHECKING:
    from rich.table import Table

REPORT_VERSION = 1
_NOT_IN_JSON = ("output", "block_sizes")


@dataclass(frozen=True, repr=False)
class SessionRun(Printed):
    """One session in one run. Times are of this run alone.

    Attributes:
        name: The model's.
        host: Rate and block size.
        mode, adaptation: As the session was opened.
        backend_name: What computed.
        latency_samples: What the session reports, after the run.
        callbacks, samples, seconds: How much was played.
        deadline_misses: Callbacks that ended after the next one was due: the machine's doing as often as the session's.
        underruns: Callbacks with at least one missing sample.
        missing_samples: Host samples that were not ready in time.
        waits: Callbacks that waited for their worker, as the host allowed (``wait_fraction``).
        waited_seconds: All of them together.
        callback_time: Of ``process``, on the calling thread.
        wake_lateness: How much later than wanted the system woke the calling thread.
        inference_time: Of one model block.
        turnaround_time: From the callback that completed a model block until its output was there.
        inference_budget_us: How long a model block's audio lasts: inference that takes longer can't keep up.
        cpu_share: What the calling thread used of one processor.
        realtime_priority: Whether the system granted it to the calling thread.
        ended_early: What ended the run before its time; empty if nothing did.
        block_sizes: Of every callback, where they varied.
        output: float32 ``[channels, samples]``, where it was recorded.
    """

    name: str
    host: str
    mode: str
    adaptation: str
    latency_samples: int
    callbacks: int
    samples: int
    seconds: float
    deadline_misses: int
    underruns: int
    missing_samples: int
    callback_time: TimeDistribution
    wake_lateness: TimeDistribution
    inference_time: TimeDistribution
    turnaround_time: TimeDistribution
    inference_budget_us: float
    cpu_share: float
    realtime_priority: bool
    ended_early: str
    block_sizes: tuple[int, ...]
    output: Audio | None
    backend_name: str = ""
    waits: int = 0
    waited_seconds: float = 0.0

    @property
    def inference_load(self) -> float:
        """The 99th percentile of inference time over its budget."""
        return self.inference_time.p99_us / self.inference_budget_us

    def _title(self) -> str:
        return f"SessionRun of {self.name!r}, {self.host}, {self.mode}"

    def _rows(self) -> list[Row]:
        early = [("ended early", self.ended_early)] if self.ended_early else []
        return [*early, (self.summary(),), ("callback us", *_shown(self.callback_time)), self._inference()]

    def _inference(self) -> Row:
        return ("inference us", *_shown(self.inference_time), f"{self.inference_load:.1%} of budget")

    def summary(self) -> str:
        """What was lost, in one line."""
        return (
            f"{self.callbacks} callbacks in {self.seconds:.1f} s, {self.underruns} underruns, "
            f"{self.missing_samples} samples missing, {self.deadline_misses} too late, "
            f"latency {self.latency_samples} samples"
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything but recorded audio, as JSON takes it."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in _NOT_IN_JSON}
        return {name: _plain(value) for name, value in values.items()}


@dataclass(frozen=True)
class WorkerRun(InNotebooks):
    """One worker in one run: what it used of one processor, and how often it found work."""

    cpu_share: float
    turns: int
    realtime_priority: bool


@dataclass(frozen=True, repr=False)
class RealtimeReport(Printed):
    """A run at real deadlines.

    Attributes:
        sessions: In the order in which they were given.
        no_op: Sessions that do nothing, played beside them on workers of their own, one for each host setting.
        workers: Of the engine.
        no_op_workers: Of the no-op sessions.
    """

    sessions: tuple[SessionRun, ...]
    no_op: tuple[SessionRun, ...]
    workers: tuple[WorkerRun, ...]
    no_op_workers: tuple[WorkerRun, ...]

    def _title(self) -> str:
        return f"RealtimeReport of {len(self.sessions)} session{'' if len(self.sessions) == 1 else 's'}"

    def _rows(self) -> list[Row]:
        played = [(f"{run.name}, {run.host}, {run.mode}", run.summary()) for run in self.sessions]
        return [*played, *((f"(no-op), {run.host}, {run.mode}", run.summary()) for run in self.no_op)]

    def no_op_beside(self, run: SessionRun) -> SessionRun:
        """The no-op session with the host setting and mode of ``run``."""
        require_kind(run, SessionRun, RuntimeEngineError)
        return next(other for other in self.no_op if (other.host, other.mode) == (run.host, run.mode))

    def to_dict(self) -> dict[str, Any]:
        """Everything but recorded audio, as JSON takes it."""
        return {
            "report_version": REPORT_VERSION,
            "sessions": [run.to_dict() for run in self.sessions],
            "no_op": [run.to_dict() for run in self.no_op],
            "workers": [_plain(worker) for worker in self.workers],
            "no_op_workers": [_plain(worker) for worker in self.no_op_workers],
        }

    def to_json(self) -> str:
        """The report as JSON text."""
        return json.dumps(self.to_dict(), indent=1)

    def table(self) -> "Table":
        """One row a session, for ``rich.print``."""
        from rich.markup import escape
        from rich.table import Table

        table = Table(title="At real deadlines", caption=self._caption(), show_lines=True)
        for title in ("session", "", "callback us", "inference us", "samples, calls"):
            table.add_column(title, justify="right" if title.endswith("us") else "left")
        for run in self.sessions:
            table.add_row(*_cells(run, escape(printable(run.name))))
        for run in self.no_op:
            table.add_row(*_cells(run, "(no-op)"), style="dim")
        return table

    def _caption(self) -> str:
        shares = ", ".join(f"{worker.cpu_share:.0%}" for worker in self.workers)
        granted = all(part.realtime_priority for part in (*self.sessions, *self.workers))
        seconds = max(run.seconds for run in self.sessions)
        return (
            f"{seconds:.1f} s; processor used by each worker: {shares}; real-time priority "
            f"{'granted' if granted else 'not granted'}. What the no-op session shows is the machine's doing."
        )


def _cells(run: SessionRun, name: str) -> list[str]:
    counted = (
        f"{run.callbacks} callbacks",
        f"{run.underruns} underruns",
        f"{run.missing_samples} missing",
        f"{run.deadline_misses} too late",
        f"{run.latency_samples} latency",
    )
    return [
        f"{name}\n{run.host}\n{run.mode}",
        "p50\np99\np99.9\nmax\nof budget",
        _percentiles(run.callback_time),
        f"{_percentiles(run.inference_time)}\n{run.inference_load:.1%}",
        "\n".join(counted),
    ]


def _shown(times: TimeDistribution) -> tuple[str, ...]:
    return (f"p50 {times.p50_us:.1f}", f"p99 {times.p99_us:.1f}", f"max {times.max_us:.1f}")


def _percentiles(times: TimeDistribution) -> str:
    return "\n".join(f"{time:.1f}" for time in (times.p50_us, times.p99_us, times.p999_us, times.max_us))


def _plain(value: Any) -> Any:
    """Dataclasses and tuples as dictionaries and lists."""
    if isinstance(value, (TimeDistribution, WorkerRun)):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return [_plain(entry) for entry in value] if isinstance(value, tuple) else value
