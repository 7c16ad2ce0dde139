"""Training that feels the rounding: weights are seen on their grid, and gradients pass as if nothing were rounded."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from neutone_like.errors import ModelError
from neutone_like.optimise.quantising.grid import Grid
from neutone_like.optimise.quantising.weights import Weight
from neutone_like.streaming import reset_streaming

FineTune = Callable[[Any], object]
"""Trains a model where it is."""


class _Straight(torch.autograd.Function):
    """The rounded weight itself forwards (weight + (rounded - weight) is another float32), the identity backwards."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, grid: Grid) -> Tensor:
        return grid.rounded(weight)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


class FakeQuantised(nn.Module):
    """A parametrization: the weight, on its grid. Bengio et al., "Estimating or propagating gradients", 2013."""

    def __init__(self, grid: Grid) -> None:
        super().__init__()
        self.grid = grid

    def forward(self, weight: Tensor) -> Tensor:
        """Of the same shape."""
        return _Straight.apply(weight, self.grid)  # pyright: ignore[reportReturnType]


def train_on_grids(model: nn.Module, weights: Sequence[Weight], grids: Mapping[str, Grid], fine_tune: FineTune) -> None:
    """Let a function train a model whose weights it sees rounded, and leave the rounded ones in their place.

    Raises:
        ModelError: A weight can't be trained so, is not finite afterwards, or the function took layers apart.
    """
    for weight in weights:
        if isinstance(weight.module, torch.jit.ScriptModule):
            raise ModelError(
                f"{weight.name} belongs to a TorchScript module, which can't be trained on rounded weights. Fine-tune "
                "the network that it was scripted from, or leave fine_tune out."
            )
    model.requires_grad_(True)
    for weight in weights:
        parametrize.register_parametrization(weight.module, weight.own_name, FakeQuantised(grids[weight.name]))
    try:
        with torch.enable_grad():
            fine_tune(model)
    finally:
        rounded = {weight.name: _folded(weight, grids[weight.name]) for weight in weights}
        model.requires_grad_(False)
        model.eval()
        reset_streaming(model)  # whose states are of what it trained on, and hold the graph of that
    for name, value in [*model.named_parameters(), *rounded.items()]:
        if not bool(torch.isfinite(value).all()):
            raise ModelError(
                f"{name} is not finite after fine_tune: the training diverged (a loss of NaN or infinity). Lower its "
                "learning rate, clip gradients, or leave silent sounds out of the loss. The model that was given is as "
                "it was."
            )


def _folded(weight: Weight, grid: Grid) -> Tensor:
    """The weight as a plain parameter again, with the values that the last forward pass would have seen."""
    module, name = weight.module, weight.own_name
    if not parametrize.is_parametrized(module, name):
        raise ModelError(f"fine_tune took the parametrization of {weight.name} away. Train weights, keep layers.")
    trained: Any = module.parametrizations
    expected = grid.rounded(trained[name].original.detach())
    parametrize.remove_parametrizations(module, name, leave_parametrized=True)
    value = getattr(module, name).detach()
    if bool(torch.isfinite(value).all()) and not torch.equal(value, expected):
        raise ModelError(f"{weight.name} changed while its rounding was made part of it. Please report this.")
    return value
