"""What a host is told to compensate, at the settings that hosts usually have."""

from dataclasses import dataclass
from typing import Any

from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.playing import HostSetting, latency_samples, prepare

USUAL_RATES = (44100, 48000, 96000)
USUAL_BLOCKS = (64, 128, 512)


@dataclass(frozen=True)
class LatencyAt:
    """The reported latency at one host setting. ``parts`` in host samples; empty where the artifact can't say."""

    setting: HostSetting
    samples: int
    resampling: bool
    parts: tuple[tuple[str, float], ...]

    @property
    def milliseconds(self) -> float:
        return 1000.0 * self.samples / self.setting.sample_rate


@dataclass(frozen=True)
class LatencyTable:
    """A row for each host rate, a column for each host block."""

    blocks: tuple[int, ...]
    rows: tuple[tuple[LatencyAt, ...], ...]

    def at(self, sample_rate: int, block_size: int) -> LatencyAt:
        """The cell of a host setting that is in the table."""
        wanted = HostSetting(sample_rate, block_size)
        return next(cell for row in self.rows for cell in row if cell.setting == wanted)


def read_latencies(subject: LiveSubject, host_sample_rate: int) -> LatencyTable:
    """Ask the artifact, at the usual rates, the model's own and the one the report is about."""
    rates = sorted({*USUAL_RATES, subject.native_rate, host_sample_rate})
    module = subject.reused(HostSetting(subject.native_rate, USUAL_BLOCKS[0]))
    rows = [tuple(_read(module, HostSetting(rate, block)) for block in USUAL_BLOCKS) for rate in rates]
    return LatencyTable(USUAL_BLOCKS, tuple(rows))


def _read(module: Any, setting: HostSetting) -> LatencyAt:
    prepare(module, setting)
    parts = module.latency_parts() if hasattr(module, "latency_parts") else {}
    return LatencyAt(setting, latency_samples(module), bool(module.is_resampling()), tuple(parts.items()))
