"""Convolutions, delays and containers in blocks, against the ordinary torch layers on the whole signal."""

import random
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like.errors import ModelError
from neutone_like.streaming import (
    Attention,
    Conv1d,
    ConvTranspose1d,
    Delay,
    LinearAttention,
    Parallel,
    Residual,
    Sequential,
    StreamingLayer,
    block_multiple,
    reset_streaming,
)


def in_blocks(layer: nn.Module, x: Tensor, rng: random.Random, multiple: int, longest: int = 9) -> Tensor:
    reset_streaming(layer)
    outputs: list[Tensor] = []
    start = 0
    while start < x.size(2):
        end = min(x.size(2), start + multiple * rng.choice((1, 1, 2, rng.randint(1, longest))))
        outputs.append(layer(x[:, :, start:end]))
        start = end
    return torch.cat(outputs, 2)


def assert_streams(layer: StreamingLayer, ordinary: nn.Module, x: Tensor, rng: random.Random) -> None:
    whole = ordinary(x)
    tolerance = (1e-12 if x.dtype == torch.float64 else 1e-5) * max(1.0, float(whole.abs().max()))
    for _ in range(2):
        streamed = in_blocks(layer, x, rng, block_multiple(layer))
        assert streamed.size(2) == x.size(2) * layer.ratio
        aligned = streamed[:, :, layer.delay_samples :]
        samples = min(aligned.size(2), whole.size(2))
        assert samples > 0
        assert float((aligned[:, :, :samples] - whole[:, :, :samples]).abs().max()) <= tolerance, (layer, ordinary)


