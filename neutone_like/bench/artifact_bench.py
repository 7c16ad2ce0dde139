"""What one artifact costs and how late it is, at the host settings that matter to its user."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from neutone_like.arguments import is_iterable, require_kind
from neutone_like.artifact.reading.loader import Artifact
from neutone_like.bench.machine import conditions_line, machine_conditions
from neutone_like.bench.timing import BlockTimes, time_calls
from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ArtifactError, AudioError
from neutone_like.numbers import as_whole_number, real_number, whole_number
from neutone_like.printing import Printed, Row, printable
from neutone_like.signal.channels import host_channels
from neutone_like.torch_threads import one_thread
from neutone_like.validate import signals
from neutone_like.validate.checks.latency import LatencyMeasurement, measure_latency
from neutone_like.validate.conditions import optimiser
from neutone_like.validate.playing import HostSetting, prepare

if TYPE_CHECKING:
    from rich.table import Table

SAMPLE_RATES = (44100, 48000, 96000)
BLOCK_SIZES = (64, 128, 256, 512)
CALLS = 2000


@dataclass(frozen=True, repr=False)
class SettingResult(Printed):
    """Times and latency at one host setting. ``latency`` is None where the model was silent, so can't be timed."""

    setting: HostSetting
    model_sample_rate: int
    times: BlockTimes
    latency: LatencyMeasurement | None
    reported_latency_samples: int

    @property
    def real_time_factor(self) -> float:
        return self.times.real_time_factor(self.setting.block_size, self.setting.sample_rate)

    def _title(self) -> str:
        return f"SettingResult at {self.setting.sample_rate} Hz / {self.setting.block_size}"

    def _rows(self) -> list[Row]:
        measured = "silent" if self.latency is None else f"measured {self.latency.measured:.3f}"
        return [
            (f"median {self.times.median_us:.1f} us, p99 {self.times.percentile_us(99.0):.1f} us",),
            (f"latency {self.reported_latency_samples} samples, {measured}",),
        ]

    def to_dict(self) -> dict[str, Any]:
        """JSON types; times in microseconds, latencies in host samples."""
        times = self.times
        return {
            "sample_rate": self.setting.sample_rate,
            "block_size": self.setting.block_size,
            "model_sample_rate": self.model_sample_rate,
            "first_call_us": times.first_us,
            "slowest_first_call_us": times.slowest_first_us,
            "median_us": times.median_us,
            "p99_us": times.percentile_us(99.0),
            "p99_9_us": times.percentile_us(99.9),
            "max_us": times.max_us,
            "calls": len(times.warm),
            "real_time_factor": self.real_time_factor,
            "reported_latency_samples": self.reported_latency_samples,
            "measured_latency_samples": None if self.latency is None else self.latency.measured,
        }


