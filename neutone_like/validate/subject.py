"""What every check is given: an artifact, live or offline, with settings, sounds and values to try it with.

Checks that make sense for both kinds are written once, against :class:`Subject`. What differs between the kinds (a
live model is fed a stream, block by block; an offline model gets whole sounds) is in its two implementations.
"""

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from neutone_like.artifact.format.format_limits import Model
from neutone_like.artifact.reading.loader import Artifact
from neutone_like.artifact.reading.rounded_activations import rounds_activations
from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.validate import signals
from neutone_like.validate.conditions import optimiser
from neutone_like.validate.effort import Effort
from neutone_like.validate.outcome import Outputs, apart, loudest
from neutone_like.validate.playing import HostSetting

DIFFERENCE_ALLOWED = 1e-6
LARGEST_DIFFERENCE_ALLOWED = 1e-3
ROUNDING = 2.0**-22  # of full scale: a few roundings of a float32 sample


@dataclass(frozen=True)
class Values:
    """One setting of all parameters: knobs 0..1 ``[P, 1]`` or ``[P, samples]``, texts, lists of tokens."""

    knobs: Tensor
    texts: tuple[str, ...] = ()
    tokens: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class HostMemory:
    """All that a host hands over in one call; it stays the host's."""

    sounds: list[Tensor]
    knobs: Tensor
    texts: list[str]
    tokens: list[list[int]]

    def copy(self) -> "HostMemory":
        """The same again, in memory of its own."""
        return copy.deepcopy(self)

    def changes_from(self, other: "HostMemory") -> list[str]:
        """Which parts are not what they are in ``other``."""
        same = {
            "audio": all(torch.equal(x, y) for x, y in zip(self.sounds, other.sounds, strict=True)),
            "parameters": torch.equal(self.knobs, other.knobs),
            "texts or tokens": (self.texts, self.tokens) == (other.texts, other.tokens),
        }
        return [name for name, is_same in same.items() if not is_same]


