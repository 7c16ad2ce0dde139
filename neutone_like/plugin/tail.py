"""How long a model is heard after its input has ended, measured by playing the plugin that holds it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neutone_like.plugin.lv2 import Layout
from neutone_like.plugin.playing import PlayingPlugin, playing

MOST_SECONDS = 30.0
"""What is heard for longer is taken for endless."""
_LONGEST_SILENCE_SECONDS = 8.0
_QUIET = 1e-6  # of the loudest sample: -120 dB, so that after other sounds than this burst it is below -100
_BLOCK = 4096
_BURST_SECONDS = 0.2
_PITCH_HZ = 110.0
_ROUNDS = 3
Values = tuple[float, ...]
Audio = npt.NDArray[np.float32]


@dataclass(frozen=True)
class PluginTail:
    """The longest that was found.

    Attributes:
        sample_rate: In Hz: the model's own, at which it was measured.
        samples: From the input's last sample, beyond the latency, to the last one that is less than 120 dB below the
            loudest. A constant, in which networks with biases end, is no sound.
    """

    sample_rate: int
    samples: int

    @property
    def seconds(self) -> float:
        return self.samples / self.sample_rate

    def __str__(self) -> str:
        return f"{self.seconds:.3f} s ({self.samples} samples at {self.sample_rate} Hz)"


def measure_tail(
    binary: Path,
    parameters: Sequence[Mapping[str, Any]],
    layout: Layout,
    sample_rate: int,
    model_block: int,
    memory_bytes: int,
) -> PluginTail | None:
    """Play bursts and then silence, until nothing is heard any more, with the knobs at the ends of their ranges.

    Bursts of three kinds, because each leaves something else behind: noise, a constant that ends, and pulses with a
    click at their end. Their last sample is the first of a block of the model's: it waits longest. From the defaults
    each knob is moved to whichever end, or label, gives the longest tail, one after the other and again.

    Args:
        binary: The plugin's file.
        parameters: As metadata has them.
        layout: The channels of its first plugin.
        sample_rate: In Hz, at which the model is played without a conversion.
        model_block: Samples that it plays at once; 1: any number.
        memory_bytes: Of an instance. What it says nothing of for longer than it could remember, it has forgotten. One
            that could remember more than 8 seconds of silence is taken for endless, for want of time to wait for it.

    Returns:
        ``None`` where it is heard for longer than :data:`MOST_SECONDS`, without an input too, or where the burst isn't
        heard at all, so that nothing is known.

    Raises:
        CompileError: The system doesn't load programs from there.
    """
    silence = memory_bytes // 4 + model_block
    if silence > _LONGEST_SILENCE_SECONDS * sample_rate:
        return None
    with playing(binary, sample_rate, len(parameters), layout, _BLOCK) as plugin:
        bursts = _bursts(layout.inputs, sample_rate, model_block)
        most = math.ceil(MOST_SECONDS * sample_rate)
        defaults = tuple(float(each["default"]) for each in parameters)

        def length(values: Values) -> float:
            longest = -1.0
            for burst in bursts:
                longest = max(longest, _tail(plugin, values, burst, silence, most))
                if longest == math.inf:
                    break
            return longest

        longest = _longest(defaults, [*map(_ends, parameters)], length)
    return PluginTail(sample_rate, int(longest)) if 0.0 <= longest < math.inf else None


def _longest(values: Values, ends: Sequence[Sequence[float]], length: Callable[[Values], float]) -> float:
    """Of all that was tried: ``inf`` where one has no end, -1 where none is heard."""
    known = {values: length(values)}
    for _ in range(_ROUNDS):
        before = values
        for knob, choices in enumerate(ends):
            for choice in choices:
                moved = (*values[:knob], choice, *values[knob + 1 :])
                if moved not in known and known[values] < math.inf:
                    known[moved] = length(moved)
                values = max(values, moved, key=lambda at: known.get(at, -1.0))
        if values == before:
            break
    return known[values]


def _ends(parameter: Mapping[str, Any]) -> list[float]:
    labels = parameter.get("labels")
    return [float(label) for label in range(len(labels))] if labels else [parameter["maximum"], parameter["minimum"]]


def _bursts(channels: int, sample_rate: int, model_block: int) -> list[Audio]:
    samples = math.ceil(_BURST_SECONDS * sample_rate / model_block) * model_block + 1
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (channels, samples))
    constant = np.full((channels, samples), 0.7)
    at, period = np.arange(samples), max(2, round(sample_rate / _PITCH_HZ))
    pulses = np.tile(np.where(at % period < period // 8, 0.7, -0.1), (channels, 1))
    pulses[:, -1] = 1.0
    return [each.astype(np.float32) for each in (noise, constant, pulses)]


def _tail(plugin: PlayingPlugin, values: Values, burst: Audio, silence: int, most: int) -> float:
    """In samples; ``inf``: it has no end; -1: it isn't heard.

    A constant is no sound: networks with biases end in one.
    """
    plugin.begin(values)
    end, last, peak = burst.shape[1] + plugin.latency_samples, -1, 0.0
    constant = np.zeros((len(plugin.outputs), 1), np.float32)  # what it seems to have come to
    heard: list[Audio] = []
    for at in count(0, _BLOCK):
        block = burst[:, at : at + _BLOCK]
        plugin.inputs[:] = 0.0
        plugin.inputs[:, : block.shape[1]] = block
        plugin.run(_BLOCK)
        heard.append(plugin.outputs.copy())
        peak = max(peak, float(np.abs(plugin.outputs).max()))
        if _last_beyond(plugin.outputs - constant, _QUIET * peak) >= 0:
            last, constant = at + _BLOCK, plugin.outputs[:, -1:].copy()
        if last > end + most:
            return math.inf
        if at + _BLOCK > max(end, last) + silence:
            break
    if peak == 0.0:
        return -1.0
    return max(0.0, _last_beyond(np.concatenate(heard, axis=1) - constant, _QUIET * peak) + 1.0 - end)


def _last_beyond(sound: Audio, limit: float) -> int:
    """The index of the last sample that is farther from 0; -1: none is."""
    beyond = np.flatnonzero(np.abs(sound).max(axis=0) > limit)
    return int(beyond[-1]) if len(beyond) else -1
