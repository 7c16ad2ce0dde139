"""Layers that round what they are given to 8 bits before they multiply it, and are ordinary ones otherwise.

A layer becomes one of these by its class alone, so that its weights, its name, and who asks for the class that it had
find what they look for. The operation is the one that PyTorch, exporters and the compiler know for this.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.optimise.quantising.grid import short_scale
from neutone_like.streaming import Conv1d, ConvTranspose1d

LOWEST, HIGHEST = -128, 127


@dataclass(frozen=True)
class InputGrid:
    """256 numbers, ``scale`` apart, of which one is 0: padding and silence stay what they are.

    Attributes:
        scale: Of 8 significant bits, so that times a whole number it is exact in float32.
        zero_point: The whole number from -128 to 127 that stands for 0.
    """

    scale: float
    zero_point: int

    @classmethod
    def of_range(cls, lowest: float, highest: float) -> "InputGrid":
        """That reaches from one number to another, and holds 0."""
        lowest, highest = min(lowest, 0.0), max(highest, 0.0)
        wanted = (highest - lowest) / (HIGHEST - LOWEST)
        scale = float(short_scale(torch.tensor(wanted)))
        if scale < wanted:  # the next of 8 significant bits
            scale += 2.0 ** (math.frexp(scale)[1] - 8)
        return cls(scale, max(LOWEST, min(HIGHEST, round(LOWEST - lowest / scale))))

    def beyond(self, x: Tensor) -> Tensor:
        """Which numbers are clipped: those farther than half a step outside."""
        whole = x / self.scale + self.zero_point
        return (whole < LOWEST - 0.5) | (whole > HIGHEST + 0.5)


def _renamed(forward: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The same function by the name that it has here: TorchScript takes its own, and there is one ``forward``."""
    made = FunctionType(forward.__code__, forward.__globals__, "of_rounded", forward.__defaults__)
    made.__annotations__ = forward.__annotations__
    return made


class RoundedConv1d(nn.Conv1d):
    """``torch.nn.Conv1d`` of rounded sound."""

    input_scale: float
    input_zero_point: int
    of_rounded = _renamed(nn.Conv1d.forward)

    def forward(self, input: Tensor) -> Tensor:
        x = torch.fake_quantize_per_tensor_affine(input, self.input_scale, self.input_zero_point, -128, 127)
        return self.of_rounded(x)


class RoundedConv2d(nn.Conv2d):
    """``torch.nn.Conv2d`` of rounded numbers."""

    input_scale: float
    input_zero_point: int
    of_rounded = _renamed(nn.Conv2d.forward)

    def forward(self, input: Tensor) -> Tensor:
        x = torch.fake_quantize_per_tensor_affine(input, self.input_scale, self.input_zero_point, -128, 127)
        return self.of_rounded(x)


class RoundedConvTranspose1d(nn.ConvTranspose1d):
    """``torch.nn.ConvTranspose1d`` of rounded sound."""

    input_scale: float
    input_zero_point: int
    of_rounded = _renamed(nn.ConvTranspose1d.forward)

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        x = torch.fake_quantize_per_tensor_affine(input, self.input_scale, self.input_zero_point, -128, 127)
        return self.of_rounded(x, output_size)


class RoundedLinear(nn.Linear):
    """``torch.nn.Linear`` of rounded numbers."""

    input_scale: float
    input_zero_point: int
    of_rounded = _renamed(nn.Linear.forward)

    def forward(self, input: Tensor) -> Tensor:
        x = torch.fake_quantize_per_tensor_affine(input, self.input_scale, self.input_zero_point, -128, 127)
        return self.of_rounded(x)


class RoundedStreamingConv1d(Conv1d):
    """``streaming.Conv1d`` of rounded sound, which is what it keeps of the past."""

    input_scale: float
    input_zero_point: int
    of_rounded = _renamed(Conv1d.forward)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.fake_quantize_per_tensor_affine(x, self.input_scale, self.input_zero_point, -128, 127)
        return self.of_rounded(x)


class RoundedStreamingConvTranspose1d(ConvTranspose1d):
    """``streaming.ConvTranspose1d`` of rounded sound."""

    input_scale: float
    input_zero_point: int
    of_rounded = _renamed(ConvTranspose1d.forward)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.fake_quantize_per_tensor_affine(x, self.input_scale, self.input_zero_point, -128, 127)
        return self.of_rounded(x)


_ROUNDED: dict[type, type] = {
    nn.Conv1d: RoundedConv1d,
    nn.Conv2d: RoundedConv2d,
    nn.ConvTranspose1d: RoundedConvTranspose1d,
    nn.Linear: RoundedLinear,
    Conv1d: RoundedStreamingConv1d,
    ConvTranspose1d: RoundedStreamingConvTranspose1d,
}
_PLAIN = {rounded: plain for plain, rounded in _ROUNDED.items()}


def can_round(module: nn.Module) -> bool:
    """Whether a layer is of a class that this knows, and not one that was made of it."""
    return type(module) in _ROUNDED


def rounds(module: nn.Module) -> bool:
    """Whether a layer rounds what it is given."""
    return type(module) in _PLAIN


def round_inputs(module: Any, grid: InputGrid) -> None:
    """Let a layer round what it is given from now on."""
    module.__class__ = _ROUNDED[type(module)]
    module.input_scale, module.input_zero_point = grid.scale, grid.zero_point


def leave_inputs(module: Any) -> None:
    """Let a layer take what it is given as it is again."""
    module.__class__ = _PLAIN[type(module)]
    del module.input_scale, module.input_zero_point
