"""A live artifact: the host feeds it a stream, block by block."""

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from neutone_like.artifact.format.format_limits import Model
from neutone_like.host import SampleQueueWrapper
from neutone_like.signal.channels import host_channels
from neutone_like.validate import signals
from neutone_like.validate.extreme_signals import extreme_signals
from neutone_like.validate.outcome import Outputs
from neutone_like.validate.playing import (
    HostSetting,
    as_rows,
    latency_samples,
    padded_length,
    play,
    play_aligned,
    prepare,
)
from neutone_like.validate.subject import HostMemory, Subject, Values

CORNERS_AT_MOST = 16
BLOCKS_PER_EXTREME = 3
BLOCKS_PER_SOUND = 8
MODEL_BLOCKS_PER_SOUND = 2
FEWEST_BLOCKS = 8
RECOVERY_SECONDS = 0.5


@dataclass
class LiveSubject(Subject):
    """A validation of a live artifact."""

    is_stream = True

    @property
    def channels(self) -> int:
        """How many channels the host sends: stereo where either side of the model is, so that nothing is averaged."""
        return host_channels(self.artifact.in_channels, self.artifact.out_channels)

    @property
    def look_behind_samples(self) -> int:
        return self.artifact.live_metadata.look_behind_samples

    @property
    def settings(self) -> tuple[HostSetting, ...]:
        """The model's own rate and others, round block sizes and odd ones."""
        own = self.native_rate
        other = 44100 if own != 44100 else 48000
        settings = (HostSetting(own, 512), HostSetting(other, 128))
        if self.quick:
            return settings
        return (*settings, HostSetting(own, 100), HostSetting(96000 if own != 96000 else 48000, 441))

    def prepare(self, module: Any, setting: HostSetting) -> Any:
        return prepare(module, setting)

    def wrap(self, model: Model) -> Any:
        return SampleQueueWrapper(model, quality=self.quality)  # pyright: ignore[reportArgumentType]

    def model_of(self, module: Any) -> Any:
        return module.w2w_base

    def samples(self, setting: HostSetting) -> int:
        model_block = min(self.artifact.block_sizes, default=0)
        wanted = MODEL_BLOCKS_PER_SOUND * math.ceil(model_block * setting.sample_rate / self.native_rate)
        return padded_length(max(BLOCKS_PER_SOUND * setting.block_size, wanted, 1500), setting.block_size)

    def samples_to_recover(self, setting: HostSetting) -> int:
        wanted = math.ceil(RECOVERY_SECONDS * setting.sample_rate / setting.block_size)
        return self.affordable_blocks(wanted, 6, FEWEST_BLOCKS) * setting.block_size

    def sound(self, samples: int, seed: int = 0) -> Tensor:
        """A changing sound for the host's channels; the same in all of them for a mono model."""
        if self.artifact.in_channels == 1:
            return signals.changing(1, samples, seed=seed).repeat(self.channels, 1)
        return signals.changing(self.channels, samples, seed=seed)

    def sounds(self, samples: int, seed: int = 0) -> list[Tensor]:
        return [self.sound(samples, seed)]

    @cached_property
    def load(self) -> float:
        """Processor time that a second of sound takes, at the native setting: measured once, before much is tried."""
        setting = self.native
        module, x = self.reused(setting), self.sound(self.samples(setting))
        started = time.thread_time()
        self.play(module, [x], self.defaults, setting)
        return (time.thread_time() - started) * setting.sample_rate / x.size(1)

    def affordable_blocks(self, wanted: int, times: int, fewest: int) -> int:
        """How many of the host's native blocks may be played so many times: ``wanted``, or fewer of a slow model.

        ``fewest`` at least, and two of the model's own.
        """
        setting = self.native
        own = math.ceil(2 * min(self.artifact.block_sizes, default=0) / setting.block_size)
        seconds = times * self.load * setting.block_size / setting.sample_rate
        return self.effort.most(wanted, seconds, max(fewest, min(own, wanted)))

    def value_sets(self) -> dict[str, Values]:
        """The defaults, and two that differ from them and from each other."""
        defaults = self.defaults
        count = defaults.knobs.size(0)
        if count == 0:
            return {"no parameters": defaults}
        drawn = torch.rand(count, 1, generator=torch.Generator().manual_seed(1))
        sets = {"default parameters": defaults, "drawn parameters": Values(drawn)}
        return sets if self.quick else {**sets, "opposite parameters": Values(1.0 - drawn)}

    def corners(self) -> list[Values]:
        """Every combination of lowest and highest values, or a fixed sample; all lowest and all highest first."""
        count = self.defaults.knobs.size(0)
        if 2**count <= CORNERS_AT_MOST:
            every = sorted(itertools.product((0.0, 1.0), repeat=count), key=lambda corner: len(set(corner)))
            return [Values(torch.tensor(corner).reshape(-1, 1)) for corner in every]
        generator = torch.Generator().manual_seed(2)
        drawn = torch.randint(0, 2, (CORNERS_AT_MOST - 2, count, 1), generator=generator).to(torch.float32)
        return [Values(knobs) for knobs in (torch.zeros(count, 1), torch.ones(count, 1), *drawn)]

    def extreme_sounds(self, corner: int) -> dict[str, list[Tensor]]:
        samples = BLOCKS_PER_EXTREME * self.native.block_size
        return {name: [x] for name, x in extreme_signals(self.channels, samples).items()}

    def play(
        self, module: Any, sounds: Sequence[Tensor], values: Values, setting: HostSetting, samples: int | None = None
    ) -> Outputs:
        return [play_aligned(module, sounds[0], setting.block_size, values.knobs)]

    def feed(self, module: Any, sounds: Sequence[Tensor], values: Values, setting: HostSetting) -> Outputs:
        blocks = itertools.repeat(setting.block_size)
        return [play(module, sounds[0], blocks, values.knobs)]

    def play_in_turns(
        self, modules: Sequence[Any], sounds: Sequence[list[Tensor]], setting: HostSetting, samples: int
    ) -> list[Outputs]:
        heard: list[list[Tensor]] = [[] for _ in modules]
        for start in range(0, samples, setting.block_size):
            for module, (sound,), blocks in zip(modules, sounds, heard, strict=True):
                blocks.append(play(module, sound[:, start:], [setting.block_size]))
        return [[torch.cat(blocks, 1)] for blocks in heard]

    def memory(self, setting: HostSetting, values: Values, seed: int = 0) -> HostMemory:
        x = self.sound(setting.block_size, seed)
        return HostMemory([x], as_rows(values.knobs, setting.block_size), [], [])

    def arguments(self, memory: HostMemory) -> tuple[Any, ...]:
        return memory.sounds[0], memory.knobs

    def calls_until_output(self, module: Any, setting: HostSetting) -> int:
        return 1 + latency_samples(module) // setting.block_size + 2
