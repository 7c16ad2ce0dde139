"""Linear attention against the sum over all pairs that it stands for."""

import pytest
import torch
from torch import Tensor, nn

from neutone_like.errors import ModelError
from neutone_like.streaming import LinearAttention
from support.random_blocks import TOLERANCE, assert_streams, error_of_peak, play


def brute_force(layer: LinearAttention, x: Tensor, half_lives: list[float]) -> Tensor:
    """The weighted mean over all earlier samples, in float64."""
    x, width = x.double(), x.size(1) // layer.heads
    assert layer.in_proj_bias is not None
    projected = layer.in_proj_weight.double() @ x + layer.in_proj_bias.double().unsqueeze(1)
    queries, keys, values = (part.unflatten(1, (layer.heads, width)).transpose(2, 3) for part in projected.chunk(3, 1))
    queries, keys = (torch.where(part > 0, part + 1, part.exp()) for part in (queries, keys))
    distance = torch.arange(x.size(2)).unsqueeze(1) - torch.arange(x.size(2))
    fade = torch.stack([0.5 ** (distance.clamp(min=0) / half_life) for half_life in half_lives]) * (distance >= 0)
    weights = queries @ keys.transpose(2, 3) * fade
    attended = (weights @ values / weights.sum(-1, keepdim=True)).transpose(2, 3).flatten(1, 2)
    return layer.out_proj.weight.double() @ attended + layer.out_proj.bias.double().unsqueeze(1)


def test_equals_the_sum_over_all_pairs_in_any_blocks() -> None:
    layer = LinearAttention(8, 2, [5.0, 300.0]).eval()
    nn.init.normal_(layer.in_proj_bias)  # pyright: ignore[reportArgumentType]
    x = torch.randn(2, 8, 200)
    assert error_of_peak(play(layer, x, [200]), brute_force(layer, x, [5.0, 300.0])) <= TOLERANCE
    layer.piece_samples = 20
    assert_streams(layer, x[..., :80])
    assert layer.receptive_field_samples is None


def test_sums_neither_grow_nor_stop_after_a_long_time() -> None:
    layer = LinearAttention(4, 1, [1000.0]).eval()
    x = torch.randn(1, 4, 200)
    with torch.inference_mode():
        for _ in range(50):
            layer(torch.randn(1, 4, 4000))
        assert float(layer.sums.abs().max()) < 1e5
        # What came a hundred half-lives ago is forgotten: a new layer that heard only the newest says the same.
        recent = torch.randn(1, 4, 40000)
        layer(recent)
        late = layer(x)
        fresh = LinearAttention(4, 1, [1000.0]).eval()
        fresh.load_state_dict(layer.state_dict())
        fresh(recent)
        assert error_of_peak(late, fresh(x)) <= 1e-6


def test_refusals() -> None:
    with pytest.raises(ModelError, match="half-life of inf samples: sums that never fade"):
        LinearAttention(8, 2, [16.0, float("inf")])
    with pytest.raises(ModelError, match="expected 2 half-lives, one for each head, got 1"):
        LinearAttention(8, 2, [16.0])
    with pytest.raises(ModelError, match="8 channels don't divide into 3 heads"):
        LinearAttention(8, 3)
