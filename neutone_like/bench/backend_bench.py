"""One artifact in every backend that can play it: a host block's time, by turns in one process."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from neutone_like.arguments import is_iterable, require_kind
from neutone_like.artifact import Artifact
from neutone_like.bench.artifact_bench import BLOCK_SIZES, CALLS
from neutone_like.bench.machine import conditions_line, machine_conditions
from neutone_like.bench.timing import BlockTimes, time_in_turns
from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ArtifactError, AudioError, MissingExtraError, RuntimeEngineError
from neutone_like.numbers import real_number, whole_number
from neutone_like.printing import Printed, Row, printable
from neutone_like.runtime.choosing import EngineBackendName
from neutone_like.runtime.engine import Engine
from neutone_like.runtime.host_config import HostConfig
from neutone_like.runtime.session import Session
from neutone_like.signal.channels import host_channels

if TYPE_CHECKING:
    from rich.table import Table

BACKENDS: tuple[EngineBackendName, ...] = ("compiled", "torchscript", "onnxruntime", "litert")
DEFAULT_RATE = 48000


@dataclass(frozen=True, repr=False)
class BackendTimes(Printed):
    """What a backend took at one host setting, or why it could not play there."""

    backend: str
    host: HostConfig
    times: BlockTimes | None
    latency_samples: int = 0
    note: str = ""

    def _rows(self) -> list[Row]:
        if self.times is None:
            return [(self.backend, self.note)]
        return [(self.backend, f"median {self.times.median_us:.1f} us, p99 {self.times.percentile_us(99.0):.1f} us")]

    def to_dict(self) -> dict[str, Any]:
        """JSON types; times in microseconds, latencies in host samples."""
        about = {"backend": self.backend, "sample_rate": self.host.sample_rate, "block_size": self.host.block_size}
        if self.times is None:
            return {**about, "note": self.note}
        return {**about, **_figures(self.times), "calls": len(self.times.warm), "latency_samples": self.latency_samples}


@dataclass(frozen=True, repr=False)
class BackendsReport(Printed):
    """Results of :func:`bench_backends`, and where they were measured."""

    artifact: str
    results: tuple[BackendTimes, ...]
    conditions: dict[str, str]

    def _rows(self) -> list[Row]:
        return [(str(each.host), *each._rows()[0]) for each in self.results]  # pyright: ignore[reportPrivateUsage]

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON types."""
        results = [each.to_dict() for each in self.results]
        return {"artifact": self.artifact, "conditions": self.conditions, "results": results}

    def tables(self) -> "list[Table]":
        """A table of times; under it, who is missing and what brings them."""
        from rich.markup import escape
        from rich.table import Table

        notes = dict.fromkeys(f"{each.backend}: {each.note}" for each in self.results if each.note)
        table = Table(
            title=f"{escape(printable(self.artifact))}: a host block in the callback, in us, by turns, nothing dropped",
            caption="\n".join([conditions_line(self.conditions), *map(escape, notes)]),
            title_justify="left",
            caption_justify="left",
        )
        for heading in ("host Hz", "block", "backend", "min", "median", "p99", "p99.9", "max", "calls", "latency"):
            table.add_column(heading, justify="left" if heading == "backend" else "right")
        for each in self.results:
            start = (str(each.host.sample_rate), str(each.host.block_size), each.backend)
            if each.times is None:
                table.add_row(*start, *["-"] * 7)
                continue
            figures = (f"{value:,.1f}" for value in _figures(each.times).values())
            table.add_row(*start, *figures, str(len(each.times.warm)), str(each.latency_samples))
        return [table]


def _figures(times: BlockTimes) -> dict[str, float]:
    return {
        "min_us": times.min_us,
        "median_us": times.median_us,
        "p99_us": times.percentile_us(99.0),
        "p99_9_us": times.percentile_us(99.9),
        "max_us": times.max_us,
    }


