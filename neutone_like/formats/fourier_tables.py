"""Fourier transforms as products with tables: how exactly an engine transforms differs, how it multiplies does not."""

import math

import torch
from torch import Tensor

from neutone_like.graph import Graph

LONGEST = 4096
"""Points of the longest transform: its tables take 64 MB."""
_TRANSFORMS = ("aten::_fft_", "aten::fft_", "aten::stft", "aten::istft")


def notes_of(graph: Graph) -> dict[str, str]:
    """For the sidecar of a file in which these tables are, in a model with Fourier transforms; else nothing."""
    has_some = any(each.op.startswith(_TRANSFORMS) for each in graph.nodes)
    return {"fourier_transforms": "products with tables"} if has_some else {}


def cosines(points: int, bins: int) -> Tensor:
    """``[points, bins]`` in float64, exact: whole turns are taken away before they are rounded."""
    return _exact_zeros(_angles(points, bins).cos())


def sines(points: int, bins: int) -> Tensor:
    """The same. Those of half turns are 0, so that the highest bin is real, and its phase is not that of a rounding."""
    return _exact_zeros(_angles(points, bins).sin())


def _angles(points: int, bins: int) -> Tensor:
    products = torch.outer(torch.arange(points), torch.arange(bins)) % points
    return products.double() * (2.0 * math.pi / points)


def _exact_zeros(table: Tensor) -> Tensor:
    return torch.where(table.abs() < 1e-12, 0.0, table)  # the next one is 2 pi / LONGEST


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