@dataclass
class Subject(ABC):
    """One validation.

    Attributes:
        artifact: What is checked.
        eager_model: The Python model that it was made from, where that is at hand.
        quick: Fewer settings and values, and less time for each check.
        quality: Of the resampler, as at export.
        module: The one that :meth:`reused` hands out.
    """

    artifact: Artifact
    eager_model: Model | None = None
    quick: bool = False
    quality: str = "high"
    module: Any = None

    is_stream = False
    """Whether one sound follows another, as in a live model, until ``reset()``; else every sound starts afresh."""

    @property
    def is_ours(self) -> bool:
        """Whether this package wrote the artifact; others keep to the format, but lack what we add to it."""
        return self.artifact.metadata.neutone_like is not None

    @property
    def native_rate(self) -> int:
        """A host rate at which nothing is resampled, in Hz."""
        return self.artifact.sample_rates[0] if self.artifact.sample_rates else 48000

    @property
    @abstractmethod
    def look_behind_samples(self) -> int:
        """Past samples that the model sees again, before each new block."""

    @cached_property
    def effort(self) -> Effort:
        """How much time each check may take."""
        return Effort(self.quick)

    # --- settings ---

    @property
    @abstractmethod
    def settings(self) -> tuple[HostSetting, ...]:
        """Host settings to try: the model's own rate, and others."""

    @property
    def native(self) -> HostSetting:
        """The setting at which nothing is resampled."""
        return self.settings[0]

    @abstractmethod
    def prepare(self, module: Any, setting: HostSetting) -> Any:
        """Tell a wrapper what host it is in, and reset it."""

    @abstractmethod
    def wrap(self, model: Model) -> Any:
        """A Python model in a new wrapper."""

    @abstractmethod
    def model_of(self, module: Any) -> Any:
        """The user's model inside a wrapper."""

    @cached_property
    def unplayed(self) -> Any:
        """A module that nobody plays, to be copied."""
        return self.artifact.fresh_module()

    def copied(self) -> Any:
        """A module with a state of its own, as it was loaded. Loading one takes far longer than a copy.

        TorchScript's modules copy all that they are; what stands in for one may pass the copying on to it.
        """
        if isinstance(self.unplayed, torch.jit.ScriptModule):
            return copy.deepcopy(self.unplayed)
        return self.artifact.fresh_module()

    def fresh(self, setting: HostSetting) -> Any:
        """A newly loaded module, told of the host."""
        return self.prepare(self.artifact.fresh_module(), setting)

    def reused(self, setting: HostSetting) -> Any:
        """The same module every time, told of the host anew and reset: for checks that have no doubt about that."""
        if self.module is None:
            self.module = self.copied()
        return self.prepare(self.module, setting)

    @cached_property
    def optimised(self) -> Any:
        """A module that runs with TorchScript's optimiser, as in hosts; played within ``optimiser(True)`` only."""
        with optimiser(True):
            return self.artifact.fresh_module()

    def eager(self, setting: HostSetting, model: Model | None = None) -> Any:
        """The Python model, copied so that the user's own is left alone, in a new wrapper told of the host."""
        model = self.eager_model if model is None else model
        assert model is not None
        return self.prepare(self.wrap(working_copy(model)), setting)

    # --- sounds and values ---

    @abstractmethod
    def samples(self, setting: HostSetting) -> int:
        """How long a test sound is: long enough for several blocks of the host and of the model."""

    def samples_for_turns(self, setting: HostSetting) -> int:
        """How long the sounds of two instances that take turns are."""
        return self.samples(setting)

    def samples_to_recover(self, setting: HostSetting) -> int:
        """How long a sound is after which a bad sample must be forgotten."""
        return self.samples(setting)

    @abstractmethod
    def sounds(self, samples: int, seed: int = 0) -> list[Tensor]:
        """A changing sound for each input."""

    @abstractmethod
    def value_sets(self) -> dict[str, Values]:
        """Parameter values to try, by name: the defaults, and others."""

    @abstractmethod
    def corners(self) -> list[Values]:
        """Extreme parameter values."""

    @abstractmethod
    def extreme_sounds(self, corner: int) -> dict[str, list[Tensor]]:
        """Extreme sounds to play at one of the corners, by name, at the native setting."""

    @property
    def defaults(self) -> Values:
        """Every parameter at its default."""
        artifact = self.artifact
        return Values(
            torch.tensor([[parameter.default_0to1] for parameter in artifact.numerical_parameters]).reshape(-1, 1),
            tuple(parameter.default for parameter in artifact.text_parameters),
            tuple(parameter.default for parameter in artifact.tokens_parameters),
        )

    def automation(self, samples: int) -> Values:
        """Every knob on the move, with jumps: ``[P, samples]``; all else at its default."""
        time, defaults = torch.arange(samples), self.defaults
        rows = [(((time + 313 * row) // 1500) * 0.37 + 0.21 * row) % 1.0 for row in range(len(defaults.knobs))]
        knobs = torch.stack(rows) if rows else torch.zeros(0, samples)
        return Values(knobs, defaults.texts, defaults.tokens)

    # --- playing ---

    @abstractmethod
    def play(
        self, module: Any, sounds: Sequence[Tensor], values: Values, setting: HostSetting, samples: int | None = None
    ) -> Outputs:
        """Play a sound of so many samples (of a generator: generate them); what comes out is aligned with the input."""

    @abstractmethod
    def feed(self, module: Any, sounds: Sequence[Tensor], values: Values, setting: HostSetting) -> Outputs:
        """As :meth:`play`, but of a stream only what comes out while the sound goes in, latency included."""

    @abstractmethod
    def play_in_turns(
        self, modules: Sequence[Any], sounds: Sequence[list[Tensor]], setting: HostSetting, samples: int
    ) -> list[Outputs]:
        """Each module plays its sound; they take turns, a part of it at a time."""

    @abstractmethod
    def memory(self, setting: HostSetting, values: Values, seed: int = 0) -> HostMemory:
        """What a host hands over in one call."""

    def call(self, module: Any, memory: HostMemory) -> Outputs:
        """One call of a host."""
        outputs = module.forward(*self.arguments(memory))
        outputs = [outputs] if isinstance(outputs, Tensor) else outputs
        return [output.clone() for output in outputs]  # some wrappers hand out a view of what they overwrite next

    @abstractmethod
    def arguments(self, memory: HostMemory) -> tuple[Any, ...]:
        """What the module's ``forward`` is called with."""

    @abstractmethod
    def calls_until_output(self, module: Any, setting: HostSetting) -> int:
        """How many calls there must be for something to come out."""

    def difference_allowed(
        self,
        setting: HostSetting,
        sounds: Sequence[Tensor],
        values: Values,
        reference: Outputs,
        found: float = math.inf,
    ) -> float:
        """How far two ways of computing the same may differ: by 1e-6, or by four times what rounding the input does.

        A model with much gain, or one that amplifies small differences, makes more of the last bit of a float32 than
        1e-6 without anything being wrong. So the input is changed by that bit, and the effect measured; not where the
        difference that was ``found`` is smaller than 1e-6 anyway. The effect counts up to 1e-3, and wholly where
        numbers on the way are rounded to few levels, so that the last bit may decide about one of them.
        """
        if found <= DIFFERENCE_ALLOWED:
            return DIFFERENCE_ALLOWED
        if not sounds:
            return DIFFERENCE_ALLOWED * max(1.0, loudest(reference))
        moved = [x + _rounding_of(x) for x in sounds]
        effect = apart(self.play(self.reused(setting), moved, values, setting), reference)
        most = math.inf if self.rounds_activations else LARGEST_DIFFERENCE_ALLOWED
        return min(most, max(DIFFERENCE_ALLOWED, 4.0 * effect))

    @cached_property
    def rounds_activations(self) -> bool:
        """Whether numbers on the way are rounded to few levels."""
        return rounds_activations(self.artifact.module)

    def named(self, values: Values) -> str:
        """Values in the parameters' own units, for a measurement."""
        numerical, texts = self.artifact.numerical_parameters, self.artifact.text_parameters
        parts = [
            f"{parameter.name}={parameter.minimum + value * (parameter.maximum - parameter.minimum):g}{parameter.unit}"
            for parameter, value in zip(numerical, values.knobs[:, 0].tolist(), strict=True)
        ]
        parts += [f"{p.name}={text!r:.40}" for p, text in zip(texts, values.texts, strict=True)]
        return ", ".join(parts) or "no parameters"


def _rounding_of(x: Tensor) -> Tensor:
    """Noise of a few roundings; the same in all channels of a sound that is."""
    noise = signals.noise(x.size(0), x.size(1), amplitude=ROUNDING, seed=7)
    return noise[:1].expand_as(x) if torch.equal(x, x[:1].expand_as(x)) else noise
