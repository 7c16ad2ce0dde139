"""Offline models, for tests of artifacts and of validation."""

from typing import Any

import torch
from torch import Tensor, nn

from neutone_like import CategoricalParameter, ContinuousParameter, ModelMetadata, TextParameter, TokensParameter
from neutone_like.model import NonRealtimeBase, NonRealtimeTokenizerBase


def named(name: str, **fields: Any) -> ModelMetadata:
    return ModelMetadata(name=name, authors=("Ada",), version="1.0.0", short_description="For tests", **fields)


ALL_KINDS = (
    ContinuousParameter("gain", "Gain", default=-6.0, minimum=-30.0, maximum=6.0, unit="dB"),
    TextParameter("prompt", "What to say", default="hello", max_characters=16),
    CategoricalParameter("side", "Which", labels=("both", "left"), default="both"),
    TokensParameter("notes", "Which notes", default=(3, 1, 2), max_tokens=8),
)


class Whole(NonRealtimeBase):
    """One-shot, all four kinds of parameters, two outputs: mid and side, each times what the parameters make."""

    metadata = named("Whole", tags=("test",), wet_default=0.75)
    parameters: Any = ALL_KINDS
    audio_in_channels = (2,)
    audio_out_channels = (2, 1)
    audio_out_labels = ("mid", "side")
    sample_rates: Any = (44100,)

    def __init__(self) -> None:
        super().__init__(nn.Identity())

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
        x = audio_in[0]
        gain = torch.pow(10.0, numerical_params["gain"] / 20.0) * (1.0 + 0.01 * len(text_params[0]))
        total = 0
        for token in tokens_params[0]:
            total += token
        y = x * gain * (1.0 + 0.1 * numerical_params["side"])
        return [y, (x[:1] - x[1:]) * gain * (0.01 * total)]


class Smoother(NonRealtimeBase):
    """Blocked, with a state of one sample and a delay of its own: it is late by 5 samples, as it says."""

    metadata = named("Smoother")
    parameters: Any = (ContinuousParameter("gain", "Gain", default=0.5),)
    audio_in_channels = (1,)
    audio_out_channels = (1,)
    sample_rates: Any = (48000,)
    block_sizes: Any = (512,)

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.past = torch.zeros(1, 5)

    @torch.jit.export
    def reset_model(self) -> None:
        self.past = torch.zeros(1, 5)

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return 5

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        joined = torch.cat((self.past, audio_in[0]), 1)
        self.past = joined[:, joined.size(1) - 5 :].clone()
        return [joined[:, : audio_in[0].size(1)] * numerical_params["gain"]]


class Tones(NonRealtimeTokenizerBase):
    """A generator: one second of a tone for each token, with a tokenizer that knows three words."""

    metadata = named("Tones")
    parameters: Any = (TokensParameter("notes", "Which", default=(57, 61, 64), max_tokens=16),)
    audio_in_channels: Any = ()
    audio_out_channels: Any = (1,)
    sample_rates: Any = (16000,)

    def __init__(self) -> None:
        super().__init__(nn.Identity(), '{"model": {"vocab": {"a": 57}}}', "JSON")

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
        time = torch.arange(4000) / 16000.0
        pieces: list[Tensor] = [torch.zeros(4000)]
        for note in tokens_params[0]:
            pieces.append(0.3 * torch.sin(time * 6.2831853 * 440.0 * 2.0 ** ((note - 69) / 12.0)))
        return [torch.cat(pieces).unsqueeze(0)]


class Drone(NonRealtimeBase):
    """A blocked generator: noise of a counter, as long as it is asked for."""

    metadata = named("Drone")
    parameters: Any = (ContinuousParameter("level", "Level", default=0.25),)
    audio_in_channels: Any = ()
    audio_out_channels: Any = (2,)
    block_sizes: Any = (1024,)

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.size = 1024

    @torch.jit.export
    def prepare_model(self, sample_rate: int, block_size: int) -> None:
        self.size = block_size

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        n = torch.arange(self.size) + curr_block_idx * self.size
        y = torch.sin(0.05 * n) * numerical_params["level"]
        return [torch.stack((y, -y))]
