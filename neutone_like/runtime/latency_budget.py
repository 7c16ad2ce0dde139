"""Which ways to play a model are early enough for what it is wanted for, and what to change where none is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from neutone_like.artifact import Artifact
from neutone_like.printing import Printed, Row

ALLOWED_SHARE = 0.8
"""Of what a block lasts, for the 99th percentile of its computing time."""


@dataclass(frozen=True)
class Target:
    """What people want a model for, and how late the sound may be then, from the microphone to the ear.

    Attributes:
        name: In a word.
        milliseconds: The most; what a player, a speaker, a user of a tool and a listener to a stream still accept.
    """

    name: str
    milliseconds: float

    def __str__(self) -> str:
        return f"{self.name}, {self.milliseconds:g} ms"


TARGETS = (Target("live", 10.0), Target("voice", 50.0), Target("interactive", 100.0), Target("streaming", 1000.0))


@dataclass(frozen=True)
class WayToPlay:
    """One backend at one host setting.

    Attributes:
        backend: What computes.
        sample_rate: Of the host, in Hz.
        block_size: Of the host, in samples.
        latency_samples: What the session reports, at that rate.
        p99_us: Of the time that a call of the model takes.
        lasts_us: How long the sound of that call lasts.
    """

    backend: str
    sample_rate: int
    block_size: int
    latency_samples: int
    p99_us: float
    lasts_us: float

    @property
    def blocks_ms(self) -> float:
        """One block is collected before it is handed over, and one is heard while the next is computed."""
        return 2000.0 * self.block_size / self.sample_rate

    @property
    def latency_ms(self) -> float:
        """From sound in to sound out: two blocks of the host, and what the session reports. Converters come on top."""
        return self.blocks_ms + 1000.0 * self.latency_samples / self.sample_rate

    @property
    def share(self) -> float:
        """Of what a block lasts, the 99th percentile of its computing time."""
        return self.p99_us / self.lasts_us

    @property
    def in_time(self) -> bool:
        """Whether it keeps up."""
        return self.share <= ALLOWED_SHARE

    def __str__(self) -> str:
        return f"{self.backend} at {self.sample_rate} Hz / {self.block_size}"


@dataclass(frozen=True)
class Verdict:
    """On one target.

    Attributes:
        target: What it is wanted for.
        fitting: Every way that keeps up and is early enough; the one with the least load first.
        advice: What to change; empty where something fits.
    """

    target: Target
    fitting: tuple[WayToPlay, ...]
    advice: str

    def __str__(self) -> str:
        if not self.fitting:
            return f"nothing fits: {self.advice}"
        best = self.fitting[0]
        return f"{best}: {best.latency_ms:.1f} ms, {best.share:.0%} of a block"


@dataclass(frozen=True, repr=False)
class LatencyBudget(Printed):
    """What fits which use.

    Attributes:
        ways: That were measured.
        model_delay_ms: The model's own delay.
        verdicts: One for each target.
    """

    ways: tuple[WayToPlay, ...]
    model_delay_ms: float
    verdicts: tuple[Verdict, ...]

    def _rows(self) -> list[Row]:
        return [(str(each.target), str(each)) for each in self.verdicts]

    def to_dict(self) -> dict[str, Any]:
        """JSON types; times in the units of their names."""
        return {
            "model_delay_ms": self.model_delay_ms,
            "ways": [
                {**vars(each), "latency_ms": each.latency_ms, "share": each.share, "in_time": each.in_time}
                for each in self.ways
            ],
            "targets": [
                {
                    "name": each.target.name,
                    "milliseconds": each.target.milliseconds,
                    "fitting": [str(way) for way in each.fitting],
                    "advice": each.advice,
                }
                for each in self.verdicts
            ],
        }


def model_delay_ms(artifact: Artifact) -> float:
    """A live model's own delay, at the first of its rates and blocks."""
    module = artifact.fresh_module()
    rate = (artifact.sample_rates or (48000,))[0]
    module.set_daw_sample_rate_and_buffer_size(rate, (artifact.block_sizes or (512,))[0])
    return 1000.0 * int(module.calc_model_delay_samples()) / rate


def latency_budget(
    ways: Sequence[WayToPlay], model_delay_ms: float, targets: Sequence[Target] = TARGETS
) -> LatencyBudget:
    """Hold ways to play a model against what it may be wanted for.

    Args:
        ways: As measured; at least one.
        model_delay_ms: The model's own delay, which no host can take away.
        targets: The uses.
    """
    verdicts = tuple(_verdict(target, ways, model_delay_ms) for target in targets)
    return LatencyBudget(tuple(ways), model_delay_ms, verdicts)


def _verdict(target: Target, ways: Sequence[WayToPlay], model_delay_ms: float) -> Verdict:
    early = [each for each in ways if each.latency_ms <= target.milliseconds]
    fitting = sorted((each for each in early if each.in_time), key=lambda each: (each.share, each.latency_ms))
    if fitting:
        return Verdict(target, tuple(fitting), "")
    advice = _too_slow(early, ways) if early else _too_late(min(ways, key=lambda each: each.latency_ms), model_delay_ms)
    return Verdict(target, (), advice)


def _too_slow(early: Sequence[WayToPlay], ways: Sequence[WayToPlay]) -> str:
    best = min(early, key=lambda each: each.share)
    compiled = any(each.backend == "compiled" for each in ways)
    what = "a smaller network" if compiled else "a compiled model (see what refuses it), or a smaller network"
    return (
        f"{best} is early enough ({best.latency_ms:.1f} ms), but its 99th percentile takes {best.share:.0%} of what a "
        f"block lasts, and {ALLOWED_SHARE:.0%} is the most: use {what}."
    )


def _too_late(way: WayToPlay, model_delay_ms: float) -> str:
    rest = max(0.0, way.latency_ms - way.blocks_ms - model_delay_ms)
    parts = (
        (way.blocks_ms, "are two blocks of the host: use shorter ones"),
        (model_delay_ms, "are the model's own delay: look less far ahead, or use a shorter window"),
        (rest, "are buffering and rate conversion: let the model take any block, or shorter ones, at the host's rate"),
    )
    largest, what = max(parts)
    return f"the earliest, {way}, takes {way.latency_ms:.1f} ms, of which {largest:.1f} ms {what}."
