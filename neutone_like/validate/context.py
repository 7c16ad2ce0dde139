"""What every check is given: the artifact, host settings to try, sounds and parameter values to try them with."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neutone_like.artifact.reading.loader import Artifact
from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.host import SampleQueueWrapper
from neutone_like.model import WaveformToWaveformBase
from neutone_like.validate import signals
from neutone_like.validate.playing import HostSetting, play_aligned, prepare
from neutone_like.validate.report import Findings, Status

DIFFERENCE_ALLOWED = 1e-6
LARGEST_DIFFERENCE_ALLOWED = 1e-3
ROUNDING = 2.0**-22  # of full scale: a few roundings of a float32 sample
CORNERS_AT_MOST = 16


@dataclass(frozen=True)
class Outcome:
    """What a check function returns; the runner adds its name and the time it took."""

    status: Status
    measured: str
    allowed: str
    advice: str = ""
    information: tuple[str, ...] = ()
    findings: Findings | None = None


def verdict(good: bool, measured: str, allowed: str, advice: str, information: tuple[str, ...] = ()) -> Outcome:
    """Passed where ``good``, else failed."""
    return Outcome("passed" if good else "failed", measured, allowed, advice, information)


def skipped(reason: str, allowed: str) -> Outcome:
    """A check that was not run, and why."""
    return Outcome("skipped", f"not run: {reason}", allowed)


@dataclass
class Context:
    """One validation."""

    artifact: Artifact
    eager_model: WaveformToWaveformBase | None = None
    quick: bool = False
    quality: str = "high"
    module: Any = None

    @property
    def is_ours(self) -> bool:
        """Whether this package wrote the artifact; others keep to the format, but lack what we add to it."""
        return self.artifact.metadata.neutone_like is not None

    @property
    def channels(self) -> int:
        """How many channels the host sends: stereo where either side of the model is, so that nothing is averaged."""
        sides = (self.artifact.in_channels, self.artifact.out_channels)
        return max(sides) if max(sides) <= 2 else self.artifact.in_channels

    @property
    def native_rate(self) -> int:
        """A host rate at which nothing is resampled, in Hz."""
        return self.artifact.sample_rates[0] if self.artifact.sample_rates else 48000

    @property
    def settings(self) -> tuple[HostSetting, ...]:
        """Host settings to try: the model's own rate and others, round block sizes and odd ones."""
        own = self.native_rate
        other = 44100 if own != 44100 else 48000
        settings = (HostSetting(own, 512), HostSetting(other, 128))
        if self.quick:
            return settings
        return (*settings, HostSetting(own, 100), HostSetting(96000 if own != 96000 else 48000, 441))

    def fresh(self, setting: HostSetting) -> Any:
        """A newly loaded module, told of the host."""
        return prepare(self.artifact.fresh_module(), setting)

    def reused(self, setting: HostSetting) -> Any:
        """The same module every time, told of the host anew and reset: for checks that have no doubt about that."""
        if self.module is None:
            self.module = self.artifact.fresh_module()
        return prepare(self.module, setting)

    def eager(self, setting: HostSetting) -> Any:
        """The Python model, copied so that the user's own is left alone, in a new wrapper told of the host."""
        assert self.eager_model is not None
        return prepare(SampleQueueWrapper(working_copy(self.eager_model), quality=self.quality), setting)

    def sound(self, samples: int, seed: int = 0) -> Tensor:
        """A changing sound for the host's channels; the same in all of them for a mono model."""
        if self.artifact.in_channels == 1:
            return signals.changing(1, samples, seed=seed).repeat(self.channels, 1)
        return signals.changing(self.channels, samples, seed=seed)

    @property
    def parameter_count(self) -> int:
        return len(self.artifact.numerical_parameters)

    @property
    def defaults(self) -> Tensor:
        """The parameters' defaults as a host sends them, ``[P, 1]``."""
        parameters = self.artifact.numerical_parameters
        return torch.tensor([[parameter.default_0to1] for parameter in parameters]).reshape(-1, 1)

    def value_sets(self) -> dict[str, Tensor]:
        """Parameter values to try: the defaults, and two that differ from them and from each other."""
        if self.parameter_count == 0:
            return {"no parameters": self.defaults}
        generator = torch.Generator().manual_seed(1)
        drawn = torch.rand(self.parameter_count, 1, generator=generator)
        sets = {"default parameters": self.defaults, "drawn parameters": drawn}
        return sets if self.quick else {**sets, "opposite parameters": 1.0 - drawn}

    def automation(self, samples: int) -> Tensor:
        """Every parameter on the move, with jumps: ``[P, samples]``."""
        time = torch.arange(samples)
        rows = [(((time + 313 * row) // 1500) * 0.37 + 0.21 * row) % 1.0 for row in range(self.parameter_count)]
        return torch.stack(rows) if rows else torch.zeros(0, samples)

    def corners(self) -> list[Tensor]:
        """Every combination of lowest and highest values, or a fixed sample of them where there are many."""
        count = self.parameter_count
        if 2**count <= CORNERS_AT_MOST:
            return [torch.tensor(corner).reshape(-1, 1) for corner in itertools.product((0.0, 1.0), repeat=count)]
        generator = torch.Generator().manual_seed(2)
        drawn = torch.randint(0, 2, (CORNERS_AT_MOST - 2, count, 1), generator=generator).to(torch.float32)
        return [torch.zeros(count, 1), torch.ones(count, 1), *drawn]

    def difference_allowed(self, setting: HostSetting, x: Tensor, values: Tensor, reference: Tensor) -> float:
        """How far two ways of computing the same may differ: by 1e-6, or by four times what rounding the input does.

        A model with much gain, or one that amplifies small differences, makes more of the last bit of a float32 than
        1e-6 without anything being wrong. So the input is changed by that bit, and the effect measured.
        """
        rounding = signals.noise(x.size(0), x.size(1), amplitude=ROUNDING, seed=7)
        if self.artifact.in_channels == 1:
            rounding = rounding[:1].expand_as(x)
        moved = play_aligned(self.reused(setting), x + rounding, setting.block_size, values)
        return min(LARGEST_DIFFERENCE_ALLOWED, max(DIFFERENCE_ALLOWED, 4.0 * largest_difference(moved, reference)))


CheckFunction = Callable[[Context], Outcome]


def largest_difference(first: Tensor, second: Tensor) -> float:
    """Largest absolute difference; infinite where the shapes differ or a value is not a number."""
    if first.shape != second.shape:
        return float("inf")
    if first.numel() == 0:
        return 0.0
    difference = float((first - second).abs().max())
    return difference if difference == difference else float("inf")


def first_difference(first: Tensor, second: Tensor, allowed: float) -> int:
    """The first sample where two sounds differ by more than ``allowed``; -1 where they don't."""
    samples = min(first.size(1), second.size(1))
    distance = (first[:, :samples] - second[:, :samples]).abs()
    wrong = torch.logical_not(distance <= allowed).any(0).nonzero()
    return int(wrong[0]) if wrong.numel() else -1
