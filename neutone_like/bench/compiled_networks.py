"""Amp models of the usual sizes, with random weights, or real ones where they lie."""

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.importers import load_nam
from neutone_like.importers.building import build
from neutone_like.importers.fields import Fields
from neutone_like.importers.nam_model import NamModel
from neutone_like.model import ModelMetadata, WaveformToWaveformBase

SAMPLE_RATE = 48000
EXPORTED = Path("exported")
NAM_STANDARD_WEIGHTS = 13802


class Lstm(WaveformToWaveformBase):
    """One LSTM, a linear layer, and the input added to the output."""

    metadata = ModelMetadata(name="LSTM", authors=("neutone-like",), version="1.0.0")
    in_channels = out_channels = 1
    sample_rates = (SAMPLE_RATE,)

    hidden: Tensor
    cell: Tensor

    def __init__(self, units: int) -> None:
        super().__init__(nn.LSTM(1, units))
        self.linear = nn.Linear(units, 1)
        self.units = units
        self.register_buffer("hidden", torch.zeros(1, 1, units))
        self.register_buffer("cell", torch.zeros(1, 1, units))

    def reset_model(self) -> None:
        self.hidden = torch.zeros(1, 1, self.units)
        self.cell = torch.zeros(1, 1, self.units)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y, state = self.model(x.t().unsqueeze(1), (self.hidden, self.cell))
        self.hidden, self.cell = state
        return self.linear(y).squeeze(1).t() + x


class _TcnLayer(nn.Module):
    def __init__(self, channels: int, taps: int, dilation: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(channels, channels, taps, dilation=dilation)
        self.mix = nn.Conv1d(channels, channels, 1)

    def forward(self, window: Tensor, x: Tensor) -> Tensor:
        return x + self.mix(torch.tanh(self.convolution(window)))


class Tcn(WaveformToWaveformBase):
    """Dilated convolutions with shortcuts: 8497 parameters."""

    metadata = ModelMetadata(name="TCN", authors=("neutone-like",), version="1.0.0")
    in_channels = out_channels = 1
    sample_rates = (SAMPLE_RATE,)

    pasts: list[Tensor]

    def __init__(self, channels: int = 16, taps: int = 3, layers: int = 8) -> None:
        super().__init__(nn.ModuleList(_TcnLayer(channels, taps, 2**index) for index in range(layers)))
        self.first = nn.Conv1d(1, channels, 1)
        self.last = nn.Conv1d(channels, 1, 1)
        self.shapes = [(channels, (taps - 1) * 2**index) for index in range(layers)]
        self.reset_model()

    def reset_model(self) -> None:
        self.pasts = [torch.zeros(1, channels, samples) for channels, samples in self.shapes]

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y = self.first(x.unsqueeze(0))
        for index, layer in enumerate(self.model):  # pyright: ignore[reportArgumentType]
            window = torch.cat((self.pasts[index], y), 2)
            self.pasts[index] = window[:, :, x.size(1) :]
            y = layer(window, y)
        return self.last(y).squeeze(0)


def nam_standard() -> NamModel:
    """The standard WaveNet of the Neural Amp Modeler, first version; from the shared folder's file where it is."""
    file = Path(os.environ.get("NEUTONE_LIKE_SHARED", "../shared"), "nam", "wavenet_a1_standard.nam")
    if file.is_file():
        return load_nam(file)
    array: dict[str, Any] = {"condition_size": 1, "kernel_size": 3, "dilations": [2**k for k in range(10)]}
    array.update(activation="Tanh", gated=False)
    first = {**array, "input_size": 1, "channels": 16, "head_size": 8, "head_bias": False}
    second = {**array, "input_size": 16, "channels": 8, "head_size": 1, "head_bias": True}
    content = {
        "version": "0.5.4",
        "architecture": "WaveNet",
        "config": {"layers": [first, second], "head": None, "head_scale": 0.02},
        "weights": (0.1 * torch.randn(NAM_STANDARD_WEIGHTS)).tolist(),
    }
    network = build(Fields(content, "The network"))
    metadata = ModelMetadata(name="NAM standard", authors=("neutone-like",), version="1.0.0")
    return NamModel(network, SAMPLE_RATE, metadata)


def amp_models() -> dict[str, WaveformToWaveformBase | Path]:
    """What the tables play: models, or the artifacts of this checkout."""
    torch.manual_seed(0)
    exported = {name: EXPORTED / name / "model.nm" for name in ("lstm_amp", "tcn_amp")}
    return {
        **{name: path for name, path in exported.items() if path.is_file()},
        "NAM standard": nam_standard(),
        "LSTM-16": Lstm(16),
        "LSTM-40": Lstm(40),
        "TCN, 8.5k": Tcn(),
    }
