"""How long a block takes. Information only: a busy machine is not a broken model."""

import statistics
import time
from typing import Any

import torch
from torch import Tensor

from neutone_like.validate.conditions import optimiser
from neutone_like.validate.context import Context, Outcome
from neutone_like.validate.playing import HostSetting, prepare

CALLS = 40
WARM_UP_CALLS = 15


def check_inference_time(context: Context) -> Outcome:
    """Median time of a block at several sizes, warm, and for silence after sound, where denormal numbers would show."""
    lines: list[str] = []
    worst = 0.0
    with optimiser(True):
        module = context.artifact.fresh_module()
    for block in (64, 128, 512) if context.quick else (64, 128, 256, 512, 1024):
        setting = HostSetting(context.native_rate, block)
        with optimiser(True):
            prepare(module, setting)
            loud = _median_seconds(module, context.sound(block))
            quiet = _median_seconds(module, torch.zeros(context.channels, block))
        share = loud * setting.sample_rate / block
        worst = max(worst, share)
        lines.append(
            f"{setting}: {loud * 1e6:.0f} us, {100 * share:.1f} % of the time it lasts; silence {quiet * 1e6:.0f} us"
        )
    measured = f"at most {100 * worst:.1f} % of the sound's duration, median, one thread"
    return Outcome("passed", measured, "information, nothing is required here", "", tuple(lines))


def _median_seconds(module: Any, x: Tensor) -> float:
    for _ in range(WARM_UP_CALLS):
        module.forward(x)
    seconds: list[float] = []
    for _ in range(CALLS):
        start = time.perf_counter()
        module.forward(x)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)
