"""How long a model is heard after its input has ended, measured by playing the plugin that holds it."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neutone_like.plugin.lv2 import Layout
from neutone_like.plugin.playing import PlayingPlugin, playing

MOST_SECONDS = 30.0
"""What is heard for longer is taken for endless."""
MOST_PROCESSOR_SECONDS = 30.0
"""What takes longer to find out, of one processor, is taken for endless."""
_CLOCK_SECONDS = 2.1
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


@dataclass(frozen=True)
class _Move:
    """Knobs to one end."""

    knobs: tuple[int, ...]
    to: float

    def of(self, values: Values) -> Values:
        return tuple(self.to if knob in self.knobs else value for knob, value in enumerate(values))


@dataclass(frozen=True)
class _Limits:
    samples: int  # that something is heard after the input
    thread_time_seconds: float  # when to give up


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
    each knob is moved to whichever end, or label, gives the longest tail, one after the other and again. From the
    defaults and from there each knob is also turned after the noise, as a hand does that holds what sounds.

    Args:
        binary: The plugin's file.
        parameters: As metadata has them.
        layout: The channels of its first plugin.
        sample_rate: In Hz, at which the model is played without a conversion.
        model_block: Samples that it plays at once; 1: any number.
        memory_bytes: Of an instance. What it says nothing of for longer than it could remember, it has forgotten. One
            that could remember more than 8 seconds of silence is taken for endless, for want of time to wait for it.
            A count needs no memory: after noise there are always two seconds to wait for the next sound of a clock.

    Returns:
        ``None`` where it is heard for longer than :data:`MOST_SECONDS`, without an input too, where to find out takes
        more than :data:`MOST_PROCESSOR_SECONDS`, or where the burst isn't heard at all, so that nothing is known.

    Raises:
        CompileError: The system doesn't load programs from there.
    """
    memory = memory_bytes // 4 + model_block
    if memory > _LONGEST_SILENCE_SECONDS * sample_rate:
        return None
    clock = max(memory, math.ceil(_CLOCK_SECONDS * sample_rate))
    bursts = _bursts(layout.inputs, sample_rate, model_block)
    with playing(binary, sample_rate, len(parameters), layout, max(_BLOCK, bursts[0].shape[1])) as plugin:
        limits = _Limits(math.ceil(MOST_SECONDS * sample_rate), time.thread_time() + MOST_PROCESSOR_SECONDS)
        defaults = tuple(float(each["default"]) for each in parameters)
        ends = [_ends(each) for each in parameters]
        single = [_Move((knob,), choice) for knob, choices in enumerate(ends) for choice in choices]

        def length(values: Values) -> float:
            longest = -1.0
            for burst, silence in zip(bursts, (clock, memory, memory), strict=True):
                longest = max(longest, _tail(plugin, values, values, burst, silence, limits))
                if longest == math.inf:
                    break
            return longest

        known = {defaults: length(defaults)}
        values = _longest(defaults, [*_alike(parameters), *single], known, length)
        longest = known[values]
        for start, move in product(dict.fromkeys((defaults, values)), single):
            if longest < math.inf and move.of(start) != start:
                longest = max(longest, _tail(plugin, start, move.of(start), bursts[0], clock, limits))
    return PluginTail(sample_rate, int(longest)) if 0.0 <= longest < math.inf else None


def _longest(
    values: Values, moves: Sequence[_Move], known: dict[Values, float], length: Callable[[Values], float]
) -> Values:
    """Of all that was tried and is then known: ``inf`` where one has no end, -1 where none is heard."""
    for _ in range(_ROUNDS):
        before = values
        for move in moves:
            moved = move.of(values)
            if moved not in known and known[values] < math.inf:
                known[moved] = length(moved)
            values = max(values, moved, key=lambda at: known.get(at, -1.0))
        if values == before:
            break
    return values


def _alike(parameters: Sequence[Mapping[str, Any]]) -> list[_Move]:
    """Knobs of the same range, such as those of an equaliser's bands, together."""
    kinds: dict[str, list[int]] = {}
    for knob, each in enumerate(parameters):
        kinds.setdefault(repr([each.get(key) for key in ("minimum", "maximum", "unit", "labels")]), []).append(knob)
    together = [tuple(knobs) for knobs in kinds.values() if len(knobs) > 1]
    return [_Move(knobs, choice) for knobs in together for choice in _ends(parameters[knobs[0]])]


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


def _tail(plugin: PlayingPlugin, values: Values, turned: Values, burst: Audio, silence: int, limits: _Limits) -> float:
    """In samples; ``inf``: it has no end, or nobody waited for it; -1: it isn't heard.

    A constant is no sound: networks with biases end in one.
    """
    plugin.begin(values)
    end, last, peak, played = burst.shape[1] + plugin.latency_samples, -1, 0.0, 0
    constant = np.zeros((len(plugin.outputs), 1), np.float32)  # what it seems to have come to
    heard: list[Audio] = []
    for block in _played(plugin, turned, burst):
        heard.append(block)
        played += block.shape[1]
        peak = max(peak, float(np.abs(block).max()))
        if _last_beyond(block - constant, _QUIET * peak) >= 0:
            last, constant = played, block[:, -1:]
        if last > end + limits.samples or time.thread_time() > limits.thread_time_seconds:
            return math.inf
        if played > max(end, last) + silence:
            break
    if peak == 0.0:
        return -1.0
    return max(0.0, _last_beyond(np.concatenate(heard, axis=1) - constant, _QUIET * peak) + 1.0 - end)


def _played(plugin: PlayingPlugin, turned: Values, burst: Audio) -> Iterator[Audio]:
    """A burst, and silence with knobs as they are then, for as long as anybody asks."""
    samples = burst.shape[1]
    plugin.inputs[:, :samples] = burst
    plugin.run(samples)
    yield plugin.outputs[:, :samples].copy()
    plugin.inputs[:] = 0.0
    plugin.turn(turned)
    while True:
        plugin.run(_BLOCK)
        yield plugin.outputs[:, :_BLOCK].copy()


def _last_beyond(sound: Audio, limit: float) -> int:
    """The index of the last sample that is farther from 0; -1: none is."""
    beyond = np.flatnonzero(np.abs(sound).max(axis=0) > limit)
    return int(beyond[-1]) if len(beyond) else -1
