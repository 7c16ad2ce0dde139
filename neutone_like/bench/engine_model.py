"""Models for the engine's tables: small convolutions without state, and a small recurrent network with it."""

from pathlib import Path

import torch
from torch import Tensor, nn

from neutone_like.artifact import Artifact, load_artifact
from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.model import ContinuousParameter, ModelMetadata, WaveformToWaveformBase

RECEPTIVE_FIELD = 127


class Convolutions(WaveformToWaveformBase):
    """Six layers of dilated convolutions over the look-behind, so that no block knows of the one before."""

    metadata = ModelMetadata(name="Convolutions", authors=("neutone-like",), version="1.0.0")
    parameters = (ContinuousParameter("gain", "Output gain", default=0.5),)
    look_behind_samples = RECEPTIVE_FIELD - 1

    def __init__(
        self, sample_rates: tuple[int, ...] = (), block_sizes: tuple[int, ...] = (), channels: int = 2
    ) -> None:
        self.sample_rates = sample_rates
        self.block_sizes = block_sizes
        self.in_channels = channels
        self.out_channels = channels
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            layers: list[nn.Module] = [nn.Conv1d(channels, 8, 3), nn.Tanh()]
            for power in range(1, 6):
                layers += [nn.Conv1d(8, 8, 3, dilation=2**power), nn.Tanh()]
            layers.append(nn.Conv1d(8, channels, 1))
            super().__init__(nn.Sequential(*layers))

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x.unsqueeze(0)).squeeze(0) * params["gain"]


class Recurrent(WaveformToWaveformBase):
    """One LSTM of 16 units on a mono signal, its state kept from block to block."""

    metadata = ModelMetadata(name="Recurrent", authors=("neutone-like",), version="1.0.0")
    in_channels = 1
    out_channels = 1
    sample_rates = (48000,)
    units = 16

    def __init__(self) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            super().__init__(nn.LSTM(1, self.units))
            self.mix = nn.Linear(self.units, 1)
        self.hidden = torch.zeros(1, self.units)
        self.cell = torch.zeros(1, self.units)

    @torch.jit.export
    def reset_model(self) -> None:
        self.hidden = torch.zeros_like(self.hidden)
        self.cell = torch.zeros_like(self.cell)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y, (self.hidden, self.cell) = self.model(x.t(), (self.hidden, self.cell))
        return self.mix(y).t()


def convolutions_artifact(folder: Path, sample_rate: int, block_size: int) -> Artifact:
    """Write and load one; ``block_size`` 0 means any."""
    return _written(Convolutions((sample_rate,), (block_size,) if block_size else ()), folder)


def recurrent_artifact(folder: Path) -> Artifact:
    """Write and load the recurrent one."""
    return _written(Recurrent(), folder)


def _written(model: WaveformToWaveformBase, folder: Path) -> Artifact:
    return load_artifact(write_artifact(model, folder, render_samples=False).model_path)
