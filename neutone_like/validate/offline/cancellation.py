"""A host that has changed its mind gets nothing, soon, and can go on afterwards."""

import threading
import time
from typing import Any

from neutone_like.torch_threads import one_thread
from neutone_like.validate.context import Outcome, verdict
from neutone_like.validate.offline.by_hand import call_by_hand
from neutone_like.validate.offline.context import OfflineContext, Outputs, equal

ALLOWED = "nothing comes out after a request, and the next sound is as if nothing had been"
ADVICE = (
    "Let do_forward_pass return at once, whatever it has, when self.should_cancel_forward_pass() is true, and let "
    "reset_model() clear what it leaves half done."
)


def check_cancellation(context: OfflineContext) -> Outcome:
    """Ask for it before a sound, between its pieces, inside the model, and from another thread while it runs."""
    rate = context.native_rate
    samples = context.samples(rate)
    sounds, values = context.sounds(samples), context.defaults
    module = context.reused(rate)
    expected = context.play(module, sounds, values, samples)
    for label, outputs in (
        ("before the sound", _cancelled_before(context, module)),
        ("between two pieces", _cancelled_between(context, module)),
    ):
        if outputs:
            return verdict(False, f"{len(outputs)} outputs came after a request {label}", ALLOWED, ADVICE)
        if not equal(expected, context.play(module, sounds, values, samples)):
            return verdict(False, f"after a request {label}, the next sound differs", ALLOWED, ADVICE)
    if context.is_ours:
        _cancelled_inside(context, module)
    seconds, finished = _cancelled_from_a_thread(context, module)
    if not equal(expected, context.play(context.prepare(module, rate), sounds, values, samples)):
        return verdict(False, "after a request from another thread, the next sound differs", ALLOWED, ADVICE)
    how = "it was done before the request" if finished else f"it took {seconds * 1000.0:.0f} ms to return"
    return verdict(True, "every request was honoured", ALLOWED, ADVICE, (f"asked from another thread, {how}",))


def _cancelled_before(context: OfflineContext, module: Any) -> Outputs:
    samples = context.samples(context.native_rate)
    module.request_cancel_forward_pass()
    return context.play(module, context.sounds(samples), context.defaults, samples)


def _cancelled_between(context: OfflineContext, module: Any) -> Outputs:
    samples = context.samples(context.native_rate) // 2
    values = context.defaults
    knobs = values.knobs.expand(-1, samples).contiguous()
    module.begin(2 * samples, list(values.texts), [list(tokens) for tokens in values.tokens])
    module.push(context.sounds(samples), knobs)
    module.request_cancel_forward_pass()
    return [*module.push(context.sounds(samples), knobs), *module.finish()]


def _cancelled_inside(context: OfflineContext, module: Any) -> None:
    """What the model returns then has no meaning, but it must return."""
    module.nrb.request_cancel_forward_pass()
    try:
        call_by_hand(context, module.nrb)
    finally:
        module.reset()


def _cancelled_from_a_thread(context: OfflineContext, module: Any) -> tuple[float, bool]:
    """Seconds from the request to the return, and whether the sound was done before."""
    samples = context.samples(context.native_rate)
    sounds = context.sounds(samples)
    outputs: list[Outputs] = []

    def render() -> None:
        with one_thread():
            outputs.append(context.play(module, sounds, context.defaults, samples))

    worker = threading.Thread(target=render, daemon=True)
    worker.start()
    module.request_cancel_forward_pass()
    start = time.perf_counter()
    worker.join()
    return time.perf_counter() - start, bool(outputs and outputs[0])
