"""Offline models whose output is known to the sample, for the tests of what surrounds them."""

import io
from collections.abc import Iterator
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from neutone_like import (
    CategoricalParameter,
    ContinuousParameter,
    ModelMetadata,
    NonRealtimeBase,
    NonRealtimeSampleQueueWrapper,
    TextParameter,
    TokensParameter,
)
from neutone_like.validate.conditions import optimiser

ALL_FOUR_KINDS = (
    ContinuousParameter("level", default=2.0, minimum=0.0, maximum=10.0, unit="dB", smoothing_seconds=0.0),
    CategoricalParameter("shape", labels=("sine", "saw", "square"), default="saw"),
    TextParameter("prompt", "What to play", default="hé", max_characters=5),
    TokensParameter("notes", "Numbers of notes", default=(60, 64), max_tokens=3),
)


@pytest.fixture(autouse=True)
def without_the_optimiser() -> Iterator[None]:
    """TorchScript's optimiser takes longer than these tests. A test file that imports this runs without it."""
    with optimiser(False):
        yield


def metadata(name: str) -> ModelMetadata:
    return ModelMetadata(name=name, authors=("Ada",), version="1.0.0", short_description="For tests")


class WholeDelay(NonRealtimeBase):
    """Delays by ``delay`` samples and says so; 0 is the identity. ``options`` are attributes of the base class."""

    metadata = metadata("Whole delay")

    def __init__(self, delay: int = 0, one_shot: bool = False, channels: int = 2, **options: Any) -> None:
        self.audio_in_channels = (channels,)
        self.audio_out_channels = (channels,)
        for name, value in options.items():
            setattr(self, name, value)
        super().__init__(nn.Identity())
        self.delay = delay
        self.one_shot = one_shot
        self.channels = channels
        self.independent = self.overlap_hop_samples > 0
        self.past = torch.zeros(channels, delay)

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        return self.one_shot

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return self.delay

    @torch.jit.export
    def reset_model(self) -> None:
        self.past = torch.zeros(self.channels, self.delay)

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        if self.independent:
            self.past = torch.zeros(self.channels, self.delay)
        new = audio_in[0].narrow(1, self.look_behind_samples, audio_in[0].size(1) - self.look_behind_samples)
        joined = torch.cat((self.past, new), 1)
        self.past = joined[:, new.size(1) :].clone()
        return [joined[:, : new.size(1)].contiguous()]


class Filter(NonRealtimeBase):
    """A causal FIR filter: in blocks it needs look-behind, in one go it pads by itself; both are the same."""

    metadata = metadata("Filter")

    def __init__(self, one_shot: bool, **options: Any) -> None:
        self.look_behind_samples = 0 if one_shot else 200
        for name, value in options.items():
            setattr(self, name, value)
        super().__init__(nn.Identity())
        self.one_shot = one_shot
        self.taps = torch.randn(1, 1, 201, generator=torch.Generator().manual_seed(3)) * 0.1

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        return self.one_shot

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        x = audio_in[0]
        if self.one_shot:
            x = torch.constant_pad_nd(x, [200, 0])
        return [torch.conv1d(x.unsqueeze(1), self.taps).squeeze(1)]


class Mixer(NonRealtimeBase):
    """Two inputs, three outputs: the first in mono, both added, the second."""

    metadata = metadata("Mixer")
    audio_in_channels = (1, 2)
    audio_out_channels = (1, 2, 2)
    audio_in_labels = ("voice", "band")
    audio_out_labels = ("mono", "both", "band/only")

    def __init__(self) -> None:
        super().__init__(nn.Identity())

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        return [audio_in[0], audio_in[0] + audio_in[1], audio_in[1]]


class AllKinds(NonRealtimeBase):
    """Writes down every parameter as audio: level, shape, characters of the prompt, number and sum of notes."""

    metadata = metadata("All kinds")
    parameters = ALL_FOUR_KINDS
    audio_out_channels = (1,) * 5
    sample_rates = (48000,)
    block_sizes = (512,)

    def __init__(self) -> None:
        super().__init__(nn.Identity())

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        zero = torch.zeros(1, audio_in[0].size(1))
        total = 0
        for note in tokens_params[0]:
            total += note
        outputs = [zero + numerical_params["level"], zero + numerical_params["shape"]]
        outputs += [zero + len(text_params[0]), zero + len(tokens_params[0]), zero + total]
        text_params.append("left behind")  # neither of these may reach the next block
        tokens_params[0].append(1000)
        return outputs


