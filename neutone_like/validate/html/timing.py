"""How long a block takes, every call counted: nothing is dropped as an outlier."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neutone_like.validate.conditions import optimiser
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.playing import HostSetting, prepare

BLOCK_SIZES = (64, 128, 256, 512, 1024)
WARM_UP_CALLS = 15
MOST_CALLS = 400
SECONDS_PER_SIZE = 0.1
FEWEST_CALLS = 20


@dataclass(frozen=True)
class BlockTime:
    """Times of ``calls`` consecutive calls at one host setting, in microseconds. ``budget_us``: what a block lasts."""

    setting: HostSetting
    calls: int
    median_us: float
    p99_us: float
    largest_us: float

    @property
    def budget_us(self) -> float:
        return 1e6 * self.setting.block_size / self.setting.sample_rate

    def share(self, microseconds: float) -> float:
        """Of the block's duration, in percent."""
        return 100.0 * microseconds / self.budget_us


def time_blocks(subject: LiveSubject, sample_rate: int) -> list[BlockTime]:
    """Time the artifact at a host rate (Hz) and several host blocks: one thread, warm, as TorchScript runs in hosts."""
    with optimiser(True):
        module = subject.artifact.fresh_module()
        return [_time(subject, module, HostSetting(sample_rate, block)) for block in BLOCK_SIZES]


def _time(subject: LiveSubject, module: Any, setting: HostSetting) -> BlockTime:
    prepare(module, setting)
    sound = subject.sound(32 * setting.block_size)
    blocks = [block.contiguous() for block in torch.split(sound, setting.block_size, 1)]
    for index in range(WARM_UP_CALLS):
        module.forward(blocks[index % len(blocks)])
    microseconds = np.array(_call(module, blocks)) * 1e6
    median, p99 = np.percentile(microseconds, (50.0, 99.0))
    return BlockTime(setting, microseconds.size, float(median), float(p99), float(microseconds.max()))


def _call(module: Any, blocks: list[Tensor]) -> list[float]:
    seconds: list[float] = []
    last = time.perf_counter() + SECONDS_PER_SIZE
    while len(seconds) < MOST_CALLS and (len(seconds) < FEWEST_CALLS or time.perf_counter() < last):
        block = blocks[len(seconds) % len(blocks)]
        start = time.perf_counter()
        module.forward(block)
        seconds.append(time.perf_counter() - start)
    return seconds
