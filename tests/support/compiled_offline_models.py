"""Offline models that the tests of compiling export: small ones that play blocks, and some that can't be compiled."""

from typing import Any

import torch
from torch import Tensor, nn

from neutone_like import CategoricalParameter, ContinuousParameter, ModelMetadata, NonRealtimeBase, TextParameter


class _Blocked(NonRealtimeBase):
    metadata = ModelMetadata(name="Blocked", authors=("Ada",), version="1.0.0")
    audio_in_channels: Any = (1,)
    audio_out_channels: Any = (1,)

    def __init__(self, network: nn.Module | None = None) -> None:
        super().__init__(nn.Identity() if network is None else network)


class Duet(_Blocked):
    """Two inputs, two outputs, a past, a delay, and all that a host can turn."""

    audio_in_channels = (1, 2)
    audio_out_channels = (2, 1)
    audio_in_labels = ("voice", "band")
    audio_out_labels = ("both", "voice")
    parameters = (
        ContinuousParameter("drive", default=1.0, minimum=0.5, maximum=4.0),
        ContinuousParameter("level", default=0.5, rate="sample"),
        CategoricalParameter("curve", labels=("soft", "square"), default="soft"),
    )
    past: Tensor

    def __init__(self) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(5)
            super().__init__(nn.Conv1d(3, 3, 7))
        self.register_buffer("past", torch.zeros(3, 6))

    @torch.jit.export
    def reset_model(self) -> None:
        self.past = torch.zeros_like(self.past)

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
        x = torch.cat((self.past, torch.cat(audio_in, 0)), 1)
        self.past = x[:, audio_in[0].size(1) :]
        y = self.model((x * numerical_params["drive"])[None])[0]
        y = torch.where(numerical_params["curve"] < 0.5, torch.tanh(y), y * y)
        return [y[:2] * numerical_params["level"], y[2:]]


class Frames(_Blocked):
    """Frames that overlap, each with what was before it; the network sees all of a frame at once."""

    sample_rates = (22050,)
    block_sizes = (256,)
    look_behind_samples = 64
    overlap_window = "hann"
    overlap_hop_samples = 128

    def __init__(self) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(6)
            super().__init__(nn.Sequential(nn.Conv1d(1, 4, 65, stride=32), nn.ReLU(), nn.ConvTranspose1d(4, 1, 33, 32)))

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        y = self.model(audio_in[0][None])[0][:, :256]
        return [y - y.mean(1, keepdim=True)]


class Resonance(_Blocked):
    """Prepared anew for each of two rates."""

    sample_rates = (44100, 48000)

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("held", torch.zeros(1, 1))
        self.slope = 0.5

    @torch.jit.export
    def prepare_model(self, sample_rate: int, block_size: int) -> None:
        self.slope = 10000.0 / sample_rate

    @torch.jit.export
    def reset_model(self) -> None:
        self.held = torch.zeros_like(self.held)

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        x = audio_in[0]
        whole = torch.cat((self.held, x), 1)
        self.held = whole[:, x.size(1) :]
        return [whole[:, 1:] + self.slope * whole[:, : x.size(1)]]


class Told(_Blocked):
    """Compiles or not, as its subclasses are told."""

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        return [0.5 * audio_in[0]]


class AtOnce(Told):
    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        return True


class Prompted(Told):
    parameters = (TextParameter("prompt", default="rain"),)


class SizedBlocks(Told):
    block_sizes = (64, 128)

    @torch.jit.export
    def prepare_model(self, sample_rate: int, block_size: int) -> None:
        self.size = block_size

    def __init__(self) -> None:
        super().__init__()
        self.size = 0


class Counting(_Blocked):
    """Fades in over its first blocks."""

    block_sizes = (64,)

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        return [audio_in[0] * min(1.0, 0.1 * curr_block_idx)]


class Generating(_Blocked):
    audio_in_channels = ()
    block_sizes = (64,)

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        return [torch.ones(1, 64)]
