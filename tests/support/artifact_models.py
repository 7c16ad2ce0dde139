"""Models that the tests of artifacts export, each odd in one way."""

import threading
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like import CategoricalParameter, ContinuousParameter, ModelMetadata, WaveformToWaveformBase


def metadata_of(name: str, **fields: Any) -> ModelMetadata:
    return ModelMetadata(name=name, authors=("Ada", "Grace"), version="1.2.0", **fields)


class Identity(WaveformToWaveformBase):
    metadata = metadata_of("Identity")

    def __init__(self) -> None:
        super().__init__(nn.Identity())

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x


class Mono(Identity):
    in_channels = 1
    out_channels = 1


class Drive(WaveformToWaveformBase):
    """Two kinds of parameters, a rate of its own, weights, and every kind of default that a host has."""

    metadata = metadata_of(
        "Drive",
        short_description="Clips",
        tags=("distortion",),
        technical_links={"Code": "https://example.org"},
        wet_default=0.75,
        dry_default=0.25,
        input_gain_default_db=6.0,
        output_gain_default_db=-6.0,
    )
    parameters = (
        ContinuousParameter("drive", "Input gain", default=12.0, minimum=0.0, maximum=36.0, unit="dB"),
        CategoricalParameter("shape", "Curve", labels=("soft", "hard"), default="hard"),
    )
    sample_rates = (44100,)
    block_sizes = (128,)

    def __init__(self) -> None:
        super().__init__(nn.Conv1d(2, 2, 1, bias=False))
        with torch.no_grad():
            for weight in self.model.parameters():
                weight.copy_(torch.eye(2).unsqueeze(2))

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y = self.model(x * torch.pow(10.0, params["drive"] / 20.0))
        return torch.tanh(y) if float(params["shape"]) < 0.5 else torch.clamp(y, -1.0, 1.0)

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return 5


class Accumulator(WaveformToWaveformBase):
    """Adds up all it has heard: any state that is left over shows at once."""

    metadata = metadata_of("Accumulator")
    total: Tensor
    last: Tensor | None

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.total = torch.zeros(2, 1)
        self.last = None
        self.blocks = 0

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        y = self.total + torch.cumsum(x, 1)
        self.total = y[:, -1:]
        self.last = x
        self.blocks += 1
        return y

    @torch.jit.export
    def reset_model(self) -> None:
        self.total = torch.zeros(2, 1)
        self.last = None
        self.blocks = 0


class Encumbered(Identity):
    """Carries what can't be copied, and a tensor with a history."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
        self.weight = nn.Parameter(torch.ones(2, 1))
        self.derived = self.weight * 2.0


class Noise(Identity):
    """Draws random numbers."""

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x + torch.rand_like(x)


class Faded(Identity):
    """Uses an operator that has older versions, for which PyTorch lays its file out in another way."""

    metadata = metadata_of("Faded")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * torch.linspace(1.0, 0.5, x.size(1))
