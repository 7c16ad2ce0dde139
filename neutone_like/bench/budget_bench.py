"""An artifact's latency budget, measured: every backend that is there, at blocks from short to long."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from neutone_like.artifact import Artifact
from neutone_like.bench.backend_bench import BACKENDS, BackendsReport, BackendTimes, bench_backends
from neutone_like.errors import RuntimeEngineError
from neutone_like.printing import printable
from neutone_like.runtime.choosing import EngineBackendName
from neutone_like.runtime.latency_budget import LatencyBudget, WayToPlay, latency_budget, model_delay_ms

if TYPE_CHECKING:
    from rich.table import Table

BLOCK_SIZES = (32, 64, 128, 256, 512, 1024)
CALLS = 500


def bench_budget(
    artifact: Artifact,
    backends: Sequence[EngineBackendName] = BACKENDS,
    sample_rates: Sequence[int] = (),
    block_sizes: Sequence[int] = BLOCK_SIZES,
    *,
    calls: int = CALLS,
    seconds_at_most: float = 1.0,
) -> LatencyBudget:
    """Measure which ways to play an artifact are early enough for what it may be wanted for.

    Args:
        artifact: A live model.
        backends: Who is asked; those that are not there are left out.
        sample_rates: Host rates in Hz; none for 48000, or for the first that the model has.
        block_sizes: Host blocks in samples.
        calls: Blocks to time of each backend at each setting.
        seconds_at_most: Time a setting no longer than this, but at least a hundred blocks.

    Raises:
        AudioError: A rate or block size that no host has, or none.
        RuntimeEngineError: No backend plays it.
    """
    report = bench_backends(artifact, backends, sample_rates, block_sizes, calls=calls, seconds_at_most=seconds_at_most)
    return latency_budget(_ways(report, artifact), model_delay_ms(artifact))


def _ways(report: BackendsReport, artifact: Artifact) -> list[WayToPlay]:
    ways = [
        WayToPlay(
            backend=each.backend,
            sample_rate=each.host.sample_rate,
            block_size=each.host.block_size,
            latency_samples=each.latency_samples,
            p99_us=each.times.percentile_us(100.0 - 1.0 / _host_blocks(artifact, each)),
            lasts_us=1e6 * each.host.block_size / each.host.sample_rate,
        )
        for each in report.results
        if each.times is not None
    ]
    if not ways:
        notes = "; ".join(dict.fromkeys(f"{each.backend}: {each.note}" for each in report.results))
        raise RuntimeEngineError(f"No backend plays {report.artifact}: {notes}")
    return ways


def _host_blocks(artifact: Artifact, played: BackendTimes) -> float:
    """How many blocks of the host bring one of the model: it computes in every n-th callback only, and those count."""
    model_rate = (artifact.sample_rates or (played.host.sample_rate,))[0]
    block_seconds = max(artifact.block_sizes, default=1) / model_rate
    return max(1.0, block_seconds * played.host.sample_rate / played.host.block_size)


def budget_tables(budget: LatencyBudget, name: str) -> "list[Table]":
    """What fits which use, and every way that was measured."""
    from rich.markup import escape
    from rich.table import Table

    uses = Table(title=f"{escape(printable(name))}: what fits", title_justify="left")
    for heading in ("for", "what", "also"):
        uses.add_column(heading)
    for each in budget.verdicts:
        also = ", ".join(f"{way.backend} {way.block_size}" for way in each.fitting[1:5])
        more = len(each.fitting) - 5
        uses.add_row(str(each.target), escape(str(each)), also + (f" and {more} more" if more > 0 else ""))
    ways = Table(title="Measured in the callback", title_justify="left")
    for heading in ("host Hz", "block", "backend", "latency ms", "p99 us", "of a block"):
        ways.add_column(heading, justify="left" if heading == "backend" else "right")
    for way in budget.ways:
        numbers = (f"{way.latency_ms:.1f}", f"{way.p99_us:,.0f}", f"{way.share:.0%}")
        ways.add_row(str(way.sample_rate), str(way.block_size), way.backend, *numbers)
    return [uses, ways]
