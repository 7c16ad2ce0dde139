"""A host that has changed its mind gets nothing, soon, and can go on afterwards."""

import threading
import time
from typing import Any

from neutone_like.torch_threads import one_thread
from neutone_like.validate.checks.by_hand import call_by_hand
from neutone_like.validate.offline_subject import OfflineSubject
from neutone_like.validate.outcome import Outcome, Outputs, equal, verdict

ALLOWED = "nothing comes out after a request, and the next sound is as if nothing had been"
ADVICE = (
    "Let do_forward_pass return at once, whatever it has, when self.should_cancel_forward_pass() is true, and let "
    "reset_model() clear what it leaves half done."
)


def check_cancellation(subject: OfflineSubject) -> Outcome:
    """Ask for it before a sound, between its pieces, inside the model, and from another thread while it runs."""
    setting = subject.native
    samples = subject.samples(setting)
    sounds, values = subject.sounds(samples), subject.defaults
    module = subject.reused(setting)
    expected = subject.play(module, sounds, values, setting, samples)
    for label, outputs in (
        ("before the sound", _cancelled_before(subject, module)),
        ("between two pieces", _cancelled_between(subject, module)),
    ):
        if outputs:
            return verdict(False, f"{len(outputs)} outputs came after a request {label}", ALLOWED, ADVICE)
        if not equal(expected, subject.play(module, sounds, values, setting, samples)):
            return verdict(False, f"after a request {label}, the next sound differs", ALLOWED, ADVICE)
    if subject.is_ours:
        _cancelled_inside(subject, module)
    seconds, finished = _cancelled_from_a_thread(subject, module)
    if not equal(expected, subject.play(subject.prepare(module, setting), sounds, values, setting, samples)):
        return verdict(False, "after a request from another thread, the next sound differs", ALLOWED, ADVICE)
    how = "it was done before the request" if finished else f"it took {seconds * 1000.0:.0f} ms to return"
    return verdict(True, "every request was honoured", ALLOWED, ADVICE, (f"asked from another thread, {how}",))


def _cancelled_before(subject: OfflineSubject, module: Any) -> Outputs:
    samples = subject.samples(subject.native)
    module.request_cancel_forward_pass()
    return subject.play(module, subject.sounds(samples), subject.defaults, subject.native, samples)


def _cancelled_between(subject: OfflineSubject, module: Any) -> Outputs:
    samples = subject.samples(subject.native) // 2
    values = subject.defaults
    knobs = values.knobs.expand(-1, samples).contiguous()
    module.begin(2 * samples, list(values.texts), [list(tokens) for tokens in values.tokens])
    module.push(subject.sounds(samples), knobs)
    module.request_cancel_forward_pass()
    return [*module.push(subject.sounds(samples), knobs), *module.finish()]


def _cancelled_inside(subject: OfflineSubject, module: Any) -> None:
    """What the model returns then has no meaning, but it must return."""
    module.nrb.request_cancel_forward_pass()
    try:
        call_by_hand(subject, module.nrb)
    finally:
        module.reset()


def _cancelled_from_a_thread(subject: OfflineSubject, module: Any) -> tuple[float, bool]:
    """Seconds from the request to the return, and whether the sound was done before."""
    samples = subject.samples(subject.native)
    sounds = subject.sounds(samples)
    outputs: list[Outputs] = []

    def render() -> None:
        with one_thread():
            outputs.append(subject.play(module, sounds, subject.defaults, subject.native, samples))

    worker = threading.Thread(target=render, daemon=True)
    worker.start()
    module.request_cancel_forward_pass()
    start = time.perf_counter()
    worker.join()
    return time.perf_counter() - start, bool(outputs and outputs[0])
