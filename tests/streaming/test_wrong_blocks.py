"""What is no block for a layer is refused in words, and what a layer's own code raises is left alone."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.fx import symbolic_trace
from torch.fx.proxy import TraceError

from neutone_like import streaming
from neutone_like.errors import ModelError
from neutone_like.streaming import StreamingLayer

LAYERS: dict[str, Any] = {
    "Conv1d": streaming.Conv1d(2, 3, 5),
    "ConvTranspose1d": streaming.ConvTranspose1d(2, 3, 4, 2),
    "Attention": streaming.Attention(2, 1, 4),
    "LinearAttention": streaming.LinearAttention(2, 1),
    "Pool1d": streaming.Pool1d(2, 3, 2),
    "GRU": streaming.GRU(2, 3),
    "LSTM": streaming.LSTM(2, 3),
    "Delay": streaming.Delay(3, 2),
    "CumulativeLayerNorm": streaming.CumulativeLayerNorm(2),
    "ChannelNorm": streaming.ChannelNorm(2),
    "DiagonalStateSpace": streaming.DiagonalStateSpace(2, 4),
}


@pytest.mark.parametrize("name", LAYERS)
def test_shapes_and_channels_that_a_layer_does_not_take(name: str) -> None:
    layer = LAYERS[name].eval()
    with pytest.raises(ModelError, match=rf"^{name}: expected 2 channels, got 5"):
        layer(torch.randn(1, 5, 12))
    with pytest.raises(ModelError, match=rf"^{name}: expected a block.* as a tensor, got list"):
        layer([0.0])


@pytest.mark.parametrize("name", sorted(LAYERS.keys() - {"ChannelNorm"}))
def test_a_block_without_its_batch(name: str) -> None:
    with pytest.raises(ModelError, match=rf"^{name}: expected a block.*shape \[2, 12\]\. Add the batch"):
        LAYERS[name].eval()(torch.randn(2, 12))


@pytest.mark.parametrize("name", sorted(LAYERS.keys() - {"Delay", "ChannelNorm"}))
def test_a_block_without_samples_where_it_cannot_be_played(name: str) -> None:
    with pytest.raises(ModelError, match=rf"^{name}: .*with something in it, got \[1, 2, 0\]"):
        LAYERS[name].eval()(torch.randn(1, 2, 0))


def test_what_pytorch_would_read_beyond_its_end_is_refused_in_torchscript_too() -> None:
    """torch.lstm doesn't look at its input's channels, in layers and in converted networks."""
    network = Frames()
    for layer in (streaming.LSTM(2, 3), streaming.to_streaming(network.eval(), torch.randn(1, 2, 64))):
        with pytest.raises(Exception, match="expected 2 channels, got 1"):
            torch.jit.script(layer.eval())(torch.randn(1, 1, 16))


@pytest.mark.parametrize(("layer", "rows"), [(streaming.InverseSTFT(32, 8), 34), (streaming.PQMFSynthesis(4), 4)])
def test_what_joins_rows_says_how_many_belong_to_a_channel(layer: StreamingLayer, rows: int) -> None:
    said = rf"^{type(layer).__name__}: 5 channels in a block .*expected {rows} for each channel of sound"
    with pytest.raises(ModelError, match=said):
        layer(torch.zeros(1, 5, 3))
    with pytest.raises(Exception, match=f"expected {rows} for each channel of sound"):
        torch.jit.script(layer)(torch.zeros(1, 5, 3))
    assert layer(torch.zeros(1, 2 * rows, 3)).size(1) == 2


class Frames(nn.Module):
    """An ordinary LSTM over ``[batch, channels, samples]``."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(2, 3, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.lstm(x.transpose(1, 2))[0].transpose(1, 2)


def test_the_layer_inside_is_named() -> None:
    both = streaming.Sequential(streaming.Conv1d(2, 4, 3), streaming.Residual(streaming.Conv1d(3, 3, 3)))
    with pytest.raises(ModelError, match=r"^Conv1d: expected 3 channels, got 4"):
        both(torch.randn(1, 2, 12))


class Own(StreamingLayer):
    def forward(self, x: Tensor) -> Tensor:
        raise LookupError("of the user's own")


def test_what_a_layer_itself_raises_comes_through() -> None:
    with pytest.raises(LookupError, match="of the user's own"):
        Own()(torch.randn(1, 2, 12))


def test_a_block_by_its_name_is_looked_at_too() -> None:
    layer = streaming.Conv1d(2, 3, 5)
    with pytest.raises(ModelError, match=r"^Conv1d: expected 2 channels, got 5"):
        layer(x=torch.randn(1, 5, 12))
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        layer()


class Looked(StreamingLayer):
    """Not of sound."""

    def forward(self, token: Tensor, table: dict[int, Tensor]) -> Tensor:
        return table[int(token)]


def test_what_has_nothing_to_do_with_a_tensor_comes_through() -> None:
    with pytest.raises(KeyError):
        Looked()(torch.tensor(3), {})


def test_tracing_by_fx_says_in_its_own_words_what_it_cannot() -> None:
    with pytest.raises(TraceError):
        symbolic_trace(nn.Sequential(streaming.Conv1d(1, 1, 3)))
