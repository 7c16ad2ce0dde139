"""Rounding whose errors cancel in what is heard: each weight's is made up for by those that are rounded after it.

What counts is the error of a product with inputs that belong together, and not that of each weight. B. Hassibi and
D. Stork, "Second order derivatives for network pruning", 1993; E. Frantar et al., "GPTQ", 2023.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from neutone_like.optimise.quantising.grid import Grid, short_scale
from neutone_like.optimise.quantising.moments import heard_moments
from neutone_like.optimise.quantising.sensitivity import put_back, round_weights
from neutone_like.optimise.quantising.weights import Weight

DAMPINGS = (1e-2, 1e-4, 1e-6)
"""Of the mean energy of an input, added to each: how far audio that was not heard may differ from what was."""
REACHES = (0.9, 0.925, 0.95, 0.975, 1.0, 1.025, 1.05, 1.075, 1.1)
"""Of the scale that the nearest numbers have."""
_AT_ONCE = 32  # inputs whose errors the rest takes up in one product, which is many times as fast for wide weights


@torch.no_grad()
def round_by_ear(
    weights: Sequence[Weight],
    grids: Mapping[str, Grid],
    play: Callable[[], object],
    error: Callable[[], float],
) -> None:
    """Put weights on their grids: the nearest, or with errors made up for, whichever is nearer in what is heard.

    Args:
        weights: Of the model that is played; float32.
        grids: Of each by name.
        play: Plays the model on the calibration audio.
        error: How far what it plays is from the original.
    """
    with heard_moments(weights) as moments:
        play()
    given = [each.value.detach().clone() for each in weights]
    round_weights(weights, grids)
    best, least = [each.value.detach().clone() for each in weights], error()
    for damping in DAMPINGS if moments else ():
        for weight, value, nearest in zip(weights, given, best, strict=True):
            heard = moments.get(weight.name)
            made = None if heard is None else compensated(value, grids[weight.name], heard, damping)
            weight.value.copy_(nearest if made is None else made)
        found = error()
        if found < least:
            best, least = [each.value.detach().clone() for each in weights], found
    put_back(weights, best)


def compensated(weight: Tensor, grid: Grid, moments: Tensor, damping: float) -> Tensor | None:
    """A weight on its grid; ``None``: half precision, or inputs of which nothing was heard.

    Args:
        weight: Float32.
        grid: Of it.
        moments: ``[groups, inputs, inputs]``: the mean of products of its inputs.
        damping: Of their mean energy, added to each.
    """
    steps = grid.steps(weight)
    if steps is None or not bool(moments.isfinite().all()):
        return None
    rows, scales = (each.movedim(grid.channel_dim, 0).flatten(1).double() for each in (weight, steps))
    made: list[Tensor] = []
    for heard, own, step in zip(moments, rows.chunk(len(moments)), scales.chunk(len(moments)), strict=True):
        energy = float(heard.diagonal().mean())
        if not energy > 0.0:
            return None
        made.append(_rounded(own, step, grid.levels(), heard + damping * energy * torch.eye(len(heard)).double()))
    whole = torch.cat(made).float()
    return whole.reshape(weight.movedim(grid.channel_dim, 0).shape).movedim(0, grid.channel_dim).contiguous()


def _rounded(rows: Tensor, steps: Tensor, levels: tuple[int, int], moments: Tensor) -> Tensor:
    """``[outputs, inputs]``: of scales that are a little finer or wider, for each output that which errs least."""
    tried = [short_scale(reach * steps.float()).double() for reach in REACHES]
    made = rounded_in_order(rows.repeat(len(tried), 1), torch.cat(tried), levels, moments).reshape(
        len(tried), *rows.shape
    )
    apart = made - rows
    best = torch.einsum("tri,ij,trj->tr", apart, moments, apart).argmin(0)
    return made[best, torch.arange(len(rows))]


def rounded_in_order(rows: Tensor, steps: Tensor, levels: tuple[int, int], moments: Tensor) -> Tensor:
    """Input by input, the loudest first; what each leaves is taken up by those that follow."""
    order = moments.diagonal().argsort(descending=True)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(moments[order][:, order]))
    factor = torch.linalg.cholesky(inverse, upper=True)
    left, steps = (each[:, order].T.contiguous() for each in (rows, steps))
    for start in range(0, len(left), _AT_ONCE):
        end = min(start + _AT_ONCE, len(left))
        errors = torch.zeros_like(left[start:end])
        for at in range(start, end):
            made = torch.clamp(torch.round(left[at] / steps[at]), *levels) * steps[at]
            errors[at - start] = (left[at] - made) / factor[at, at]
            left[at:end] -= factor[at, at:end, None] * errors[at - start]
            left[at] = made
        left[end:] -= factor[start:end, end:].T @ errors
    return left[order.argsort()].T
