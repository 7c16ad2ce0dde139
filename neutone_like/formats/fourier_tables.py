"""Fourier transforms as products with tables: how exactly an engine transforms differs, how it multiplies does not."""

import math

import torch
from torch import Tensor

LONGEST = 4096
"""Points of the longest transform: its tables take 64 MB."""


def angles(points: int, bins: int) -> Tensor:
    """``[points, bins]`` in float64, exact: whole turns are taken away before they are rounded."""
    products = torch.outer(torch.arange(points), torch.arange(bins)) % points
    return products.double() * (2.0 * math.pi / points)


def scale(normalization: int, points: int) -> float:
    """PyTorch's numbers: none, by the root, by the number of points."""
    return (1.0, points**-0.5, 1.0 / points)[normalization]


def weights_of_bins(points: int, bins: int) -> Tensor:
    """``[bins, 1]``: how often each bin of a one-sided spectrum is there, for so many points."""
    twice = torch.full((bins, 1), 2.0, dtype=torch.float64)
    twice[0] = 1.0
    if points % 2 == 0 and bins == points // 2 + 1:
        twice[-1] = 1.0
    return twice
