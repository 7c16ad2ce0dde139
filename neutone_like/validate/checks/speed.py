"""How long it takes. Information only: a busy machine is not a broken model."""

import statistics
import time
from typing import Any

import torch
from torch import Tensor

from neutone_like.validate.conditions import optimiser
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.offline_subject import OfflineSubject
from neutone_like.validate.outcome import Outcome
from neutone_like.validate.playing import HostSetting

CALLS = 40
FEWEST_CALLS = 5
WARM_UP_CALLS = 15
FEWEST_WARM_UP_CALLS = 3
NOTHING_REQUIRED = "information, nothing is required here"


def check_inference_time(subject: LiveSubject) -> Outcome:
    """Median time of a block at several sizes, warm, and for silence after sound, where denormal numbers would show."""
    lines: list[str] = []
    worst = 0.0
    sizes = (512, 64, 128) if subject.quick else (512, 64, 128, 256, 1024)
    chosen = sorted(subject.effort.choose(sizes, "block sizes"))
    for block in chosen:
        setting = HostSetting(subject.native_rate, block)
        with optimiser(True):
            module = subject.prepare(subject.optimised, setting)
            loud = _median_seconds(subject, module, subject.sound(block))
            quiet = _median_seconds(subject, module, torch.zeros(subject.channels, block))
        share = loud * setting.sample_rate / block
        worst = max(worst, share)
        lines.append(
            f"{setting}: {loud * 1e6:.0f} us, {100 * share:.1f} % of the time it lasts; silence {quiet * 1e6:.0f} us"
        )
    measured = f"at most {100 * worst:.1f} % of the sound's duration, median, one thread"
    return Outcome("passed", measured, NOTHING_REQUIRED, "", tuple(lines))


def _median_seconds(subject: LiveSubject, module: Any, x: Tensor) -> float:
    each = subject.load * x.size(1) / subject.native_rate
    for _ in range(subject.effort.most(WARM_UP_CALLS, 12.0 * each, FEWEST_WARM_UP_CALLS)):
        module.forward(x)
    seconds: list[float] = []
    for _ in range(subject.effort.most(CALLS, 12.0 * each, FEWEST_CALLS)):
        start = time.perf_counter()
        module.forward(x)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def check_render_time(subject: OfflineSubject) -> Outcome:
    """A sound at the model's own rate, one thread, once TorchScript's optimiser has seen it."""
    setting = subject.native
    sounds = subject.sounds(subject.samples(setting))
    with optimiser(True):
        module = subject.prepare(subject.optimised, setting)
        for _ in subject.effort.choose(range(2), "warm-up runs"):
            subject.play(module, sounds, subject.defaults, setting)
        start = time.perf_counter()
        outputs = subject.play(module, sounds, subject.defaults, setting)
        seconds = time.perf_counter() - start
    audio_seconds = outputs[0].size(1) / setting.sample_rate
    measured = (
        f"{seconds:.3g} s for {audio_seconds:.3g} s of sound, {audio_seconds / seconds:.1f} x real time, one thread"
    )
    return Outcome("passed", measured, NOTHING_REQUIRED)
