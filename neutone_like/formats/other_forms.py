"""Operations in other forms that give the same, for converters that have no form of their own, or a wrong one."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.graph import Node

_POWERS: dict[float, Callable[[Tensor], Tensor]] = {
    -1.0: torch.reciprocal,
    -0.5: torch.rsqrt,
    0.5: torch.sqrt,
    2.0: lambda x: x * x,
    3.0: lambda x: x * x * x,
}


def other_form(node: Node) -> Callable[..., Tensor] | None:
    """To call in the place of a node's operation on real tensors; None: the operation itself will do."""
    return _FORMS.get(node.op.removeprefix("aten::"))


def _padded_before(
    x: Tensor, kernel_size: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Tensor:
    """``max_pool2d``, padded by itself: LiteRT's converter pads both dimensions where one should be."""
    rows, columns = (padding * 2)[:2] if isinstance(padding, (list, tuple)) else (padding, padding)
    if bool(rows) != bool(columns) and not ceil_mode:
        padding = 0
        x = nn.functional.pad(x, (columns, columns, rows, rows), value=float("-inf"))
    return nn.functional.max_pool2d(x, kernel_size, stride or None, padding, dilation, ceil_mode)


def _of_each(value: int | Sequence[int], dims: int) -> list[int]:
    return [value] * dims if isinstance(value, int) else ([*value] * dims)[:dims]


def _cut_afterwards(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Transposed convolutions without padding, whose results are cut instead: LiteRT's converter writes no others."""
    dims = weight.dim() - 2
    convolve = nn.functional.conv_transpose1d if dims == 1 else nn.functional.conv_transpose2d
    cut, kept = (_of_each(each, dims) for each in (padding, output_padding))
    if not any(cut) or any(more > less for less, more in zip(cut, kept, strict=True)):
        return convolve(x, weight, bias, stride, padding, output_padding, groups, dilation)
    found = convolve(x, weight, bias, stride, 0, 0, groups, dilation)
    for each in range(dims):
        dim = each - dims
        found = found.narrow(dim, cut[each], found.size(dim) - 2 * cut[each] + kept[each])
    return found


def _power(x: Tensor, exponent: float) -> Tensor:
    """The usual ones as PyTorch itself calculates them: LiteRT's power takes four dimensions at most."""
    usual = _POWERS.get(exponent)
    return torch.pow(x, exponent) if usual is None else usual(x)


def _half_turns(x: Tensor) -> Tensor:
    """``angle`` of real numbers."""
    return torch.where(x < 0, math.pi, torch.where(x >= 0, 0.0, x))


_FORMS: dict[str, Callable[..., Tensor]] = {
    "angle.default": _half_turns,
    "conv_transpose1d.default": _cut_afterwards,
    "conv_transpose2d.input": _cut_afterwards,
    "max_pool2d.default": _padded_before,
    "pow.Tensor_Scalar": _power,
    "square.default": lambda x: x * x,  # which PyTorch hands to converters as a power
}