@dataclass(frozen=True, repr=False)
class BenchReport(Printed):
    """Results of :func:`bench_artifact`, and where they were measured."""

    artifact: str
    results: tuple[SettingResult, ...]
    conditions: dict[str, str]

    def _title(self) -> str:
        return f"BenchReport of {self.artifact!r}"

    def _rows(self) -> list[Row]:
        return [(each._title().rpartition("at ")[2], *(part for (part,) in each._rows())) for each in self.results]  # pyright: ignore[reportPrivateUsage]

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON types."""
        return {
            "artifact": self.artifact,
            "conditions": self.conditions,
            "results": [result.to_dict() for result in self.results],
        }

    def tables(self) -> "list[Table]":
        """A table of times and a table of latencies."""
        return [self._times_table(), self._latency_table()]

    def _times_table(self) -> "Table":
        from rich.markup import escape
        from rich.table import Table

        table = Table(
            title=f"{escape(printable(self.artifact))}: time per block in us, one thread, nothing dropped",
            caption=conditions_line(self.conditions),
            title_justify="left",
        )
        headings = ("host Hz", "block", "model Hz", "first call", "median", "p99", "p99.9", "max", "calls", "RTF")
        for heading in headings:
            table.add_column(heading, justify="right")
        for result in self.results:
            times = result.times
            table.add_row(
                str(result.setting.sample_rate),
                str(result.setting.block_size),
                str(result.model_sample_rate),
                f"{times.slowest_first_us:,.0f}",
                *(f"{value:,.1f}" for value in (times.median_us, times.percentile_us(99.0), times.percentile_us(99.9))),
                f"{times.max_us:,.1f}",
                str(len(times.warm)),
                f"{result.real_time_factor:.4f}",
            )
        return table

    def _latency_table(self) -> "Table":
        from rich.markup import escape
        from rich.table import Table

        table = Table(title=f"{escape(printable(self.artifact))}: latency in host samples", title_justify="left")
        for heading in ("host Hz", "block", "model Hz", "reported", "measured", "difference", "ms"):
            table.add_column(heading, justify="right")
        for result in self.results:
            measured, difference = "silent", "-"
            if result.latency is not None:
                measured, difference = f"{result.latency.measured:.3f}", f"{result.latency.error:+.3f}"
            table.add_row(
                str(result.setting.sample_rate),
                str(result.setting.block_size),
                str(result.model_sample_rate),
                str(result.reported_latency_samples),
                measured,
                difference,
                f"{1000.0 * result.reported_latency_samples / result.setting.sample_rate:.2f}",
            )
        return table


@checked_arguments(AudioError, but=("artifact", "sample_rates", "block_sizes"))
def bench_artifact(
    artifact: Artifact,
    sample_rates: Sequence[int] = SAMPLE_RATES,
    block_sizes: Sequence[int] = BLOCK_SIZES,
    *,
    calls: int = CALLS,
    seconds_at_most: float = 2.0,
) -> BenchReport:
    """Time an artifact's blocks and measure its latency, for every host rate with every host block.

    Each setting has a module of its own, as a host would load it, and one thread. "First call" is the slowest of the
    first three, when TorchScript compiles.

    Args:
        artifact: A live model made by this package.
        sample_rates: Host rates in Hz.
        block_sizes: Host blocks in samples.
        calls: Warm calls to time at each setting.
        seconds_at_most: Time them no longer than this, but at least a hundred of them.

    Raises:
        AudioError: A rate or block size is not positive, or there are none.
    """
    require_kind(artifact, Artifact, ArtifactError)
    for each in (sample_rates, block_sizes):
        if not is_iterable(each):
            raise AudioError(f"Expected a list of rates, and one of block sizes, got {each!r:.200}.")
    rates, blocks = [[as_whole_number(value) or 0 for value in values] for values in (sample_rates, block_sizes)]
    settings = [HostSetting(rate, block) for rate in rates for block in blocks]
    if not settings or any(setting.sample_rate < 1 or setting.block_size < 1 for setting in settings):
        raise AudioError(
            f"Rates and block sizes must be at least 1, and one of each, got {tuple(sample_rates)} Hz and "
            f"{tuple(block_sizes)} samples."
        )
    calls = whole_number(calls, "calls", 1, 1 << 40, error=AudioError)
    real_number(seconds_at_most, "seconds_at_most", 0.0, 1e9, unit="s", error=AudioError)
    conditions = machine_conditions()
    with one_thread(), torch.no_grad():
        results = tuple(_bench_setting(artifact, setting, calls, seconds_at_most) for setting in settings)
    return BenchReport(artifact.metadata.model_name, results, conditions)


def _bench_setting(artifact: Artifact, setting: HostSetting, calls: int, seconds_at_most: float) -> SettingResult:
    channels = host_channels(artifact.in_channels, artifact.out_channels)
    module = prepare(artifact.fresh_module(), setting)
    x = signals.changing(channels, setting.block_size)
    times = time_calls(lambda: module.forward(x), calls=calls, seconds_at_most=seconds_at_most)
    reported = module.calc_buffering_delay_samples() + module.calc_model_delay_samples()
    with optimiser(False):
        latency = measure_latency(artifact, artifact.fresh_module(), setting, channels)
    return SettingResult(setting, module.current_model_sample_rate(), times, latency, reported)
