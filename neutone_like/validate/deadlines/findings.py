"""What playing at real deadlines found, and the verdict on it."""

from dataclasses import dataclass
from typing import Any, Literal

from neutone_like.runtime import SessionRun
from neutone_like.validate.playing import HostSetting

ALLOWED_SHARE = 0.8
UNDERRUNS_ALLOWED_SHARE = 0.005
# The ends of a histogram's buckets lie above what is in them, by half a bucket's width of 3.2 % on average.
BUCKET_CENTRE = 0.984
CERTAINLY_SLOW = 1.5

Speed = Literal["in time", "too slow", "machine too busy"]


@dataclass(frozen=True)
class Comparison:
    """What was heard, held against the wrapper playing the same sound in Python, as late as the session reported.

    Attributes:
        differing_samples: Host samples that differ by more than ``allowed_difference``.
        missing_samples: Host samples that were late, as the session counted: only those may differ.
        largest_difference: Late samples included.
        first_sample: The first that differs; -1 where none does.
    """

    differing_samples: int
    missing_samples: int
    largest_difference: float
    allowed_difference: float
    first_sample: int

    @property
    def holds(self) -> bool:
        return self.differing_samples <= self.missing_samples


@dataclass(frozen=True)
class PlayedSetting:
    """One run at one host setting, with a session that does nothing beside it.

    The budget of inference is how long the audio of one model block lasts. A model that takes any number of samples,
    or a wrapper that another tool made, is called once a callback: its block is the host's.

    Attributes:
        model_sample_rate, model_block_size: What the model was called with; the block is None where it takes any.
        worker_cpu_seconds: Processor time of the worker during the run.
        worker_priority: Whether the worker was granted real-time priority.
        trouble: What the model did wrong; empty where it did nothing wrong.
        comparison: None in runs that only measure time, and where the model was too slow.
        repeated: This is a second, longer run, made because the first one fell short.
    """

    setting: HostSetting
    run: SessionRun
    no_op: SessionRun
    model_sample_rate: int
    model_block_size: int | None
    worker_cpu_seconds: float
    worker_priority: bool
    trouble: str = ""
    comparison: Comparison | None = None
    repeated: bool = False

    @property
    def call_rate(self) -> int:
        """In Hz, of the audio that each call brings: the model's where it has blocks of its own, else the host's."""
        return self.setting.sample_rate if self.model_block_size is None else self.model_sample_rate

    @property
    def call_samples(self) -> int:
        """Samples of each call, at that rate."""
        return self.model_block_size or self.setting.block_size

    @property
    def limit_us(self) -> float:
        """What the 99th percentile of inference may take."""
        return ALLOWED_SHARE * self.run.inference_budget_us

    @property
    def speed(self) -> Speed:
        """The verdict on inference. What a busy machine does to a model is told from what the model does.

        The worker's processor time says for how long a block had begun and another program had the processor. Where
        that is more than all time above the limit, and the mean processor time of a block is below it, the model is not
        what was too slow.
        """
        times = self.run.inference_time
        if times.count > 0 and times.p99_us <= self.limit_us:
            return "in time"
        cpu_us = 1e6 * self.worker_cpu_seconds
        taken_away_us = BUCKET_CENTRE * sum(time * count for time, count in times.buckets) - cpu_us
        above_us = sum((time - self.limit_us) * count for time, count in times.buckets if time > self.limit_us)
        excused = times.count > 0 and above_us <= taken_away_us and cpu_us <= self.limit_us * times.count
        return "machine too busy" if excused else "too slow"

    @property
    def underruns_as_no_op(self) -> bool:
        """Whether underruns are those of the no-op session, but for half a percent of the callbacks."""
        allowed = self.no_op.underruns / max(1, self.no_op.callbacks) + UNDERRUNS_ALLOWED_SHARE
        return self.run.underruns <= allowed * self.run.callbacks

    @property
    def good(self) -> bool:
        sounds_right = self.comparison is None or self.comparison.holds
        return not self.trouble and sounds_right and self.speed != "too slow"

    @property
    def is_slow_by_itself(self) -> bool:
        """Whether the worker's processor time alone is far above the limit, which no other program can cause."""
        return 1e6 * self.worker_cpu_seconds > CERTAINLY_SLOW * self.limit_us * max(1, self.run.inference_time.count)

    @property
    def deserves_another_run(self) -> bool:
        """Whether it fell short in a way that a bad moment of the machine can cause: with blocks that came late."""
        is_late = self.speed == "too slow" or self.run.missing_samples > 0
        return not self.good and is_late and not self.is_slow_by_itself

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON types."""
        return {
            "host": {"sample_rate": self.setting.sample_rate, "block_size": self.setting.block_size},
            "model": {"sample_rate": self.model_sample_rate, "block_size": self.model_block_size},
            "inference_limit_us": round(self.limit_us, 3),
            "speed": self.speed,
            "good": self.good,
            "repeated": self.repeated,
            "trouble": self.trouble,
            "comparison": None if self.comparison is None else vars(self.comparison),
            "worker_cpu_seconds": round(self.worker_cpu_seconds, 6),
            "worker_realtime_priority": self.worker_priority,
            "session": self.run.to_dict(),
            "no_op": self.no_op.to_dict(),
        }


@dataclass(frozen=True)
class SmallestBlock:
    """The smallest block with which a model that was too slow keeps up; ``samples`` is None where none does.

    Attributes:
        sample_rate: In Hz.
        of_model: Whether it is one of the model's own sizes, at its rate; else the host's.
        largest_tried: In samples.
    """

    samples: int | None
    sample_rate: int
    of_model: bool
    largest_tried: int

    def __str__(self) -> str:
        whose = "the model's" if self.of_model else "the host's"
        found = f"none up to {self.largest_tried}" if self.samples is None else str(self.samples)
        return f"{found} ({whose}, at {self.sample_rate} Hz)"


@dataclass(frozen=True)
class DeadlineFindings:
    """A whole check.

    Attributes:
        workers: Of the engine that played.
        wake: How a worker learned of work: ``"event"`` or ``"poll"``.
        played: One entry a host setting.
        smallest_blocks: For each host rate at which the model was too slow.
    """

    workers: int
    wake: str
    played: tuple[PlayedSetting, ...]
    smallest_blocks: tuple[SmallestBlock, ...] = ()

    @property
    def conditions(self) -> str:
        """How it was played, in a sentence."""
        workers = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        woken = "woken by an event" if self.wake == "event" else "polling"
        granted = all(one.worker_priority and one.run.realtime_priority for one in self.played)
        return f"{workers}, {woken}; real-time priority {'granted' if granted else 'not granted'}"

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON types."""
        return {
            "workers": self.workers,
            "wake": self.wake,
            "conditions": self.conditions,
            "allowed_share_of_budget": ALLOWED_SHARE,
            "settings": [one.to_dict() for one in self.played],
            "smallest_working_blocks": [vars(block) for block in self.smallest_blocks],
        }


