"""Layers that keep state between blocks are reset by the wrapper; the model need not say so."""

import pytest
import torch
from torch import Tensor, nn

from neutone_like import (
    ModelMetadata,
    NonRealtimeBase,
    NonRealtimeSampleQueueWrapper,
    SampleQueueWrapper,
    WaveformToWaveformBase,
)
from neutone_like.artifact.writing.scripting import script_wrapper
from neutone_like.streaming import StreamingLayer


class Summing(StreamingLayer):
    """All that it heard, a little quieter."""

    total: Tensor
    initial_total: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_state("total", torch.zeros(1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        sums = self.total + x.cumsum(2)
        self.total = sums[:, :, -1:]
        return 0.01 * sums

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.total = self.initial_total.clone()


METADATA = ModelMetadata(name="Sum", authors=("Ada",), version="1.0.0", short_description="A running sum")


class Model(WaveformToWaveformBase):
    metadata = METADATA
    in_channels = 1
    out_channels = 1

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x.unsqueeze(0))[0]


class Offline(NonRealtimeBase):
    metadata = METADATA
    audio_in_channels = (1,)
    audio_out_channels = (1,)
    block_sizes = (64,)

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        return [self.model(audio_in[0].unsqueeze(0))[0]]


def nested() -> nn.Module:
    return nn.Sequential(nn.Identity(), nn.Sequential(Summing()))


@pytest.mark.parametrize("scripted", [False, True])
def test_a_live_model_begins_anew_after_a_reset_and_after_nan(scripted: bool) -> None:
    wrapper = SampleQueueWrapper(Model(nested()))
    module = script_wrapper(wrapper) if scripted else wrapper
    module.set_daw_sample_rate_and_buffer_size(48000, 64)
    x = torch.rand(1, 64)
    first, second = module.forward(x), module.forward(x)
    torch.testing.assert_close(first, 0.01 * x.cumsum(1))
    assert (second - first).abs().max() > 0.1
    module.reset()
    assert torch.equal(module.forward(x), first)
    module.forward(torch.full((1, 64), torch.nan))
    assert torch.equal(module.forward(x), first)


@pytest.mark.parametrize("scripted", [False, True])
def test_an_offline_model_begins_each_sound_anew(scripted: bool) -> None:
    wrapper = NonRealtimeSampleQueueWrapper(Offline(nested()))
    module = script_wrapper(wrapper) if scripted else wrapper
    module.set_daw_sample_rate_and_buffer_size(48000, 64)
    x = torch.rand(1, 256)
    for _ in range(2):
        torch.testing.assert_close(module.forward([x])[0], 0.01 * x.cumsum(1))


def test_a_streaming_layer_takes_no_room_in_state_dict() -> None:
    assert nested().state_dict() == {}
