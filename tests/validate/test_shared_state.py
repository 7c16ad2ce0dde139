"""A layer that keeps state and is called twice in a block is found; one that is called once, or keeps none, is not."""

import torch
from torch import Tensor, nn

from neutone_like import ModelMetadata, WaveformToWaveformBase
from neutone_like.streaming import Conv1d
from neutone_like.validate.shared_state import explain_shared_state, shared_state

METADATA = ModelMetadata(name="Shared", authors=("Ada",), version="1.0.0", short_description="For a test")


class Channels(WaveformToWaveformBase):
    """A streaming layer, one without state, and one inside another."""

    metadata = METADATA
    in_channels = out_channels = 2

    def __init__(self) -> None:
        super().__init__()
        self.layer = Conv1d(1, 1, 3)
        self.stateless = nn.Conv1d(1, 1, 1)
        self.nested = nn.Sequential(nn.Sequential(Conv1d(1, 1, 3)))

    def play(self, x: Tensor) -> Tensor:
        return self.nested(self.stateless(self.layer(x)))


class AsABatch(Channels):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.play(x.unsqueeze(1)).squeeze(1)


class InTurn(Channels):
    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.cat([self.play(x[channel].view(1, 1, -1)).view(1, -1) for channel in range(2)])


def test_what_is_called_twice_with_state_is_found() -> None:
    assert shared_state(InTurn()) == {"layer (Conv1d)": 2, "nested.0.0 (Conv1d)": 2}
    explained = explain_shared_state(InTurn())
    assert explained.startswith("layer (Conv1d) (and 1 more) keeps state and is played 2 times in every block")


def test_what_is_called_once_is_not() -> None:
    assert shared_state(AsABatch()) == {}
    assert explain_shared_state(AsABatch()) == ""


def test_the_model_itself_is_left_as_it_was() -> None:
    model = InTurn()
    shared_state(model)
    assert not model.layer.past.any()
