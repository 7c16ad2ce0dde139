"""Every streaming layer, drawn at random: two hundred ways to cut a signal, and all that it declares."""

import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like import streaming
from neutone_like.streaming import StreamingLayer, verify_streaming

NETWORKS = (StreamingLayer, streaming.StreamingNetwork, streaming.ConditionedNetwork)
CHUNKINGS = 200
DRAWS = {"Conv1d": 6, "ConvTranspose1d": 6, "Pool1d": 4}  # of others one


def convolution(draw: random.Random) -> StreamingLayer:
    """Groups may be as many as channels, and the dilation longer than a block."""
    stride, dilation = draw.randint(1, 4), draw.randint(1, 9)
    kernel = draw.randint(stride, 7)
    ahead = draw.randint(0, dilation * (kernel - 1))
    groups = draw.choice((1, 2, 4))
    return streaming.Conv1d(4, 8, kernel, stride, dilation=dilation, groups=groups, look_ahead_samples=ahead)


def transposed(draw: random.Random) -> StreamingLayer:
    stride, dilation = draw.randint(1, 5), draw.randint(1, 3)
    kernel = draw.randint(stride, 9)
    padding = draw.randint(0, dilation * (kernel - 1) // 2)
    groups = draw.choice((1, 2, 4))
    return streaming.ConvTranspose1d(4, 8, kernel, stride, padding=padding, dilation=dilation, groups=groups)


def pooling(draw: random.Random) -> StreamingLayer:
    kernel, kind = draw.randint(4, 7), draw.choice(("mean", "maximum"))
    return streaming.Pool1d(2, kernel, draw.randint(1, 4), kind=kind, look_ahead_samples=draw.randint(0, 3))


def chain(draw: random.Random) -> StreamingLayer:
    down = streaming.Conv1d(2, 3, draw.randint(2, 6), 2, look_ahead_samples=1)
    up = streaming.ConvTranspose1d(3, 1, draw.randint(3, 6), 3, padding=1)
    return streaming.Sequential(down, nn.Tanh(), streaming.GRU(3, 3), up)


def branches(draw: random.Random) -> StreamingLayer:
    first = streaming.Conv1d(2, 2, draw.randint(1, 7))
    second = streaming.Conv1d(2, 2, 5, look_ahead_samples=draw.randint(0, 4))
    return streaming.Parallel(first, second, nn.Identity(), join=draw.choice(("sum", "concatenation")))


def crossfading(draw: random.Random) -> StreamingLayer:
    return streaming.OverlapAddCrossfade(nn.Conv1d(1, 1, 3, padding=1), 32, draw.choice((0, 3, 8, 16)))


def attending(draw: random.Random) -> StreamingLayer:
    heads, positions = draw.choice((1, 2, 4)), draw.choice(("none", "rotary", "learned"))
    return streaming.Attention(8, heads, draw.randint(1, 40), positions)


def residual(draw: random.Random) -> StreamingLayer:
    body = streaming.Conv1d(2, 2, 5, dilation=draw.randint(1, 4), look_ahead_samples=draw.randint(0, 4))
    return streaming.Residual(body)


def sections(draw: random.Random) -> Tensor:
    return torch.tensor([[0.2, 0.3, 0.1, 1.0, draw.uniform(-0.9, 0.9), 0.2], [1.0, -0.5, 0.1, 1.0, 0.1, 0.05]])


MAKERS: dict[str, Callable[[random.Random], StreamingLayer]] = {
    "Attention": attending,
    "Biquad": lambda draw: streaming.Biquad(sections(draw)),
    "ChannelNorm": lambda draw: streaming.ChannelNorm(6, centre=draw.random() < 0.5, groups=draw.choice((1, 2, 3))),
    "Conv1d": convolution,
    "ConvTranspose1d": transposed,
    "CumulativeLayerNorm": lambda draw: streaming.CumulativeLayerNorm(draw.randint(2, 5)),
    "Delay": lambda draw: streaming.Delay(draw.randint(0, 99), 2),
    "DiagonalStateSpace": lambda draw: streaming.DiagonalStateSpace(3, draw.randint(1, 8)),
    "FIR": lambda draw: streaming.FIR(torch.randn(draw.randint(1, 80))),
    "FractionalDelay": lambda draw: streaming.FractionalDelay(draw.randint(4, 30)),
    "GRU": lambda draw: streaming.GRU(2, draw.randint(1, 9), draw.randint(1, 3)),
    "Hold": lambda draw: streaming.Hold(draw.randint(1, 6)),
    "IIR": lambda draw: streaming.IIR(sections(draw)[0, :3], sections(draw)[0, 3:]),
    "Interpolate": lambda draw: streaming.Interpolate(2, draw.randint(1, 7)),
    "InverseSTFT": lambda draw: streaming.InverseSTFT(*draw.choice(((32, 8), (30, 7), (48, 16)))),
    "LSTM": lambda draw: streaming.LSTM(2, 6, draw.randint(1, 2), proj_size=draw.choice((0, 3))),
    "LinearAttention": lambda draw: streaming.LinearAttention(8, draw.choice((1, 2))),
    "MelSpectrogram": lambda draw: streaming.MelSpectrogram(16000, 64, draw.choice((16, 20, 64)), mels=7),
    "OverlapAddCrossfade": crossfading,
    "PQMFAnalysis": lambda draw: streaming.PQMFAnalysis(draw.randint(2, 6), draw.choice((4, 8, 16))),
    "PQMFSynthesis": lambda draw: streaming.PQMFSynthesis(draw.randint(2, 6), draw.choice((4, 8, 16))),
    "Parallel": branches,
    "Pool1d": pooling,
    "RNN": lambda draw: streaming.RNN(2, 5, draw.randint(1, 3), draw.choice(("tanh", "relu"))),
    "Residual": residual,
    "STFT": lambda draw: streaming.STFT(*draw.choice(((32, 8), (30, 7), (16, 16)))),
    "Sequential": chain,
    "SilentStart": lambda draw: streaming.SilentStart(draw.randint(0, 99)),
    "StateVariableFilter": lambda draw: streaming.StateVariableFilter(48000, draw.choice(("lowpass", "bandpass"))),
}
EXAMPLES = {  # whose channels a layer doesn't say
    "InverseSTFT": lambda layer: torch.randn(1, layer.fft_samples + 2, 60),
    "PQMFSynthesis": lambda layer: torch.randn(1, layer.bands, 120),
}


def test_there_is_a_draw_for_every_layer() -> None:
    public = {name: getattr(streaming, name) for name in streaming.__all__}
    layers = {name for name, each in public.items() if isinstance(each, type) and issubclass(each, StreamingLayer)}
    assert MAKERS.keys() == layers - {each.__name__ for each in NETWORKS}


@pytest.mark.filterwarnings("ignore:LSTM with projections")  # PyTorch says how it plays them
@pytest.mark.parametrize("name", MAKERS)
def test_any_blocks_and_all_that_is_declared(name: str) -> None:
    for seed in range(DRAWS.get(name, 1)):
        torch.manual_seed(seed)
        layer: Any = MAKERS[name](random.Random(seed)).eval()
        example = EXAMPLES[name](layer) if name in EXAMPLES else None
        report = verify_streaming(layer, example=example, chunkings=CHUNKINGS)
        assert report.passed, (layer, report)
        assert {check.name for check in report.checks if check.skipped} <= {
            "receptive field, samples",
            "equals the reference",
            "delay, samples",
        }
        assert isinstance(layer.ratio, Fraction)
        assert layer.source
