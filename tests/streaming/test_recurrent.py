"""Recurrent layers over a stream against the torch layers that they come from."""

from typing import Any

import pytest
import torch
from torch import nn

from neutone_like.errors import ModelError
from neutone_like.streaming import GRU, LSTM, RNN
from support.random_blocks import TOLERANCE, assert_streams, error_of_peak, play

PAIRS = [
    (RNN, nn.RNN(3, 5, 2)),
    (RNN, nn.RNN(2, 4, nonlinearity="relu", bias=False)),
    (GRU, nn.GRU(3, 6, 2, batch_first=True)),
    (LSTM, nn.LSTM(3, 6, 2, dropout=0.5)),
    (LSTM, nn.LSTM(3, 6, 2, proj_size=4, batch_first=True)),
]


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN:UserWarning")
@pytest.mark.parametrize(("kind", "ordinary"), PAIRS)
def test_equals_the_torch_layer_in_any_blocks(kind: type[GRU], ordinary: nn.GRU) -> None:
    ordinary = ordinary.eval()
    streaming = kind.from_torch(ordinary)
    x = torch.randn(2, ordinary.input_size, 120)
    sequence = x.transpose(1, 2) if ordinary.batch_first else x.permute(2, 0, 1)
    y = ordinary(sequence)[0]
    expected = y.transpose(1, 2) if ordinary.batch_first else y.permute(1, 2, 0)
    assert error_of_peak(play(streaming, x, [120]), expected) <= TOLERANCE
    assert_streams(streaming, x[..., :60])
    assert streaming.receptive_field_samples is None


def test_no_bias_may_be_none() -> None:
    for kind, ordinary in ((RNN, nn.RNN), (GRU, nn.GRU), (LSTM, nn.LSTM)):
        layer = kind(2, 3, bias=None)
        layer.load_state_dict(ordinary(2, 3, bias=False).state_dict())
        assert_streams(layer, torch.randn(1, 2, 40))


def test_weights_have_the_names_of_torch_and_are_copies() -> None:
    ordinary: Any = nn.LSTM(3, 6, 2, proj_size=4, dtype=torch.float64)
    streaming: Any = LSTM.from_torch(ordinary)
    assert list(streaming.state_dict()) == list(ordinary.state_dict())
    assert streaming.weight_ih_l0.dtype == torch.float64
    assert streaming.weight_ih_l0.data_ptr() != ordinary.weight_ih_l0.data_ptr()


def test_dropout_acts_in_training_only() -> None:
    layer = GRU(2, 8, 2, dropout=0.5).train()
    x = torch.randn(1, 2, 20)
    assert not torch.equal(play(layer, x, [20]), play(layer, x, [20]))
    layer.eval()
    assert torch.equal(play(layer, x, [20]), play(layer, x, [20]))


def test_gradients_flow_from_block_to_block() -> None:
    layer = LSTM(1, 4)
    x = torch.randn(1, 1, 12, requires_grad=True)
    play(layer, x, [6, 6])[..., -1].sum().backward()
    assert x.grad is not None
    assert bool((x.grad != 0).all())


@pytest.mark.parametrize(("kind", "ordinary"), [(RNN, nn.RNN), (GRU, nn.GRU), (LSTM, nn.LSTM)])
def test_a_second_direction_is_refused_by_name(kind: type[GRU], ordinary: type[nn.GRU]) -> None:
    with pytest.raises(ModelError, match=rf"{kind.__name__}: bidirectional=True .* causal Attention"):
        kind.from_torch(ordinary(2, 3, bidirectional=True))
    with pytest.raises(ModelError, match="bidirectional"):
        kind(2, 3, bidirectional=True)
