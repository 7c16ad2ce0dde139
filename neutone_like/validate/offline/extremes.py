"""Nothing that a host can send makes the output anything but sound."""

import math

import torch
from torch import Tensor

from neutone_like.validate.checks.extremes import FINITE, RUNAWAY_DB, extreme_signals
from neutone_like.validate.context import Outcome, skipped, verdict
from neutone_like.validate.measure import decibels
from neutone_like.validate.offline.context import OfflineContext, Values, equal, loudest, where_apart


def check_extremes_stay_finite(context: OfflineContext) -> Outcome:
    """Play extremes with the knobs at their ends, and texts from empty to the longest."""
    advice = (
        "Bound what can grow: clamp the arguments of log, sqrt, division and powers, keep feedback below 1, and add a "
        "small number where a divisor can be 0. An empty text is a text too."
    )
    rate = context.native_rate
    samples = context.samples(rate)
    module = context.reused(rate)
    peak, corners = 0.0, context.corners()
    names = list(extreme_signals(1, 1))
    for index, values in enumerate(corners):
        # Every sound with the first two corners; then one each, in turn.
        for name in names if index < 2 else [names[index % len(names)]]:
            sounds = [extreme_signals(channels, samples)[name] for channels in context.artifact.audio_in_channels]
            outputs = context.play(module, sounds, values, samples)
            replaced = module.nonfinite_samples()
            if replaced or not all(bool(torch.isfinite(output).all()) for output in outputs):
                where = f"{name}, {_named(context, values)}"
                return verdict(False, f"{replaced} samples were NaN or infinite ({where})", FINITE, advice)
            peak = max(peak, loudest(outputs))
            if context.is_generator:
                break
    measured = f"{len(corners)} parameter corners, loudest {decibels(peak):+.1f} dBFS"
    return verdict(decibels(peak) <= RUNAWAY_DB, measured, f"{FINITE}; at most {RUNAWAY_DB:+.0f} dBFS", advice)


def _named(context: OfflineContext, values: Values) -> str:
    parts = [
        f"{parameter.name}={parameter.minimum + value * (parameter.maximum - parameter.minimum):g}{parameter.unit}"
        for parameter, value in zip(context.artifact.numerical_parameters, values.knobs[:, 0].tolist(), strict=True)
    ]
    parts += [f"{p.name}={text!r:.40}" for p, text in zip(context.artifact.text_parameters, values.texts, strict=True)]
    return ", ".join(parts) or "no parameters"


def check_recovers_from_nan(context: OfflineContext) -> Outcome:
    """Send NaN and infinity, then a normal sound: finite at once, and then as if nothing had been."""
    allowed = "finite output throughout, and the next sound as if nothing had been"
    advice = "reset_model() must clear every state: NaN in one that it leaves out stays for ever."
    if context.is_generator:
        return skipped("there is no input that could hold NaN", allowed)
    rate = context.native_rate
    samples = context.samples(rate)
    sounds, values = context.sounds(samples), context.defaults
    expected = context.play(context.reused(rate), sounds, values, samples)
    for name, value in (("NaN", math.nan), ("infinity", math.inf)):
        module = context.reused(rate)
        during = context.play(module, _poisoned(sounds, value), values, samples)
        if not all(bool(torch.isfinite(output).all()) for output in during):
            return verdict(False, f"after {name} in the input, NaN or infinity reached the host", allowed, advice)
        after = context.play(module, sounds, values, samples)
        if not equal(expected, after):
            measured = f"after {name} in the input, the next sound {where_apart(expected, after)}"
            return verdict(False, measured, allowed, advice)
    return verdict(True, "NaN and infinity leave nothing behind", allowed, advice)


def _poisoned(sounds: list[Tensor], value: float) -> list[Tensor]:
    spoilt = [sound.clone() for sound in sounds]
    for sound in spoilt:
        sound[:, 100] = value
    return spoilt
