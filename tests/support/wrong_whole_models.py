"""Offline models and wrong in one way each, for the tests of validation."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from neutone_like import ContinuousParameter, TextParameter
from neutone_like.model import NonRealtimeBase
from support.whole_models import Smoother, named


class Plain(NonRealtimeBase):
    """One-shot and right: a gain. The wrong ones differ from it in one method."""

    metadata = named("Plain")
    parameters: Any = (ContinuousParameter("gain", "Gain", default=0.5),)
    audio_in_channels: Any = (1,)
    audio_out_channels: Any = (1,)
    sample_rates: Any = (48000,)

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
        return [audio_in[0] * numerical_params["gain"]]


class Random(Plain):
    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        return [audio_in[0] + 0.01 * torch.rand(1, audio_in[0].size(1))]


class NeverForgets(Plain):
    """Keeps a state that it never clears; and so NaN stays in it."""

    def __init__(self) -> None:
        super().__init__()
        self.last = torch.zeros(1, 1)

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        y = audio_in[0] + 0.1 * self.last
        self.last = audio_in[0].sum().reshape(1, 1)
        return [y]


class SharesState(Smoother):
    """All instances of the Python class hold the same tensor."""

    shared: ClassVar[Tensor] = torch.zeros(1, 5)

    def __init__(self) -> None:
        super().__init__()
        self.past = SharesState.shared

    def __deepcopy__(self, memo: Any) -> "SharesState":
        return self

    @torch.jit.export
    def reset_model(self) -> None:
        self.past.zero_()

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        joined = torch.cat((self.past, audio_in[0]), 1)
        self.past.copy_(joined[:, joined.size(1) - 5 :])
        return [joined[:, : audio_in[0].size(1)]]


class NanAtACorner(Plain):
    """Divides by the knob, which may stand at 0."""

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        return [audio_in[0] / numerical_params["gain"]]


class NanWithoutText(Plain):
    parameters: Any = (TextParameter("prompt", default="some", max_characters=30),)

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        return [(audio_in[0] + 1.0) * (torch.zeros(1) / float(len(text_params[0])))]


class NormalisesByBlock(Plain):
    """Blocked, of any block size, and louder or softer with every block."""

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        return False

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        return [audio_in[0] / (audio_in[0].abs().max() + 0.01)]


class DeclaresNoDelay(Smoother):
    @torch.jit.export
    def model_delay_samples(self) -> int:
        return 0


class DeclaresTooMuchDelay(Smoother):
    @torch.jit.export
    def model_delay_samples(self) -> int:
        return 25


class ClaimsProgress(Plain):
    """Says that it tells its progress, and never does."""

    @torch.jit.export
    def has_progress_percentage(self) -> bool:
        return True


class FailsWhenCancelled(Plain):
    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        if self.should_cancel_forward_pass():
            raise ValueError("half done")
        return [audio_in[0] * numerical_params["gain"]]
