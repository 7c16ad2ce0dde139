"""Attention over a moving window against torch's own, with a band as its mask, over the whole sequence."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.functional import jacobian

from neutone_like.errors import ModelError
from neutone_like.streaming import Attention
from support.random_blocks import TOLERANCE, assert_streams, error_of_peak, play

CHANNELS, HEADS, WINDOW = 8, 2, 13


def band(samples: int, window: int) -> Tensor:
    """True where a sample (row) must not see another (column)."""
    distance = torch.arange(samples).unsqueeze(1) - torch.arange(samples)
    return (distance < 0) | (distance >= window)


def brute_force(layer: Attention, x: Tensor) -> Tensor:
    """Attention over everything at absolute positions, in float64, pair by pair of complex numbers."""
    x, width = x.double(), x.size(1) // layer.heads
    assert layer.in_proj_bias is not None
    projected = layer.in_proj_weight.double() @ x + layer.in_proj_bias.double().unsqueeze(1)
    queries, keys, values = (part.unflatten(1, (layer.heads, width)).transpose(2, 3) for part in projected.chunk(3, 1))
    position = torch.arange(x.size(2))
    if layer.positions == "rotary":
        radians = 10000.0 ** (-torch.arange(0, width, 2).double() / width)
        turns = torch.polar(torch.ones(1).double(), position.unsqueeze(1) * radians)
        pairs = [torch.view_as_complex(part.unflatten(-1, (-1, 2)).contiguous()) * turns for part in (queries, keys)]
        queries, keys = (torch.view_as_real(part).flatten(-2) for part in pairs)
    scores = queries @ keys.transpose(2, 3) / math.sqrt(width)
    if layer.distance_bias is not None:
        distance = (position.unsqueeze(1) - position).clamp(0, layer.window_samples - 1)
        scores = scores + layer.distance_bias.double()[:, distance]
    weights = scores.masked_fill(band(x.size(2), layer.window_samples), -math.inf).softmax(-1)
    attended = (weights @ values).transpose(2, 3).flatten(1, 2)
    return layer.out_proj.weight.double() @ attended + layer.out_proj.bias.double().unsqueeze(1)


def made(positions: str, window: int = WINDOW) -> Attention:
    """An attention none of whose parts is zero."""
    layer = Attention(CHANNELS, HEADS, window, positions).eval()
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.5)
    return layer


@pytest.mark.parametrize("positions", ["none", "rotary", "learned"])
def test_equals_attention_over_the_whole_sequence_in_any_blocks(positions: str) -> None:
    layer = made(positions)
    x = torch.randn(2, CHANNELS, 150)
    assert error_of_peak(play(layer, x, [150]), brute_force(layer, x)) <= TOLERANCE
    layer.piece_samples = 20
    assert_streams(layer, x[..., :80])


def test_equals_multihead_attention_of_torch_with_a_band_as_mask() -> None:
    ordinary = nn.MultiheadAttention(CHANNELS, HEADS, dropout=0.3, batch_first=True).eval()
    nn.init.normal_(ordinary.in_proj_bias)
    layer = Attention.from_torch(ordinary, WINDOW)
    assert list(layer.state_dict()) == list(ordinary.state_dict())
    x = torch.randn(1, CHANNELS, 150)
    sequence = x.transpose(1, 2)
    expected = ordinary(sequence, sequence, sequence, attn_mask=band(150, WINDOW), need_weights=False)[0]
    assert error_of_peak(play(layer, x, [64, 1, 85]), expected.transpose(1, 2)) <= TOLERANCE


def test_a_window_of_one_sample_sees_only_itself() -> None:
    layer = made("learned", window=1)
    x = torch.randn(1, CHANNELS, 10)
    assert error_of_peak(play(layer, x, [1, 9]), brute_force(layer, x)) <= TOLERANCE


def test_the_receptive_field_is_the_window() -> None:
    layer = made("rotary", window=4)
    gradient = jacobian(lambda x: play(layer, x, [12])[0, 0, -1], torch.randn(1, CHANNELS, 12))
    assert isinstance(gradient, Tensor)
    reached = (gradient[0] != 0).any(0)
    assert reached.tolist() == [False] * 8 + [True] * 4
    assert layer.receptive_field_samples == 4


def test_positions_stay_exact_after_hours() -> None:
    layer = made("rotary")
    x = torch.randn(1, CHANNELS, 60)
    fresh = play(layer, x, [60])
    hours = 10 * 3600 * 48000
    layer.reset_streaming_state()
    layer.phase = (hours * layer.radians_per_sample.double()).remainder(2 * math.pi)
    assert error_of_peak(layer(x), fresh) <= 1e-6
    # Through the state itself: a hundred thousand blocks, and phases still within one turn.
    for _ in range(100):
        layer(x[..., :1].expand(-1, -1, 1000))
    assert float(layer.phase.max()) <= 2 * math.pi
    assert error_of_peak(layer(x)[..., WINDOW:], fresh[..., WINDOW:]) <= 1e-6


def test_what_is_kept_does_not_grow() -> None:
    layer = made("rotary")
    before = {name: buffer.shape for name, buffer in layer.named_buffers()}
    play(layer, torch.randn(1, CHANNELS, 500), [1, 399, 100])
    assert {name: buffer.shape for name, buffer in layer.named_buffers()} == before


def test_refusals() -> None:
    with pytest.raises(ModelError, match="window_samples=0: a stream has no end"):
        Attention(8, 2, 0)
    with pytest.raises(ModelError, match="positions='sine'; expected one of none, rotary, learned"):
        Attention(8, 2, 4, "sine")
    with pytest.raises(ModelError, match="8 channels don't divide into 3 heads"):
        Attention(8, 3, 4)
    with pytest.raises(ModelError, match="3 channels a head is odd"):
        Attention(6, 2, 4, "rotary")
    with pytest.raises(ModelError, match="kdim=3"):
        Attention.from_torch(nn.MultiheadAttention(8, 2, kdim=3), 4)
