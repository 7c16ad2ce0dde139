"""How a network is trained: windows, updates, the end, and a learning rate that fits the time there is."""

import math
from dataclasses import dataclass
from typing import Any

from torch import nn

from neutone_like.streaming import streaming_layers

CONVOLUTION_RATE, SHORT_RATE, RECURRENT_RATE = 6e-3, 2e-2, 8e-3
_SHORT_STEPS, _LONG_STEPS = 150, 1500
_WARM_UP = 0.05
_LAST = 0.01
_MOST_CONTEXT_SAMPLES = 16384


@dataclass(frozen=True)
class Windows:
    """What of the phrases an update sees.

    Attributes:
        batch: Windows side by side.
        context_samples: Heard before what is scored, so that a network is trained as it is played: with a past.
        scored_samples: For which the output is compared.
        pieces: Updates in a row on one set of windows, the state carried from one to the next.
        gradients_through_context: Whether what is learned goes back into the context.
    """

    batch: int
    context_samples: int
    scored_samples: int
    pieces: int
    gradients_through_context: bool

    @property
    def length(self) -> int:
        """Of scored samples in a set."""
        return self.pieces * self.scored_samples


def windows_for(network: nn.Module, shortest_phrase: int, batch: int | None) -> Windows:
    """By what a network remembers: convolutions get twice their reach at once, recurrent ones a state that goes on."""
    reaches = [layer.receptive_field_samples for _, layer in streaming_layers(network)]
    if any(each is None for each in reaches):
        scored = min(512, shortest_phrase)
        pieces = max(1, min(40, shortest_phrase // scored))
        return Windows(batch or 16, 1024, scored, pieces, gradients_through_context=False)
    context = min(_MOST_CONTEXT_SAMPLES, sum(each - 1 for each in reaches if each is not None))
    scored = min(max(8192, 2 * context), 16384, shortest_phrase)
    return Windows(batch or 4, context, scored, 1, gradients_through_context=True)


@dataclass(frozen=True)
class Budget:
    """When training ends: after so many updates, or so much CPU time of this process; the first that is reached."""

    steps: int | None
    seconds: float | None

    def done(self, steps: int, seconds: float) -> float:
        """How much of the budget is used, 0..1."""
        shares = []
        if self.steps is not None:
            shares.append(steps / self.steps)
        if self.seconds is not None:
            shares.append(seconds / self.seconds)
        return min(1.0, max(shares))


def usual_rate(windows: Windows, expected_steps: float) -> float:
    """A learning rate for as many updates: few want a high one (found with a WaveNet of 8 channels)."""
    if not windows.gradients_through_context:
        return RECURRENT_RATE
    place = math.log(max(expected_steps, 1.0) / _SHORT_STEPS) / math.log(_LONG_STEPS / _SHORT_STEPS)
    place = min(1.0, max(0.0, place))
    return SHORT_RATE ** (1.0 - place) * CONVOLUTION_RATE**place


def rate_at(highest: float, done: float) -> float:
    """A short rise, then half a cosine down to a hundredth, whatever the budget is counted in."""
    if done < _WARM_UP:
        return highest * (0.1 + 0.9 * done / _WARM_UP)
    along = (done - _WARM_UP) / (1.0 - _WARM_UP)
    return highest * (_LAST + (1.0 - _LAST) * 0.5 * (1.0 + math.cos(math.pi * along)))


def set_rate(optimiser: Any, rate: float) -> None:
    """For the next update."""
    for group in optimiser.param_groups:
        group["lr"] = rate
