"""Nothing that a host can send makes the output anything but sound."""

import math

from torch import Tensor

from neutone_like.validate.measure import decibels
from neutone_like.validate.outcome import Outcome, equal, is_finite, loudest, skipped, verdict, where_apart
from neutone_like.validate.subject import Subject

RUNAWAY_DB = 100.0  # no gain that anybody wants
FINITE = "finite samples only, none replaced by the guard"
BOUND_ADVICE = (
    "Bound what can grow: clamp the arguments of log, sqrt, division and powers, keep feedback below 1, and add a "
    "small number where a divisor can be 0. An empty text is a text too."
)
NAN_ADVICE = "reset_model() must clear every state: NaN in one that it leaves out stays for ever."


def check_extremes_stay_finite(subject: Subject) -> Outcome:
    """Play extremes with parameters at their ends; a live model is not reset between sounds."""
    setting, corners = subject.native, subject.corners()
    module = subject.reused(setting)
    peak, tried = 0.0, 0
    for index, values in enumerate(subject.effort.choose(corners, "parameter corners", fewest=2)):
        module.reset()
        tried += 1
        for name, sounds in subject.extreme_sounds(index).items():
            before = module.nonfinite_samples() if subject.is_stream else 0
            outputs = subject.feed(module, sounds, values, setting)
            replaced = module.nonfinite_samples() - before
            if replaced > 0 or not is_finite(outputs):
                where = f"{name}, {subject.named(values)}"
                return verdict(False, f"{replaced} samples were NaN or infinite ({where})", FINITE, BOUND_ADVICE)
            peak = max(peak, loudest(outputs))
    level = decibels(peak)
    measured = f"{tried} parameter corners, loudest {level:+.1f} dBFS"
    return verdict(level <= RUNAWAY_DB, measured, f"{FINITE}; at most {RUNAWAY_DB:+.0f} dBFS", BOUND_ADVICE)


def check_recovers_from_nan(subject: Subject) -> Outcome:
    """Send NaN and infinity, then normal sound: finite at once, sound again soon, and afresh as if nothing had been."""
    what = "sound again within 0.5 s, and after reset()" if subject.is_stream else "and the next sound"
    allowed = f"finite output throughout, {what} as if nothing had been"
    setting = subject.native
    samples = subject.samples_to_recover(setting)
    sounds = subject.sounds(samples)
    if not sounds:
        return skipped("there is no input that could hold NaN", allowed)
    expected = subject.play(subject.reused(setting), sounds, subject.defaults, setting)
    for name, value in (("NaN", math.nan), ("infinity", math.inf)):
        if problem := _problem_after(value, subject, sounds, expected):
            return verdict(False, f"after {name} in the input, {problem}", allowed, NAN_ADVICE)
    return verdict(True, "NaN and infinity leave nothing behind", allowed, NAN_ADVICE)


def _problem_after(value: float, subject: Subject, sounds: list[Tensor], expected: list[Tensor]) -> str:
    """What is wrong once ``value`` has come in; empty where nothing is."""
    setting, values = subject.native, subject.defaults
    module = subject.reused(setting)
    during = subject.feed(module, _poisoned(subject, value), values, setting)
    count = module.nonfinite_samples() if subject.is_stream else 0
    after = subject.feed(module, sounds, values, setting)
    if not is_finite([*during, *after]):
        return "NaN or infinity reached the host"
    if subject.is_stream:
        replaced = module.nonfinite_samples() - count
        if replaced > setting.block_size or (loudest(after) == 0.0 and loudest(expected) > 0.0):
            return f"the output did not come back ({replaced} samples replaced in normal input)"
        module.reset()
        repeated = subject.play(module, sounds, values, setting)
        return "" if equal(repeated, expected) else "something of it was left after reset()"
    return "" if equal(after, expected) else f"the next sound {where_apart(expected, after)}"


def _poisoned(subject: Subject, value: float) -> list[Tensor]:
    """A sound with one value that is no number."""
    sounds = [sound.clone() for sound in subject.sounds(subject.samples(subject.native))]
    for sound in sounds:
        sound[:, 100] = value
    return sounds
