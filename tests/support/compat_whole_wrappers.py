"""Wrappers of offline models as people write them for the Neutone SDK, from its documented interface.

With ``from neutone_sdk import ...`` instead of the one import below, they run there too, unchanged.
"""

import base64
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.compat.neutone_sdk import (
    CategoricalNeutoneParameter,
    ContinuousNeutoneParameter,
    DiscreteTokensNeutoneParameter,
    NeutoneParameter,
    NonRealtimeBase,
    NonRealtimeTokenizerBase,
    TextNeutoneParameter,
    TokenizerType,
)

TOKENIZER = base64.b64encode(b'{"version": "1.0"}').decode()


class Described(NonRealtimeBase):
    """Getters that most wrappers only differ in by their strings."""

    def get_model_authors(self) -> list[str]:
        return ["Ada"]

    def get_model_short_description(self) -> str:
        return "A test."

    def get_model_long_description(self) -> str:
        return "A wrapper for a test."

    def get_technical_description(self) -> str:
        return "Nothing is trained."

    def get_tags(self) -> list[str]:
        return ["test"]

    def get_model_version(self) -> str:
        return "1.0.0"

    def is_experimental(self) -> bool:
        return True

    @torch.jit.export
    def get_audio_in_channels(self) -> list[int]:
        return [2]

    @torch.jit.export
    def get_audio_out_channels(self) -> list[int]:
        return [2]

    @torch.jit.export
    def get_native_sample_rates(self) -> list[int]:
        return [44100]

    @torch.jit.export
    def get_native_buffer_sizes(self) -> list[int]:
        return []

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        return True


class Everything(Described):
    """One-shot, two inputs, two outputs, all four kinds of parameters."""

    def get_model_name(self) -> str:
        return "Everything"

    def get_neutone_parameters(self) -> list[NeutoneParameter]:
        return [
            ContinuousNeutoneParameter("gain", "Gain in dB", default_value=-6.0, min_value=-30.0, max_value=6.0),
            TextNeutoneParameter("prompt", "Words", max_n_chars=20, default_value="two words"),
            CategoricalNeutoneParameter("mode", "Which", n_values=3, default_value=1, labels=["a", "b", "c"]),
            DiscreteTokensNeutoneParameter("tokens", "Numbers", max_n_tokens=5, default_value=[4, 2]),
        ]

    @torch.jit.export
    def get_audio_in_channels(self) -> list[int]:
        return [2, 1]

    @torch.jit.export
    def get_audio_out_channels(self) -> list[int]:
        return [1, 2]

    def get_audio_out_labels(self) -> list[str]:
        return ["sum", "difference"]

    @torch.jit.export
    def get_model_bpm(self) -> int | None:
        return 120

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        gain = torch.pow(10.0, numerical_params["gain"] / 20.0) * (1.0 + numerical_params["mode"])
        self.set_progress_percentage(50.0)
        if self.should_cancel_forward_pass():
            return []
        scale = 0.1 * len(text_params[0])
        for token in tokens_params[0]:
            scale += 0.01 * token
        mono = audio_in[0].mean(0, keepdim=True)
        return [(mono + audio_in[1]) * gain, (audio_in[0] - audio_in[1]) * scale]


class Echoes(Described):
    """Blocked, with a state that it resets, late by 64 samples as it says, and its own aggregation."""

    def get_model_name(self) -> str:
        return "Echoes"

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.past = torch.zeros(2, 64)

    def get_neutone_parameters(self) -> list[NeutoneParameter]:
        return [ContinuousNeutoneParameter("level", "Level", default_value=0.25)]

    @torch.jit.export
    def get_native_buffer_sizes(self) -> list[int]:
        return [512]

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        return False

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        return 64

    def reset_model(self) -> bool:
        self.past = torch.zeros(2, 64)
        return True

    def aggregate_numerical_params_0to1(self, numerical_params_0to1: Tensor) -> Tensor:
        return numerical_params_0to1.max(dim=1, keepdim=True).values

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        joined = torch.cat((self.past, audio_in[0]), 1)
        self.past = joined[:, joined.size(1) - 64 :].clone()
        return [joined[:, : audio_in[0].size(1)] * (1.0 + numerical_params["level"])]


class Stretched(Described):
    """One-shot, and twice as long as what it is given."""

    def get_model_name(self) -> str:
        return "Stretched"

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        return [torch.repeat_interleave(audio_in[0], 2, dim=1)]


class Spoken(NonRealtimeTokenizerBase, Described):
    """A generator with a tokenizer: a click for each token."""

    def get_model_name(self) -> str:
        return "Spoken"

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model, TOKENIZER, TokenizerType.JSON)

    def get_neutone_parameters(self) -> list[NeutoneParameter]:
        return [DiscreteTokensNeutoneParameter("tokens", "Where to click", default_value=[100, 900])]

    @torch.jit.export
    def get_audio_in_channels(self) -> list[int]:
        return []

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        clicks = torch.zeros(2, 4000)
        for token in tokens_params[0]:
            clicks[:, token] = 0.5
        return [clicks]


def build_all() -> dict[str, Any]:
    """One of each."""
    return {wrapper.__name__: wrapper(nn.Identity()) for wrapper in (Everything, Echoes, Stretched, Spoken)}
