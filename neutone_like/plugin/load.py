"""How long a plugin's block takes, measured by playing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from neutone_like.plugin.lv2 import Layout
from neutone_like.plugin.playing import PlayingPlugin, playing

_SAMPLE_RATE = 48000
_BLOCK = 64
_BLOCKS = 400
_PART_OF_A_BLOCK = 1 / 3


@dataclass(frozen=True)
class PluginLoad:
    """What a stereo host's blocks take on the machine where the plugin was made.

    Attributes:
        sample_rate: In Hz.
        block_size: Samples of each block.
        median_seconds: Of one in the middle.
        p99_seconds: All but one in a hundred take less. A model with blocks of its own computes them at once, in one of
            several of the host's.
    """

    sample_rate: int
    block_size: int
    median_seconds: float
    p99_seconds: float

    @property
    def part(self) -> float:
        """Of the time that a block lasts, which nothing may exceed: ``p99_seconds``."""
        return self.p99_seconds * self.sample_rate / self.block_size

    @property
    def is_heavy(self) -> bool:
        """Whether that is more than a third: too much for the host's callback, where other plugins play as well."""
        return self.part > _PART_OF_A_BLOCK

    def __str__(self) -> str:
        median, p99 = (f"{seconds * 1e6:.0f} us" for seconds in (self.median_seconds, self.p99_seconds))
        block = f"{self.block_size} samples at {self.sample_rate} Hz"
        return f"{median} for {block}, 99 in 100 below {p99} ({self.part:.0%})"


def measure_load(binary: Path, defaults: Sequence[float], layout: Layout) -> PluginLoad:
    """Play noise through a plugin, as an LV2 host would.

    Args:
        binary: The file of any format: they are the same.
        defaults: Of the model's parameters.
        layout: The channels of its first plugin.

    Raises:
        CompileError: The system doesn't load programs from there.
    """
    with playing(binary, _SAMPLE_RATE, len(defaults), layout, _BLOCK) as plugin:
        plugin.begin(defaults)
        plugin.inputs[:] = np.random.default_rng(0).uniform(-0.3, 0.3, plugin.inputs.shape)
        seconds = [_seconds_of(plugin) for _ in range(_BLOCKS)]
    median, p99 = np.percentile(seconds, [50, 99])
    return PluginLoad(_SAMPLE_RATE, _BLOCK, float(median), float(p99))


def _seconds_of(plugin: PlayingPlugin) -> float:
    start = perf_counter()
    plugin.run(_BLOCK)
    return perf_counter() - start