@checked_arguments(AudioError, but=("artifact", "sample_rates", "block_sizes"))
def bench_backends(
    artifact: Artifact,
    backends: Sequence[EngineBackendName] = BACKENDS,
    sample_rates: Sequence[int] = (),
    block_sizes: Sequence[int] = BLOCK_SIZES,
    *,
    calls: int = CALLS,
    seconds_at_most: float = 2.0,
) -> BackendsReport:
    """Time host blocks of noise in the native engine, in the callback, for every backend that can play an artifact.

    Backends take turns block by block. Times are those of ``Session.process``, called from Python: rate conversion,
    buffering and parameters belong to them, and so does about a microsecond of Python, the same for all.

    Args:
        artifact: A live model.
        backends: Who is asked.
        sample_rates: Host rates in Hz; none for 48000, or for the first that the model has.
        block_sizes: Host blocks in samples.
        calls: Blocks to time of each backend at each setting.
        seconds_at_most: Time a setting no longer than this, but at least a hundred blocks.

    Raises:
        AudioError: A rate or block size that no host has, or none.
        RuntimeEngineError: There is no native engine, or a name that is no backend.
    """
    require_kind(artifact, Artifact, ArtifactError)
    for each in (sample_rates, block_sizes):
        if not is_iterable(each):
            raise AudioError(f"Expected a list of rates, and one of block sizes, got {each!r:.200}.")
    unknown = [each for each in backends if each not in BACKENDS]
    if unknown or len(backends) == 0:
        raise RuntimeEngineError(f"backends must be some of {BACKENDS}, got {tuple(backends)}.")
    calls = whole_number(calls, "calls", 1, 1 << 40, error=AudioError)
    real_number(seconds_at_most, "seconds_at_most", 0.0, 1e9, unit="s", error=AudioError)
    rates = tuple(sample_rates) or (_usual_rate(artifact),)
    channels = host_channels(artifact.in_channels, artifact.out_channels)
    hosts = [HostConfig(rate, block, channels) for rate in rates for block in block_sizes]
    if not hosts:
        raise AudioError("Expected at least one block size, got none.")
    results: list[BackendTimes] = []
    with Engine(realtime_priority=False) as engine:
        for host in hosts:
            results += _at(engine, artifact, host, backends, calls, seconds_at_most)
    return BackendsReport(artifact.metadata.model_name, tuple(results), machine_conditions())


def _usual_rate(artifact: Artifact) -> int:
    rates = artifact.sample_rates
    return DEFAULT_RATE if not rates or DEFAULT_RATE in rates else rates[0]


def _at(
    engine: Engine,
    artifact: Artifact,
    host: HostConfig,
    backends: Sequence[EngineBackendName],
    calls: int,
    seconds_at_most: float,
) -> list[BackendTimes]:
    sessions: dict[str, Session] = {}
    notes: dict[str, str] = {}
    audio = np.random.default_rng(0).uniform(-0.3, 0.3, (host.channels, host.block_size)).astype(np.float32)
    with ExitStack() as opened:
        for backend in backends:
            try:
                sessions[backend] = opened.enter_context(engine.open(artifact, host, mode="inline", backend=backend))
            except (ArtifactError, MissingExtraError, RuntimeEngineError) as error:
                notes[backend] = str(error)
        ways = [_play(session, audio) for session in sessions.values()]
        times = dict(zip(sessions, time_in_turns(ways, rounds=calls, seconds_at_most=seconds_at_most), strict=True))
        _require_played(sessions)
        return [
            BackendTimes(each, host, times.get(each), _latency(sessions.get(each)), notes.get(each, ""))
            for each in backends
        ]


def _play(session: Session, audio: npt.NDArray[np.float32]) -> Callable[[], object]:
    return lambda: session.process(audio)


def _latency(session: Session | None) -> int:
    return 0 if session is None else session.latency_samples


def _require_played(sessions: dict[str, Session]) -> None:
    """A block that failed is silence, and takes no time to speak of."""
    for backend, session in sessions.items():
        statistics = session.stats()
        if statistics.failed_blocks:
            raise RuntimeEngineError(
                f"{backend} failed in {statistics.failed_blocks} blocks while it was timed: {statistics.last_error}"
            )
