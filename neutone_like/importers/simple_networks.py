"""The three small architectures of `.nam` files: LSTM, ConvNet and Linear."""

import torch
from torch import Tensor, nn

from neutone_like.errors import ModelFileError
from neutone_like.importers.activations import activation
from neutone_like.importers.causal import CausalConv1d
from neutone_like.importers.fields import Fields
from neutone_like.importers.weights import Weights
from neutone_like.streaming import StreamingLayer


class Lstm(StreamingLayer):
    """Layers of LSTM and a linear head. Shape: ``[batch, in_channels, N]`` to ``[batch, 1, N]``."""

    def __init__(self, config: Fields, weights: Weights) -> None:
        super().__init__()
        self.in_channels, self.out_channels = config.whole("input_size", maximum=4096), 1
        hidden, layers = config.whole("hidden_size", maximum=2048), config.whole("num_layers", maximum=64)
        config.done()
        self.lstm = nn.LSTM(self.in_channels, hidden, layers)
        self.head = nn.Linear(hidden, 1)
        states = [self._fill(weights, layer, hidden) for layer in range(layers)]
        weights.fill(self.head.weight, self.head.bias)
        self.settling_samples = 0
        self.register_state("hidden", torch.stack([state[0] for state in states])[:, None])
        self.register_state("cell", torch.stack([state[1] for state in states])[:, None])

    def _fill(self, weights: Weights, layer: int, hidden: int) -> Tensor:
        """A layer has one matrix for input and state side by side, one bias, and the state to begin with."""
        width = self.in_channels if layer == 0 else hidden
        matrix, bias = weights.take(4 * hidden, width + hidden), weights.take(4 * hidden)
        with torch.no_grad():
            getattr(self.lstm, f"weight_ih_l{layer}").copy_(matrix[:, :width])
            getattr(self.lstm, f"weight_hh_l{layer}").copy_(matrix[:, width:])
            getattr(self.lstm, f"bias_ih_l{layer}").copy_(bias)
            getattr(self.lstm, f"bias_hh_l{layer}").zero_()
        return weights.take(2, hidden)

    def forward(self, x: Tensor) -> Tensor:
        """The next block."""
        batch = x.size(0)
        state = (self.hidden.expand(-1, batch, -1).contiguous(), self.cell.expand(-1, batch, -1).contiguous())
        y, state = self.lstm(x.permute(2, 0, 1), state)
        self.hidden, self.cell = state
        return self.head(y).permute(1, 2, 0)

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        """Back to what silence leaves."""
        self.hidden = self.initial_hidden.clone()
        self.cell = self.initial_cell.clone()


class ConvNet(nn.Module):
    """Convolutions of two taps, each with its normalisation and activation, and a 1x1 head."""

    def __init__(self, config: Fields, weights: Weights) -> None:
        super().__init__()
        self.in_channels, self.out_channels = config.whole("in_channels", 1), config.whole("out_channels", 1)
        channels, dilations = config.whole("channels", maximum=4096), config.wholes("dilations")
        normalised, groups = config.flag("batchnorm"), config.whole("groups", 1)
        kind = config.need("activation")
        config.done()
        layers: list[nn.Module] = []
        width = self.in_channels
        for dilation in dilations:
            conv = CausalConv1d(width, channels, 2, dilation, bias=not normalised, groups=groups)
            conv.fill(weights)
            layers += [conv, *([_normalisation(channels, weights)] if normalised else [])]
            layers.append(activation(kind, "config.activation", channels))
            width = channels
        head = CausalConv1d(channels, self.out_channels, 1)
        head.fill(weights)
        self.layers = nn.Sequential(*layers, head)
        self.settling_samples = sum(dilations)

    def forward(self, x: Tensor) -> Tensor:
        """The next block."""
        return self.layers(x)


def _normalisation(channels: int, weights: Weights) -> nn.Module:
    """Batch normalisation as it is after training: a gain and an offset for each channel."""
    mean, variance, gain, offset = (weights.take(channels).double() for _ in range(4))
    spread = variance + weights.take(1).double()
    if not bool((spread > 0).all()):
        raise ModelFileError("A batch normalisation's variance must be positive. Train or export again.")
    scale = gain / spread.sqrt()
    conv = CausalConv1d(channels, channels, 1, groups=channels)
    with torch.no_grad():
        conv.conv.weight.copy_(scale[:, None, None])
        if conv.conv.bias is not None:
            conv.conv.bias.copy_(offset - scale * mean)
    return conv


class Linear(nn.Module):
    """An impulse response: the first weight is the newest sample's, as the format's C++ players have it."""

    def __init__(self, config: Fields, weights: Weights) -> None:
        super().__init__()
        self.in_channels, self.out_channels = config.whole("in_channels", 1), config.whole("out_channels", 1)
        length, bias = config.whole("receptive_field"), config.flag("bias")
        config.get("implementation")  # how a player computes it, the sound is the same
        config.done()
        if (self.in_channels, self.out_channels) != (1, 1):
            raise ModelFileError("A Linear of more than one channel is not known here. Export it as mono.")
        self.layer = CausalConv1d(1, 1, length, bias=bias)
        with torch.no_grad():
            self.layer.conv.weight.copy_(weights.take(1, 1, length).flip(2))
        weights.fill(self.layer.conv.bias)
        self.settling_samples = length - 1

    def forward(self, x: Tensor) -> Tensor:
        """The next block."""
        return self.layer(x)
