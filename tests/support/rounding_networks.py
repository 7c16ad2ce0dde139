"""Networks whose layers round what they are given, and the noise whose ranges they take."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neutone_like import ModelMetadata, WaveformToWaveformBase
from neutone_like.optimise import QuantiseResult, quantise
from neutone_like.streaming import Conv1d

RATE = 48000
SOUND = (0.2 * np.random.default_rng(0).standard_normal((1, 4096))).astype(np.float32)


class Stack(nn.Module):
    """Streams: convolutions of ``[1, channels, N]``, whose first one is too small to be quantised."""

    def __init__(self, width: int = 8, layers: int = 2) -> None:
        super().__init__()
        self.first = Conv1d(1, width, 1)
        self.convs = nn.ModuleList(Conv1d(width, width, 3, dilation=2**at) for at in range(layers))
        self.last = Conv1d(width, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.tanh(self.first(x))
        for conv in self.convs:
            y = y + torch.tanh(conv(y))
        return self.last(y)


class Live(WaveformToWaveformBase):
    metadata = ModelMetadata(name="Live", authors=("Ada",), version="1.0.0")
    in_channels = 1
    out_channels = 1
    sample_rates = (RATE,)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x.unsqueeze(0)).squeeze(0)


def seeded(make: Callable[[], Any], seed: int = 0) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make().eval()


def live(width: int = 8, layers: int = 2) -> Live:
    return seeded(lambda: Live(Stack(width, layers)))


def quantised(model: nn.Module, weights: Any = "int8", **more: Any) -> QuantiseResult:
    given: dict[str, Any] = {"audio": SOUND, "sample_rate": RATE, "activations": "int8", "measure": False, **more}
    return quantise(model, weights, **given)
