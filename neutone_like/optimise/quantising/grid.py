"""The numbers that a weight may have: multiples of a scale for each channel or group, or half-precision numbers."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

Precision = Literal["float32", "fp16", "int8", "int4"]
PRECISIONS: tuple[str, ...] = get_args(Precision)
BITS = {"float32": 32, "fp16": 16, "int8": 8, "int4": 4}
SCALE_BITS = 16
LEAST_GROUP = 4
_INT8_MOST = 127
_INT4_LEVELS = (-8, 7)
# Of a group's largest value: how far the grid reaches. Clipping one value often serves the seven others.
_INT4_REACHES = (1.0, 0.94, 0.88, 0.82, 0.76, 0.7)


@dataclass(frozen=True)
class Grid:
    """Which numbers a weight may have.

    A scale has the 8 significant bits of a bfloat16, so that scale times integer is exact in float32: the rounded
    weight is itself, wherever it is multiplied out. ``int4`` counts from -8 to 7, and its scales have a sign.

    Attributes:
        precision: Of what is stored.
        channel_dim: The weight's dimension of output channels, each of which has a scale (``int8``, ``int4``).
        group_size: So many weights along the inputs have a scale of their own; ``None``: all of a channel.
    """

    precision: Precision
    channel_dim: int = 0
    group_size: int | None = None

    def rounded(self, weight: Tensor) -> Tensor:
        """The nearest weight on the grid, float32, of the same shape."""
        if self.precision == "float32":
            return weight
        if self.precision == "fp16":
            return weight.to(torch.float16).to(weight.dtype)
        blocks = self._blocks(weight)
        return self._unblocked(_on_grid(blocks, self._scales(blocks), self.levels()), weight)

    def steps(self, weight: Tensor) -> Tensor | None:
        """The scale of each number of a weight, of its shape; ``None``: it has none."""
        if self.precision not in ("int8", "int4"):
            return None
        blocks = self._blocks(weight)
        return self._unblocked(self._scales(blocks).expand_as(blocks).contiguous(), weight)

    def levels(self) -> tuple[int, int]:
        """The lowest and the highest multiple of a scale."""
        return (-_INT8_MOST, _INT8_MOST) if self.precision == "int8" else _INT4_LEVELS

    def stored_bits(self, weight: Tensor) -> int:
        """Of the numbers and their scales."""
        bits = weight.numel() * BITS[self.precision]
        if self.precision in ("int8", "int4"):
            bits += SCALE_BITS * self._blocks(weight).shape[0]
        return bits

    def _scales(self, blocks: Tensor) -> Tensor:
        return _int8_scales(blocks) if self.precision == "int8" else _int4_scales(blocks)

    def _group(self, weight: Tensor) -> tuple[int, int] | None:
        """The dimension that groups run along, and their size; ``None``: a scale for each channel."""
        others = [dim for dim in range(weight.dim()) if dim != self.channel_dim]
        inputs = max(others, key=lambda dim: weight.shape[dim])
        if self.group_size is None or weight.shape[inputs] < LEAST_GROUP:
            return None
        return inputs, self.group_size

    def _blocks(self, weight: Tensor) -> Tensor:
        """What shares a scale, a row each; a last group that is shorter ends in zeros."""
        group = self._group(weight)
        if group is None:
            return weight.movedim(self.channel_dim, 0).flatten(1)
        dim, size = group
        moved = weight.movedim(dim, -1)
        missing = -moved.shape[-1] % size
        return torch.nn.functional.pad(moved, (0, missing)).reshape(-1, size)

    def _unblocked(self, blocks: Tensor, weight: Tensor) -> Tensor:
        group = self._group(weight)
        if group is None:
            shape = weight.movedim(self.channel_dim, 0).shape
            return blocks.reshape(shape).movedim(0, self.channel_dim).contiguous()
        dim, _ = group
        shape = weight.movedim(dim, -1).shape
        rows = blocks.reshape(*shape[:-1], -1)[..., : shape[-1]]
        return rows.movedim(-1, dim).contiguous()


def _int8_scales(blocks: Tensor) -> Tensor:
    return short_scale(blocks.abs().amax(1, keepdim=True) / _INT8_MOST)


def _int4_scales(blocks: Tensor) -> Tensor:
    """For each row the scale of least squared error: of several reaches, its largest value at -8 or at 7."""
    largest = blocks.gather(1, blocks.abs().argmax(1, keepdim=True))
    low, high = _INT4_LEVELS
    tried = [short_scale(reach * largest / level) for reach in _INT4_REACHES for level in (low, high)]
    errors = [(_on_grid(blocks, each, _INT4_LEVELS) - blocks).square().sum(1) for each in tried]
    best = torch.stack(errors).argmin(0)
    return torch.stack(tried).squeeze(-1).gather(0, best[None]).T


def short_scale(wanted: Tensor) -> Tensor:
    """The nearest number of 8 significant bits; a row of zeros has any."""
    rounded = wanted.to(torch.bfloat16).to(torch.float32)
    return torch.where(rounded == 0.0, torch.ones_like(rounded), rounded)


def _on_grid(blocks: Tensor, scales: Tensor, levels: tuple[int, int]) -> Tensor:
    return torch.clamp(torch.round(blocks / scales), *levels) * scales
