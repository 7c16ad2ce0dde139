"""What every check of an artifact that is not real-time is given: sounds and values to try it with."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neutone_like.artifact.format.schema import OfflineMetadata
from neutone_like.artifact.reading.loader import Artifact
from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.host import NonRealtimeSampleQueueWrapper
from neutone_like.model import NonRealtimeBase
from neutone_like.validate import signals
from neutone_like.validate.context import (
    DIFFERENCE_ALLOWED,
    LARGEST_DIFFERENCE_ALLOWED,
    ROUNDING,
    Outcome,
    first_difference,
    largest_difference,
)

HOST_BLOCK = 512  # hosts say one; it plays no part where whole sounds are processed
ANY_BLOCK = 65_536  # what a blocked model of any block size is called with
SHORTEST_SECONDS = 0.25
ONE_SHOT_SECONDS = 0.5
ODD_SAMPLES = 371  # no test sound fits into whole blocks

Outputs = list[Tensor]


@dataclass(frozen=True)
class Values:
    """One setting of all parameters: knobs 0..1 ``[P, 1]``, texts, lists of tokens."""

    knobs: Tensor
    texts: tuple[str, ...]
    tokens: tuple[tuple[int, ...], ...]


@dataclass
class OfflineContext:
    """One validation."""

    artifact: Artifact
    eager_model: NonRealtimeBase | None = None
    quick: bool = False
    quality: str = "high"
    module: Any = None

    @property
    def metadata(self) -> OfflineMetadata:
        assert isinstance(self.artifact.metadata, OfflineMetadata)
        return self.artifact.metadata

    @property
    def is_ours(self) -> bool:
        """Whether this package wrote the artifact; others keep to the format, but lack what we add to it."""
        return self.metadata.neutone_like is not None

    @property
    def is_one_shot(self) -> bool:
        return self.metadata.is_one_shot_model

    @property
    def is_generator(self) -> bool:
        return not self.artifact.audio_in_channels

    @property
    def is_free_length(self) -> bool:
        """Whether the model decides how long its output is."""
        ours = self.metadata.neutone_like
        return self.is_one_shot and (self.is_generator or (ours is not None and not ours.keeps_length))

    @property
    def overlaps(self) -> bool:
        ours = self.metadata.neutone_like
        return ours is not None and ours.overlap_hop_samples > 0

    @property
    def native_rate(self) -> int:
        """A host rate at which nothing is resampled, in Hz."""
        return self.artifact.sample_rates[0] if self.artifact.sample_rates else 48000

    @property
    def rates(self) -> tuple[int, ...]:
        """Host rates to try: the model's own, and others."""
        own = self.native_rate
        rates = (own, 44100 if own != 44100 else 48000)
        return rates if self.quick else (*rates, 96000 if own != 96000 else 22050)

    def samples(self, rate: int) -> int:
        """How long a test sound is: long enough for two blocks, and no whole number of them."""
        seconds = ONE_SHOT_SECONDS
        if not self.is_one_shot:
            seconds = max(SHORTEST_SECONDS, 1.5 * max(self.artifact.block_sizes, default=ANY_BLOCK) / self.native_rate)
        return int(seconds * rate) + ODD_SAMPLES

    def prepare(self, module: Any, rate: int) -> Any:
        """Tell a wrapper what host it is in, and reset it."""
        module.set_daw_sample_rate_and_buffer_size(rate, HOST_BLOCK)
        module.reset()
        return module

    def fresh(self, rate: int) -> Any:
        """A newly loaded module, told of the host."""
        return self.prepare(self.artifact.fresh_module(), rate)

    def reused(self, rate: int) -> Any:
        """The same module every time: for checks that have no doubt about reset."""
        if self.module is None:
            self.module = self.artifact.fresh_module()
        return self.prepare(self.module, rate)

    def eager(self, rate: int) -> Any:
        """The Python model, copied so that the user's own is left alone, in a new wrapper told of the host."""
        assert self.eager_model is not None
        return self.prepare(NonRealtimeSampleQueueWrapper(working_copy(self.eager_model), self.quality), rate)

    def sounds(self, samples: int, seed: int = 0) -> list[Tensor]:
        """A changing sound for each input."""
        return [
            signals.changing(channels, samples, seed=10 * seed + index)
            for index, channels in enumerate(self.artifact.audio_in_channels)
        ]

    def everywhere(self, sound: Tensor) -> list[Tensor]:
        """One channel's sound at every input, a little weaker in each next channel."""
        levels = iter(0.8**index for index in itertools.count())
        return [
            torch.cat([sound * next(levels) for _ in range(channels)]) for channels in self.artifact.audio_in_channels
        ]

    @property
    def defaults(self) -> Values:
        """Every parameter at its default."""
        return Values(
            torch.tensor([p.default_0to1 for p in self.artifact.numerical_parameters]).reshape(-1, 1),
            tuple(p.default for p in self.artifact.text_parameters),
            tuple(p.default for p in self.artifact.tokens_parameters),
        )

    def value_sets(self) -> dict[str, Values]:
        """Parameter values to try. Which tokens a model knows, only its defaults tell."""
        defaults = self.defaults
        sets = {"default parameters": defaults}
        if self.artifact.parameters:
            knobs = torch.rand(defaults.knobs.shape, generator=torch.Generator().manual_seed(1))
            texts = tuple(_drawn_text(p.max_characters) for p in self.artifact.text_parameters)
            tokens = tuple(each[::-1] for each in defaults.tokens)
            sets["drawn parameters"] = Values(knobs, texts, tokens)
        return sets

    def corners(self) -> list[Values]:
        """The knobs all lowest, all highest, and each alone at its highest; an empty text, and the longest."""
        base = self.defaults
        count = len(base.knobs)
        rows = [torch.zeros(count, 1), torch.ones(count, 1)]
        rows += [torch.eye(count)[:, index : index + 1] for index in range(count if count > 1 else 0)]
        texts = [tuple("" for _ in base.texts)]
        texts.append(tuple(_long_text(p.max_characters) for p in self.artifact.text_parameters))
        return [Values(row, texts[index % 2], base.tokens) for index, row in enumerate(rows)]

    def play(self, module: Any, sounds: Sequence[Tensor], values: Values, samples: int) -> Outputs:
        """One whole sound through a module; ``samples`` is how long it is, which a generator learns from the knobs."""
        knobs = values.knobs.expand(-1, samples).contiguous()
        outputs: Outputs = module.forward(
            list(sounds), knobs, list(values.texts), [list(tokens) for tokens in values.tokens]
        )
        return [output.clone() for output in outputs]

    def difference_allowed(self, rate: int, sounds: Sequence[Tensor], values: Values, reference: Outputs) -> float:
        """How far two ways of computing the same may differ: by 1e-6, or by four times what rounding the input does."""
        if not sounds:
            return DIFFERENCE_ALLOWED * max(1.0, loudest(reference))
        samples = sounds[0].size(1)
        moved = [x + signals.noise(x.size(0), samples, amplitude=ROUNDING, seed=7) for x in sounds]
        effect = apart(self.play(self.reused(rate), moved, values, samples), reference)
        return min(LARGEST_DIFFERENCE_ALLOWED, max(DIFFERENCE_ALLOWED, 4.0 * effect))


