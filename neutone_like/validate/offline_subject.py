"""An offline artifact: the host hands over whole sounds, several or none, and texts and tokens."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neutone_like.artifact.format.format_limits import Model
from neutone_like.artifact.format.schema import OfflineMetadata
from neutone_like.host import NonRealtimeSampleQueueWrapper
from neutone_like.validate import signals
from neutone_like.validate.extreme_signals import extreme_signals
from neutone_like.validate.outcome import Outputs
from neutone_like.validate.playing import WHOLE, HostSetting
from neutone_like.validate.subject import HostMemory, Subject, Values

HOST_BLOCK = 512  # hosts say one; it plays no part where whole sounds are processed
ANY_BLOCK = 65_536  # what a blocked model of any block size is called with
SHORTEST_SECONDS = 0.25
ONE_SHOT_SECONDS = 0.5
ODD_SAMPLES = 371  # no test sound fits into whole blocks
TURNS = 4
PIECE_SAMPLES = 16_384  # what a wrapper gathers before it calls its model


@dataclass
class OfflineSubject(Subject):
    """A validation of an offline artifact."""

    @property
    def metadata(self) -> OfflineMetadata:
        assert isinstance(self.artifact.metadata, OfflineMetadata)
        return self.artifact.metadata

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
    def look_behind_samples(self) -> int:
        ours = self.metadata.neutone_like
        return ours.look_behind_samples if ours is not None else 0

    @property
    def settings(self) -> tuple[HostSetting, ...]:
        """The model's own rate, and others."""
        own = self.native_rate
        rates = (own, 44100 if own != 44100 else 48000)
        more = () if self.quick else (96000 if own != 96000 else 22050,)
        return tuple(HostSetting(rate, WHOLE) for rate in (*rates, *more))

    def prepare(self, module: Any, setting: HostSetting) -> Any:
        module.set_daw_sample_rate_and_buffer_size(setting.sample_rate, HOST_BLOCK)
        module.reset()
        return module

    def wrap(self, model: Model) -> Any:
        return NonRealtimeSampleQueueWrapper(model, self.quality)  # pyright: ignore[reportArgumentType]

    def model_of(self, module: Any) -> Any:
        return module.nrb

    def samples(self, setting: HostSetting) -> int:
        """Long enough for two blocks, and no whole number of them."""
        seconds = ONE_SHOT_SECONDS
        if not self.is_one_shot:
            seconds = max(SHORTEST_SECONDS, 1.5 * max(self.artifact.block_sizes, default=ANY_BLOCK) / self.native_rate)
        return int(seconds * setting.sample_rate) + ODD_SAMPLES

    def samples_for_turns(self, setting: HostSetting) -> int:
        """A one-shot model is called once, and can't be interrupted; another is, a few times."""
        samples = self.samples(setting)
        return samples if self.is_one_shot else max(samples, TURNS * PIECE_SAMPLES)

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

    def automation(self, samples: int) -> Values:
        """Of a one-shot model, which is called once, only knobs move that it takes a value for every sample of."""
        moving, still = super().automation(samples), self.defaults
        follows = [each.rate == "sample" or not self.is_one_shot for each in self.artifact.numerical_parameters]
        rows = [moving.knobs[row] if moves else still.knobs[row].expand(samples) for row, moves in enumerate(follows)]
        return Values(torch.stack(rows) if rows else moving.knobs, moving.texts, moving.tokens)

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

    def extreme_sounds(self, corner: int) -> dict[str, list[Tensor]]:
        """Every sound with the first two corners; then one each, in turn."""
        samples, channels = self.samples(self.native), self.artifact.audio_in_channels
        if self.is_generator:
            return {"nothing": []}
        names = list(extreme_signals(1, 1))
        chosen = names if corner < 2 else [names[corner % len(names)]]
        return {name: [extreme_signals(count, samples)[name] for count in channels] for name in chosen}

    def play(
        self, module: Any, sounds: Sequence[Tensor], values: Values, setting: HostSetting, samples: int | None = None
    ) -> Outputs:
        if samples is None:
            samples = sounds[0].size(1) if sounds else self.samples(setting)
        return self.call(module, _memory(sounds, values, samples))

    def feed(self, module: Any, sounds: Sequence[Tensor], values: Values, setting: HostSetting) -> Outputs:
        return self.play(module, sounds, values, setting)

    def play_in_turns(
        self, modules: Sequence[Any], sounds: Sequence[list[Tensor]], setting: HostSetting, samples: int
    ) -> list[Outputs]:
        values = self.defaults
        step = -(-samples // TURNS)
        for module in modules:
            module.begin(samples, list(values.texts), [list(tokens) for tokens in values.tokens])
        found: list[list[Outputs]] = [[] for _ in modules]
        for start in range(0, samples, step):
            for module, sound, parts in zip(modules, sounds, found, strict=True):
                piece = [x[:, start : start + step] for x in sound]
                knobs = values.knobs.expand(-1, min(step, samples - start)).contiguous()
                parts.append([output.clone() for output in module.push(piece, knobs)])
        for module, parts in zip(modules, found, strict=True):
            parts.append(module.finish())
        return [[torch.cat(pieces, 1) for pieces in zip(*parts, strict=True)] for parts in found]

    def memory(self, setting: HostSetting, values: Values, seed: int = 0) -> HostMemory:
        samples = self.samples(setting)
        return _memory(self.sounds(samples, seed), values, samples)

    def arguments(self, memory: HostMemory) -> tuple[Any, ...]:
        return memory.sounds, memory.knobs, memory.texts, memory.tokens

    def calls_until_output(self, module: Any, setting: HostSetting) -> int:
        return 1


def _memory(sounds: Sequence[Tensor], values: Values, samples: int) -> HostMemory:
    knobs = values.knobs.expand(-1, samples).contiguous()
    return HostMemory(list(sounds), knobs, list(values.texts), [list(tokens) for tokens in values.tokens])


def _drawn_text(limit: int) -> str:
    text = "a quiet morning, then rain; \N{LATIN SMALL LETTER E WITH ACUTE}t\N{LATIN SMALL LETTER E WITH ACUTE} 120"
    return text if limit < 0 else text[:limit]


def _long_text(limit: int) -> str:
    length = limit if 0 <= limit <= 2000 else 2000
    return ("all work and no play " * (length // 21 + 1))[:length]