def measured_receptive_field(layer: StreamingLayer, channels: int, samples: int) -> int:
    """The longest stretch of input on which one output sample depends, by its gradient."""
    widest = 0
    outputs = int(block_multiple(layer) * layer.ratio)
    for n in range(outputs):
        reset_streaming(layer)
        x = torch.randn(1, channels, samples, dtype=torch.float64, requires_grad=True)
        y = layer(x)
        (gradient,) = torch.autograd.grad((y[:, :, y.size(2) - outputs + n]).sum(), x)
        heard = gradient.abs().sum((0, 1)).nonzero()
        widest = max(widest, int(heard.max() - heard.min()) + 1 if len(heard) else 0)
    reset_streaming(layer)
    return widest


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_any_convolution_equals_the_ordinary_one(dtype: torch.dtype) -> None:
    rng = random.Random(1)
    for _ in range(80):
        stride = rng.randint(1, 4)
        kernel, dilation, groups = rng.randint(stride, 7), rng.randint(1, 4), rng.choice((1, 2))
        padding = rng.randint(0, dilation * (kernel - 1))
        ordinary = nn.Conv1d(4, 6, kernel, stride, padding, dilation, groups, rng.random() < 0.7).to(dtype)
        layer = Conv1d.from_torch(ordinary)
        late = dilation * (kernel - 1) - padding - (stride - 1)
        assert layer.delay_samples == max(0, -(-late // stride))
        assert_streams(layer, ordinary, torch.randn(2, 4, stride * 40, dtype=dtype), rng)


@torch.no_grad()
def test_any_transposed_convolution_equals_the_ordinary_one() -> None:
    rng = random.Random(2)
    for case in range(80):
        stride = rng.randint(1, 4)
        kernel, dilation, groups = rng.randint(stride, 8), rng.randint(1, 3), rng.choice((1, 2))
        padding = rng.randint(0, dilation * (kernel - 1) // 2)
        dtype = (torch.float32, torch.float64)[case % 2]
        ordinary = nn.ConvTranspose1d(
            4, 6, kernel, stride, padding, groups=groups, dilation=dilation, bias=rng.random() < 0.7
        ).to(dtype)
        layer = ConvTranspose1d.from_torch(ordinary)
        assert layer.delay_samples == padding
        assert_streams(layer, ordinary, torch.randn(2, 4, 20, dtype=dtype), rng)


def test_receptive_fields_are_the_measured_ones() -> None:
    rng = random.Random(3)
    for _ in range(15):
        stride, dilation = rng.randint(1, 3), rng.randint(1, 3)
        kernel = rng.randint(stride, 6)
        down = Conv1d(1, 2, kernel, stride, dilation=dilation).double()
        up = ConvTranspose1d(2, 1, kernel, stride, dilation=dilation).double()
        both = Sequential(
            Conv1d(1, 2, kernel, stride, dilation=dilation).double(),
            ConvTranspose1d(2, 1, kernel, stride, dilation=1).double(),
        )
        for layer, channels in ((down, 1), (up, 2), (both, 1)):
            assert measured_receptive_field(layer, channels, stride * 60) == layer.receptive_field_samples, layer


@torch.no_grad()
def test_causal_by_default_and_look_ahead_is_delay() -> None:
    x = torch.randn(1, 1, 30)
    causal, ahead = Conv1d(1, 1, 5, dilation=2), Conv1d(1, 1, 5, dilation=2, look_ahead_samples=3)
    ahead.load_state_dict(causal.state_dict())
    assert (causal.delay_samples, ahead.delay_samples) == (0, 3)
    assert causal.state_dict().keys() == nn.Conv1d(1, 1, 5).state_dict().keys()
    whole = nn.functional.conv1d(nn.functional.pad(x, (8, 0)), causal.weight, causal.bias, dilation=2)
    torch.testing.assert_close(causal(x), whole)


@torch.no_grad()
def test_delays_before_a_stride_are_aligned_and_padding_is_kept() -> None:
    """Symmetric padding in every layer: what one layer gives before its first sample must not reach the next."""
    rng = random.Random(4)
    ordinary = nn.Sequential(
        nn.Conv1d(2, 4, 4, 1, 1), nn.ELU(), nn.Conv1d(4, 4, 8, 4, 2), nn.Sigmoid(),
        nn.Conv1d(4, 4, 3, 1, 2, dilation=2),
        nn.ConvTranspose1d(4, 3, 8, 4, 2), nn.Tanh(), nn.Conv1d(3, 2, 7, 1, 3), nn.Conv1d(2, 2, 1),
    ).double()  # fmt: skip
    layer = streaming(ordinary)
    assert block_multiple(layer) == 4
    assert layer.ratio == 1
    assert "align_2" in dict(layer.named_children())
    assert layer.state_dict().keys() == ordinary.state_dict().keys()
    assert_streams(layer, ordinary, torch.randn(2, 2, 4 * 50, dtype=torch.float64), rng)


@torch.no_grad()
def test_branches_of_different_delay_meet() -> None:
    rng = random.Random(5)
    first, a, b, body = (nn.Conv1d(2, 2, k, padding=k // 2).double() for k in (3, 7, 5, 3))

    class Ordinary(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            x = first(x)
            x = a(x) + b(x) + x
            return x + body(torch.sigmoid(body(x)))

    layer = Sequential(
        Conv1d.from_torch(first),
        Parallel(Conv1d.from_torch(a), Conv1d.from_torch(b), nn.Identity()),
        Residual(Sequential(Conv1d.from_torch(body), nn.Sigmoid(), Conv1d.from_torch(body))),
    )
    assert layer.delay_samples == 1 + 3 + 2
    assert layer.receptive_field_samples == 3 + 6 + 4
    assert_streams(layer, Ordinary(), torch.randn(1, 2, 80, dtype=torch.float64), rng)
    x = torch.randn(1, 2, 24, dtype=torch.float64)
    scripted = torch.jit.script(layer)
    torch.testing.assert_close(in_blocks(scripted, x, rng, 1), in_blocks(layer, x, rng, 1))
    joined = Parallel(Conv1d.from_torch(a), nn.Identity(), join="concatenation")
    assert torch.equal(joined(x)[:, 2:, 3:], x[:, :, :-3])


@torch.no_grad()
@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm`:FutureWarning")
def test_old_weight_norm_is_folded_as_it_is_now_not_as_it_was_at_the_last_call() -> None:
    for ordinary, make in ((nn.Conv1d(2, 3, 5), Conv1d.from_torch), (nn.ConvTranspose1d(2, 3, 4, 2), None)):
        normed: Any = nn.utils.weight_norm(ordinary)
        normed.weight_g.mul_(3.0)  # as loading a checkpoint does
        layer = ConvTranspose1d.from_torch(normed) if make is None else make(normed)
        torch.testing.assert_close(layer.weight.norm(dim=(1, 2)), normed.weight_g.flatten())


@torch.no_grad()
def test_no_bias_is_also_said_as_none_as_pytorch_takes_it() -> None:
    layers = (
        Conv1d(1, 2, 3, bias=None),
        ConvTranspose1d(1, 2, 3, bias=None),
        Attention(4, 2, 8, bias=None),
        LinearAttention(4, 2, bias=None),
    )
    for layer in layers:
        assert not [name for name, _ in layer.named_parameters() if name.endswith("bias")]
        assert torch.jit.script(layer)(torch.ones(1, layer.in_channels, 4)).size(2) == 4
    wrong: Any = "none"
    with pytest.raises(ModelError, match=r"bias must be True or False or None, got 'none'"):
        Conv1d(1, 2, 3, bias=wrong)


def test_scripted_convolutions_and_delay_give_the_same() -> None:
    layer = Sequential(Conv1d(1, 2, 3, 2, bias=False), ConvTranspose1d(2, 1, 5, 2, padding=1), Delay(3))
    scripted = torch.jit.script(layer)
    x = torch.randn(1, 1, 24)
    assert torch.equal(scripted(x), layer(x))
    with pytest.raises(torch.jit.Error, match="Sequential: a block of 3 samples; expected a multiple of 2: 2, 4, 6"):
        scripted(x[:, :, :3])


def streaming(ordinary: nn.Sequential) -> Sequential:
    layers: list[nn.Module] = []
    for layer in ordinary:
        if isinstance(layer, nn.Conv1d):
            layers.append(Conv1d.from_torch(layer))
        elif isinstance(layer, nn.ConvTranspose1d):
            layers.append(ConvTranspose1d.from_torch(layer))
        else:
            layers.append(layer)
    return Sequential(*layers)


def test_what_a_stream_cannot_do_is_refused() -> None:
    with pytest.raises(ModelError, match="kernel_size=2 and stride=4: samples between"):
        Conv1d(1, 1, 2, 4)
    with pytest.raises(ModelError, match="kernel_size=2 and stride=4"):
        ConvTranspose1d(1, 1, 2, 4)
    with pytest.raises(ModelError, match=r"a block of 6 samples; expected a multiple of 4: 4, 8, 12"):
        Conv1d(1, 1, 4, 4)(torch.zeros(1, 1, 6))
    with pytest.raises(ModelError, match="padding_mode must be 'zeros' in a stream, got 'reflect'"):
        Conv1d.from_torch(nn.Conv1d(1, 1, 3, padding=1, padding_mode="reflect"))
    with pytest.raises(ModelError, match="look_ahead_samples must be at most .* = 2, got 3"):
        Conv1d(1, 1, 3, look_ahead_samples=3)
    with pytest.raises(ModelError, match=r"one ratio .* branch 0 \(Conv1d\): 1/2, branch 1 \(Identity\): 1"):
        Parallel(Conv1d(1, 1, 2, 2), nn.Identity())
    with pytest.raises(ModelError, match="got ratio 1/2 of Conv1d"):
        Residual(Conv1d(1, 1, 2, 2))
    with pytest.raises(ModelError, match="samples must be a whole number from 0, got -1"):
        Delay(-1)
    with pytest.raises(ModelError, match=r"1 \(Conv1d\) keeps no state between blocks: use .*Conv1d.from_torch"):
        Sequential(nn.Tanh(), nn.Conv1d(1, 1, 3))
    with pytest.raises(ModelError, match=r"0 \(BatchNorm1d\) can't stream.*train mode"):
        Sequential(nn.BatchNorm1d(1))


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (nn.Conv1d(1, 1, 1, padding=1), r"1 \(Conv1d\) keeps no state between blocks"),
        (nn.GRU(1, 1), r"1 \(GRU\) begins every block anew: use neutone_like.streaming.GRU.from_torch"),
        (nn.LSTM(1, 1), r"1 \(LSTM\) begins every block anew"),
        (nn.ZeroPad1d(2), r"1 \(ZeroPad1d\) pads every block.*look_ahead_samples"),
        (nn.ReflectionPad1d((4, 0)), r"1 \(ReflectionPad1d\) pads every block"),
        (nn.Upsample(scale_factor=2), r"1 \(Upsample\) changes the rate.*Hold or Interpolate"),
        (nn.Sequential(nn.Tanh(), nn.BatchNorm1d(1)), r"1\.1 \(BatchNorm1d\) can't stream.*train mode"),
        (nn.Sequential(nn.Sequential(nn.Conv1d(1, 1, 3))), r"1\.0\.0 \(Conv1d\) keeps no state between blocks"),
        (nn.Sequential(Conv1d(1, 1, 2, 2)), r"1 \(Sequential\) holds a layer that streams, 0 \(Conv1d\)"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, nn.Module) else "",
)
def test_children_that_would_take_every_block_for_a_signal_are_refused_by_name(layer: nn.Module, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        Sequential(nn.Tanh(), layer)
    with pytest.raises(ModelError, match=words.replace("1", "body", 1)):
        Residual(layer)
    Sequential(nn.Conv1d(1, 1, 1), nn.Conv1d(1, 1, 1, padding="same"), nn.Sequential(nn.Tanh(), nn.Conv1d(1, 1, 1)))
