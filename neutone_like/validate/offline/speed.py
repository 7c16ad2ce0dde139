"""How long a sound takes. Information only: a busy machine is not a broken model."""

import time

from neutone_like.validate.conditions import optimiser
from neutone_like.validate.context import Outcome
from neutone_like.validate.offline.context import OfflineContext

WARM_UP_RUNS = 2


def check_render_time(context: OfflineContext) -> Outcome:
    """A sound at the model's own rate, one thread, once TorchScript's optimiser has seen it."""
    rate = context.native_rate
    samples = context.samples(rate)
    sounds = context.sounds(samples)
    with optimiser(True):
        module = context.fresh(rate)
        for _ in range(WARM_UP_RUNS):
            context.play(module, sounds, context.defaults, samples)
        start = time.perf_counter()
        outputs = context.play(module, sounds, context.defaults, samples)
        seconds = time.perf_counter() - start
    audio_seconds = outputs[0].size(1) / rate
    measured = (
        f"{seconds:.3g} s for {audio_seconds:.3g} s of sound, {audio_seconds / seconds:.1f} x real time, one thread"
    )
    return Outcome("passed", measured, "information, nothing is required here")
