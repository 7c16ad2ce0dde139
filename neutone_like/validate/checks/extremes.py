"""Nothing that a host can send makes the output anything but sound."""

import math
from typing import Any

import torch
from torch import Tensor

from neutone_like.validate import signals
from neutone_like.validate.context import Context, Outcome, verdict
from neutone_like.validate.measure import decibels
from neutone_like.validate.playing import HostSetting, play

RUNAWAY_DB = 100.0  # no gain that anybody wants
LOUDEST_TAIL_DB = 20.0
QUIET_DB = -20.0
GROWTH_DB = 6.0
BLOCKS_PER_SIGNAL = 3
FINITE = "finite samples only, none replaced by the guard"


def extreme_signals(channels: int, samples: int) -> dict[str, Tensor]:
    """What a host may send, by name; each ``[channels, samples]``."""
    ones = torch.ones(channels, samples)
    alternating = ones * (1.0 - 2.0 * (torch.arange(samples) % 2))
    return {
        "silence": torch.zeros(channels, samples),
        "full-scale noise": signals.noise(channels, samples, amplitude=1.0),
        "full scale at half the rate": alternating,
        "constant full scale": ones,
        "constant negative full scale": -ones,
        "denormal numbers": alternating * 1e-40,
        "noise at +12 dBFS": signals.noise(channels, samples, amplitude=4.0),
    }


def check_extremes_stay_finite(context: Context) -> Outcome:
    """Play extremes with every combination of lowest and highest parameter values, without a reset between sounds."""
    advice = (
        "Bound what can grow: clamp the arguments of log, sqrt, division and powers, keep feedback below 1, "
        "and add a small number where a divisor can be 0."
    )
    setting = HostSetting(context.native_rate, 512)
    module = context.reused(setting)
    loudest, corners = 0.0, context.corners()
    for values in corners:
        module.reset()
        before = 0
        for name, x in extreme_signals(context.channels, BLOCKS_PER_SIGNAL * setting.block_size).items():
            y = play(module, x, [setting.block_size] * BLOCKS_PER_SIGNAL, values)
            replaced = module.nonfinite_samples() - before
            before += replaced
            if replaced > 0 or not bool(torch.isfinite(y).all()):
                where = f"{name}, {_named(context, values)}"
                return verdict(False, f"{replaced} samples were NaN or infinite ({where})", FINITE, advice)
            loudest = max(loudest, float(y.abs().max()))
    level = decibels(loudest)
    measured = f"{len(corners)} parameter corners x 7 sounds, loudest {level:+.1f} dBFS"
    return verdict(level <= RUNAWAY_DB, measured, f"{FINITE}; at most {RUNAWAY_DB:+.0f} dBFS", advice)


def _named(context: Context, values: Tensor) -> str:
    """The corner in the parameters' own units."""
    parts = []
    for parameter, value in zip(context.artifact.numerical_parameters, values[:, 0].tolist(), strict=True):
        own = parameter.minimum + value * (parameter.maximum - parameter.minimum)
        parts.append(f"{parameter.name}={own:g}{parameter.unit}")
    return ", ".join(parts) or "no parameters"


def check_recovers_from_nan(context: Context) -> Outcome:
    """Send NaN and infinity, then normal sound: finite at once, alive again soon, clean after reset."""
    allowed = "finite output throughout, sound again within 0.5 s, and after reset() as if nothing had been"
    advice = "reset_model() must clear every state: NaN in one that it leaves out stays for ever."
    setting = HostSetting(context.native_rate, 512)
    blocks = max(8, math.ceil(0.5 * setting.sample_rate / setting.block_size))
    x = context.sound(blocks * setting.block_size)
    expected = _play(context.reused(setting), x, setting)
    for name, value in (("NaN", math.nan), ("infinity", math.inf)):
        module = context.reused(setting)
        poison = context.sound(2 * setting.block_size)
        poison[:, 100] = value
        during = _play(module, poison, setting)
        count = module.nonfinite_samples()
        after = _play(module, x, setting)
        replaced_later = module.nonfinite_samples() - count
        module.reset()
        repeated = _play(module, x, setting)
        problem = ""
        if not bool(torch.isfinite(torch.cat((during, after), 1)).all()):
            problem = "NaN or infinity reached the host"
        elif replaced_later > setting.block_size or (_is_silent(after) and not _is_silent(expected)):
            problem = f"the output did not come back ({replaced_later} samples replaced in normal input)"
        elif not torch.equal(repeated, expected):
            problem = "something of it was left after reset()"
        if problem:
            return verdict(False, f"after {name} in the input, {problem}", allowed, advice)
    return verdict(True, "NaN and infinity leave nothing behind", allowed, advice)


def check_silence(context: Context) -> Outcome:
    """Play silence, alone and after sound: what comes out must not grow."""
    setting = HostSetting(context.native_rate, 512)
    silence = torch.zeros(context.channels, 80 * setting.block_size)
    module = context.reused(setting)
    alone = _level(_play(module, silence, setting)[:, -20 * setting.block_size :])
    _play(module, context.sound(10 * setting.block_size), setting)
    tail = _play(module, silence, setting)
    early, late = _level(tail[:, : 40 * setting.block_size]), _level(tail[:, 40 * setting.block_size :])
    return verdict(
        late <= min(LOUDEST_TAIL_DB, max(QUIET_DB, early + GROWTH_DB)),
        f"{_shown(alone)} in silence; after sound {_shown(early)}, then {_shown(late)}",
        f"at most {LOUDEST_TAIL_DB:+.0f} dBFS, and above {QUIET_DB:.0f} dBFS no growth by {GROWTH_DB:.0f} dB",
        "The model keeps getting louder without input: keep feedback below 1.",
    )


def _play(module: Any, x: Tensor, setting: HostSetting) -> Tensor:
    return play(module, x, [setting.block_size] * (x.size(1) // setting.block_size))


def _is_silent(x: Tensor) -> bool:
    return float(x.abs().max()) == 0.0


def _level(x: Tensor) -> float:
    return decibels(float(x.square().mean().sqrt()))


def _shown(level: float) -> str:
    return "no output" if level < -200.0 else f"{level:.0f} dBFS"