class Ramp(NonRealtimeBase):
    """A generator: counts its samples, in thousandths. ``knob`` is added sample by sample."""

    metadata = metadata("Ramp")
    parameters = (ContinuousParameter("knob", default=0.0, maximum=1.0, rate="sample", smoothing_seconds=0.0),)
    audio_in_channels = ()
    audio_out_channels = (1, 2)
    sample_rates = (32000,)

    def __init__(self, one_shot: bool = False, length: int = 7000, **options: Any) -> None:
        for name, value in options.items():
            setattr(self, name, value)
        super().__init__(nn.Identity())
        self.one_shot = one_shot
        self.length = length
        self.block = 0
        self.position = 0

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        return self.one_shot

    @torch.jit.export
    def prepare_model(self, sample_rate: int, block_size: int) -> None:
        self.block = block_size

    @torch.jit.export
    def reset_model(self) -> None:
        self.position = 0

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        length = self.length if self.one_shot else self.block
        y = torch.arange(self.position, self.position + length, dtype=torch.float32).unsqueeze(0) / 1000.0
        if not self.one_shot:
            y = y + numerical_params["knob"]
        self.position += length
        return [y, y.repeat(2, 1)]


class Volume(NonRealtimeBase):
    """Multiplies by ``volume``, sample by sample and without smoothing."""

    metadata = metadata("Volume")
    parameters = (ContinuousParameter("volume", rate="sample", smoothing_seconds=0.0),)
    sample_rates = (48000,)

    def __init__(self, one_shot: bool = False, **options: Any) -> None:
        for name, value in options.items():
            setattr(self, name, value)
        super().__init__(nn.Identity())
        self.one_shot = one_shot

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        return self.one_shot

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        return [audio_in[0][:, self.look_behind_samples :] * numerical_params["volume"]]


class Misbehaved(NonRealtimeBase):
    """Returns what it should not: ``fault`` says what."""

    metadata = metadata("Misbehaved")

    def __init__(self, fault: str, one_shot: bool = False) -> None:
        super().__init__(nn.Identity())
        self.fault = fault
        self.one_shot = one_shot
        self.total = torch.zeros(2, 1)

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        return self.one_shot

    @torch.jit.export
    def reset_model(self) -> None:
        self.total = torch.zeros(2, 1)

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        x = audio_in[0]
        if self.fault == "too many":
            return [x, x]
        if self.fault == "none":
            return []
        if self.fault == "mono":
            return [x[:1]]
        if self.fault == "short":
            return [x[:, 1:]]
        if self.fault == "double":
            return [x.to(torch.float64)]
        if self.fault == "flat":
            return [x[0]]
        if self.fault == "poison":  # an integrator that NaN poisons for ever, and that loud samples make infinite
            y = torch.cumsum(x, 1) * 0.001 + self.total
            self.total = y[:, -1:].clone()
            return [torch.where(x > 10.0, torch.full_like(y, float("inf")), y)]
        raise ValueError("as I was told")


def scripted(model: NonRealtimeBase, quality: str = "high") -> NonRealtimeSampleQueueWrapper:
    """A scripted wrapper, typed as the wrapper whose methods it has."""
    return cast(NonRealtimeSampleQueueWrapper, torch.jit.script(NonRealtimeSampleQueueWrapper(model, quality)))


def reloaded(wrapper: NonRealtimeSampleQueueWrapper) -> NonRealtimeSampleQueueWrapper:
    buffer = io.BytesIO()
    torch.jit.save(cast(Any, wrapper), buffer)
    buffer.seek(0)
    return cast(NonRealtimeSampleQueueWrapper, torch.jit.load(buffer))


def three_ways(model: NonRealtimeBase) -> dict[str, NonRealtimeSampleQueueWrapper]:
    """The same wrapper eager, scripted, and scripted, saved and loaded."""
    script = scripted(model)
    return {"eager": NonRealtimeSampleQueueWrapper(model), "scripted": script, "reloaded": reloaded(script)}


def in_pieces(
    wrapper: NonRealtimeSampleQueueWrapper,
    audio: list[Tensor],
    sizes: list[int],
    params: Tensor | None = None,
    total: int = 0,
) -> list[Tensor]:
    """A signal through begin, push and finish, the sizes repeated as needed."""
    samples = audio[0].size(1)
    wrapper.begin(total)
    outputs: list[list[Tensor]] = []
    start, turn = 0, 0
    while start < samples:
        end = min(start + sizes[turn % len(sizes)], samples)
        outputs.append(wrapper.push([x[:, start:end] for x in audio], None if params is None else params[:, start:end]))
        start, turn = end, turn + 1
    outputs.append(wrapper.finish())
    return [torch.cat(parts, 1) for parts in zip(*outputs)]


class Endless(NonRealtimeBase):
    """Goes on until it is told to stop."""

    metadata = metadata("Endless")

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.asked = 0

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        return True

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        while not self.should_cancel_forward_pass():
            self.set_progress_percentage(50.0)
        self.asked += 1
        return []