def line_of(one: PlayedSetting) -> str:
    """A run in one line of plain text."""
    times, budget = one.run.inference_time, one.run.inference_budget_us
    parts = [
        f"{one.setting}: inference p50 {times.p50_us:.0f}, p99 {times.p99_us:.0f} us, {one.run.inference_load:.1%} of "
        f"{budget:.0f} us",
        f"callback p99 {one.run.callback_time.p99_us:.0f} us",
        f"{one.run.underruns} underruns, {one.run.missing_samples} samples missing of {one.run.samples} (no-op beside "
        f"it: {one.no_op.underruns}, {one.no_op.missing_samples})",
        f"latency {one.run.latency_samples} samples",
    ]
    if not one.underruns_as_no_op:
        parts.append("more underruns than the no-op beside it")
    if one.speed == "machine too busy":
        parts.append("the processor was taken away for longer than inference took too long: not the model's doing")
    if one.comparison is not None:
        parts.append(_comparison_text(one.comparison))
    if one.trouble:
        parts.append(one.trouble)
    return "; ".join(parts) + (" (second, longer run)" if one.repeated else "")


def _comparison_text(comparison: Comparison) -> str:
    if comparison.differing_samples == 0:
        return f"equal to the reference within {comparison.largest_difference:.1g}"
    first = f"{comparison.differing_samples} samples differ from the reference, the first at {comparison.first_sample}"
    return first + (", all of them late" if comparison.holds else "")
