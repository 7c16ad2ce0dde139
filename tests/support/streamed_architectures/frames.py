"""Ordinary layers that take channels last, at every sample or frame by itself."""

from torch import Tensor, nn


class EachFrame(nn.Module):
    """Layers over ``[..., channels]`` for ``[batch, channels, samples]``."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.transpose(1, 2)).transpose(1, 2)