OfflineCheckFunction = Callable[[OfflineContext], Outcome]


def _drawn_text(limit: int) -> str:
    text = "a quiet morning, then rain; \N{LATIN SMALL LETTER E WITH ACUTE}t\N{LATIN SMALL LETTER E WITH ACUTE} 120"
    return text if limit < 0 else text[:limit]


def _long_text(limit: int) -> str:
    length = limit if 0 <= limit <= 2000 else 2000
    return ("all work and no play " * (length // 21 + 1))[:length]


def loudest(outputs: Outputs) -> float:
    """The greatest absolute sample."""
    return max((float(output.abs().max()) for output in outputs if output.numel()), default=0.0)


def apart(first: Outputs, second: Outputs) -> float:
    """Largest absolute difference; infinite where counts or shapes differ, or a value is not a number."""
    if len(first) != len(second):
        return float("inf")
    return max((largest_difference(one, other) for one, other in zip(first, second, strict=True)), default=0.0)


def equal(first: Outputs, second: Outputs) -> bool:
    """Bit for bit."""
    return len(first) == len(second) and all(torch.equal(one, two) for one, two in zip(first, second, strict=True))


def where_apart(first: Outputs, second: Outputs, allowed: float = 0.0) -> str:
    """In words, for a measurement: the largest difference, and where it begins."""
    if [tuple(output.shape) for output in first] != [tuple(output.shape) for output in second]:
        shapes = [[list(output.shape) for output in outputs] for outputs in (first, second)]
        return f"outputs of shape {shapes[0]} and {shapes[1]}"
    for index, (one, two) in enumerate(zip(first, second, strict=True)):
        if (start := first_difference(one, two, allowed)) >= 0:
            which = f" of output {index + 1}" if len(first) > 1 else ""
            return f"differs by up to {apart(first, second):.2g} from sample {start}{which} on"
    return "no difference"
