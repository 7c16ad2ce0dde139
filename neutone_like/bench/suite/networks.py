"""The networks that are played: convolutions, a recurrent one and a hybrid of both, each in three sizes.

They are the kinds of the anira paper's benchmark (arXiv 2506.12665), built anew: a dilated convolutional network that
sees its past again and so keeps no state, an LSTM with state, and convolutions into an LSTM. The paper's hybrid starts
its LSTM afresh in every window; this one keeps its state, as it has to in a stream. Beside them an autoencoder, for the
matrix of examples, and those themselves.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from neutone_like.model import ModelMetadata, WaveformToWaveformBase
from neutone_like.streaming import to_streaming

Family = Literal["cnn", "rnn", "hybrid", "autoencoder"]
FAMILIES: tuple[Family, ...] = get_args(Family)[:3]
RATE = 48000
_KERNEL = 3


@dataclass(frozen=True)
class Shape:
    """A network by its family, its channels or units, and its layers."""

    family: Family
    width: int
    depth: int

    def __str__(self) -> str:
        return f"{self.family}-{self.width}x{self.depth}"

    @property
    def is_stateless(self) -> bool:
        """Whether it sees its past again instead of keeping a state."""
        return self.family == "cnn"


@dataclass(frozen=True)
class Example:
    """An artifact that somebody exported, by its folder's name.

    Attributes:
        name: Of the folder.
        is_live: Whether it is played block by block.
        is_compiled: Whether its compiled form lies beside it.
    """

    name: str
    is_live: bool = True
    is_compiled: bool = True
    family = "example"
    width = 0
    depth = 0

    def __str__(self) -> str:
        return self.name


def examples_in(folder: Path) -> tuple[Example, ...]:
    """The artifacts of a folder, each in one of its own; in the order of their names."""
    return tuple(
        Example(each.parent.name, _is_live(each.with_name("metadata.json")), each.with_suffix(".nlc").exists())
        for each in sorted(folder.glob("*/model.nm"))
    )


def _is_live(metadata: Path) -> bool:
    """Only live artifacts say how many channels go through them."""
    return "model_type" in json.loads(metadata.read_text("utf-8"))


AUTOENCODER = Shape("autoencoder", 16, 4)
SIZES: dict[str, dict[Family, Shape]] = {
    "small": {"cnn": Shape("cnn", 4, 4), "rnn": Shape("rnn", 8, 1), "hybrid": Shape("hybrid", 8, 2)},
    "medium": {"cnn": Shape("cnn", 8, 6), "rnn": Shape("rnn", 20, 1), "hybrid": Shape("hybrid", 16, 3)},
    "large": {"cnn": Shape("cnn", 16, 8), "rnn": Shape("rnn", 40, 2), "hybrid": Shape("hybrid", 32, 4)},
}
SIZE_OF = {shape: size for size, shapes in SIZES.items() for shape in shapes.values()}


def build(shape: Shape, sample_rate: int = RATE, block_size: int = 0) -> WaveformToWaveformBase:
    """A live model with random weights, always the same; mono.

    Args:
        shape: Its network's.
        sample_rate: The only one that it takes, in Hz.
        block_size: The only one that it takes, in samples; 0 for any.
    """
    kinds = {"cnn": Convolutions, "rnn": Recurrent, "hybrid": Hybrid, "autoencoder": Autoencoder}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return kinds[shape.family](shape, sample_rate, block_size)


class _Played(WaveformToWaveformBase):
    """What all of them declare."""

    in_channels = 1
    out_channels = 1

    def __init__(self, network: nn.Module, shape: Shape, sample_rate: int, block_size: int) -> None:
        self.metadata = ModelMetadata(name=str(shape), authors=("neutone-like",), version="1.0.0")
        self.sample_rates = (sample_rate,)
        self.block_sizes = (block_size,) if block_size else ()
        super().__init__(network)


class Convolutions(_Played):
    """Dilated convolutions and tanh over the block and the past that they need."""

    def __init__(self, shape: Shape, sample_rate: int, block_size: int) -> None:
        layers: list[nn.Module] = []
        channels = 1
        for power in range(shape.depth):
            layers += [nn.Conv1d(channels, shape.width, _KERNEL, dilation=2**power), nn.Tanh()]
            channels = shape.width
        layers.append(nn.Conv1d(channels, 1, 1))
        self.look_behind_samples = (_KERNEL - 1) * (2**shape.depth - 1)
        super().__init__(nn.Sequential(*layers), shape, sample_rate, block_size)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x.unsqueeze(0)).squeeze(0)


class Recurrent(_Played):
    """An LSTM over the samples, and a sum of its units."""

    def __init__(self, shape: Shape, sample_rate: int, block_size: int) -> None:
        super().__init__(nn.LSTM(1, shape.width, shape.depth), shape, sample_rate, block_size)
        self.mix = nn.Linear(shape.width, 1)
        self.hidden = torch.zeros(shape.depth, shape.width)
        self.cell = torch.zeros(shape.depth, shape.width)

    @torch.jit.export
    def reset_model(self) -> None:
        self.hidden = torch.zeros_like(self.hidden)
        self.cell = torch.zeros_like(self.cell)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y, (self.hidden, self.cell) = self.model(x.t(), (self.hidden, self.cell))
        return self.mix(y).t()


class Hybrid(_Played):
    """Convolutions over the block and its past, into an LSTM that keeps its state."""

    def __init__(self, shape: Shape, sample_rate: int, block_size: int) -> None:
        layers: list[nn.Module] = []
        channels = 1
        for power in range(shape.depth):
            layers += [nn.Conv1d(channels, shape.width, _KERNEL, dilation=2**power), nn.ReLU()]
            channels = shape.width
        self.look_behind_samples = (_KERNEL - 1) * (2**shape.depth - 1)
        super().__init__(nn.Sequential(*layers), shape, sample_rate, block_size)
        self.memory = nn.LSTM(shape.width, shape.width)
        self.mix = nn.Linear(shape.width, 1)
        self.hidden = torch.zeros(1, shape.width)
        self.cell = torch.zeros(1, shape.width)

    @torch.jit.export
    def reset_model(self) -> None:
        self.hidden = torch.zeros_like(self.hidden)
        self.cell = torch.zeros_like(self.cell)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        features = self.model(x.unsqueeze(0)).squeeze(0)
        y, (self.hidden, self.cell) = self.memory(features.t(), (self.hidden, self.cell))
        return self.mix(y).t()


class Autoencoder(_Played):
    """Strided convolutions down to a few latents and up again, as in RAVE, made to play blocks."""

    def __init__(self, shape: Shape, sample_rate: int, block_size: int) -> None:
        strides = (4,) * (shape.depth - 2) + (2, 2)
        network = to_streaming(CausalAutoencoder(shape.width, strides).eval())
        super().__init__(network, shape, sample_rate, block_size or network.block_multiple_samples)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x.unsqueeze(0)).squeeze(0)


class CausalAutoencoder(nn.Module):
    """Of whole signals, ``[batch, 1, samples]``; none of its layers looks ahead."""

    def __init__(self, width: int, strides: Sequence[int], latents: int = 8) -> None:
        super().__init__()
        widths = [1, *(width * 2**level for level in range(len(strides)))]
        steps = list(zip(widths, widths[1:], strides, strict=False))
        self.down = nn.ModuleList(nn.Conv1d(a, b, 2 * stride, stride) for a, b, stride in steps)
        self.encode, self.decode = nn.Conv1d(widths[-1], latents, 1), nn.Conv1d(latents, widths[-1], 1)
        self.up = nn.ModuleList(nn.ConvTranspose1d(b, a, 2 * stride, stride) for a, b, stride in reversed(steps))
        self.strides = tuple(strides)

    def forward(self, x: Tensor) -> Tensor:
        for layer, stride in zip(self.down, self.strides, strict=True):
            x = functional.elu(layer(functional.pad(x, (stride, 0))))
        x = self.decode(self.encode(x))
        for layer, stride in zip(self.up, reversed(self.strides), strict=True):
            x = layer(functional.elu(x))[..., :-stride]
        return x
