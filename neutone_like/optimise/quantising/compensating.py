"""Rounding whose errors cancel in what is heard: each weight's is made up for by those that are rounded after it.

What counts is the error of a product with inputs that belong together, and not that of each weight. B. Hassibi and
D. Stork, "Second order derivatives for network pruning", 1993; E. Frantar et al., "GPTQ", 2023.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from neutone_like.optimise.quantising.biases import biases_of, round_biases
from neutone_like.optimise.quantising.grid import Grid, short_scale
from neutone_like.optimise.quantising.moments import Moments, heard_moments
from neutone_like.optimise.quantising.sensitivity import put_back, round_weights
from neutone_like.optimise.quantising.weights import Weight

DAMPINGS = (1e-2, 1e-4, 1e-6)
"""Of the mean energy of an input, added to each: how far audio that was not heard may differ from what was."""
REACHES = (0.9, 0.925, 0.95, 0.975, 1.0, 1.025, 1.05, 1.075, 1.1)
"""Of the scale that the nearest numbers have."""
_AT_ONCE = 32  # inputs whose errors the rest takes up in one product, which is many times as fast for wide weights
_LEAST_DAMPING = 1e-9  # of the energy with the mean: inputs that hardly move


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
    biases = biases_of(weights)
    values = [*(each.value for each in weights), *biases.values()]
    given = _copies(values)
    round_weights(weights, grids)
    round_biases(weights)
    nearest, best, least = _copies(values), _copies(values), error()
    for damping in DAMPINGS if moments else ():
        put_back(values, given)
        made = [_made_up_for(each, grids[each.name], moments.get(each.name), damping, biases) for each in weights]
        round_biases(weights)
        for weight, one, other in zip(weights, made, nearest, strict=False):
            weight.value.copy_(other if one is None else one)
        found = error()
        if found < least:
            best, least = _copies(values), found
    put_back(values, best)


def _made_up_for(
    weight: Weight, grid: Grid, heard: Moments | None, damping: float, biases: Mapping[str, Tensor]
) -> Tensor | None:
    """A weight on its grid; what that leaves on average goes into its bias."""
    bias = biases.get(weight.name)
    made = None if heard is None else compensated(weight.value, grid, heard, damping, to_bias=bias is not None)
    if made is not None and heard is not None and bias is not None:
        bias += left_on_average(weight.value - made, grid, heard)
    return made


def _copies(values: Sequence[Tensor]) -> list[Tensor]:
    return [each.detach().clone() for each in values]


def compensated(weight: Tensor, grid: Grid, heard: Moments, damping: float, *, to_bias: bool) -> Tensor | None:
    """A weight on its grid; ``None``: half precision, or inputs of which nothing was heard.

    Args:
        weight: Float32.
        grid: Of it.
        heard: Of its inputs.
        damping: Of their mean energy, added to each.
        to_bias: Whether what is wrong on average costs nothing, since a bias takes it up.
    """
    steps = grid.steps(weight)
    if steps is None or not bool(heard.products.isfinite().all()):
        return None
    moments = heard.around_means() if to_bias else heard.products
    rows, scales = (each.movedim(grid.channel_dim, 0).flatten(1).double() for each in (weight, steps))
    made: list[Tensor] = []
    parts = (moments, heard.products, rows.chunk(len(moments)), scales.chunk(len(moments)))
    for own, whole, part, step in zip(*parts, strict=True):
        energy = float(whole.diagonal().mean())
        if not energy > 0.0:
            return None
        least = damping * max(0.0, float(own.diagonal().mean())) + _LEAST_DAMPING * energy
        made.append(_rounded(part, step, grid.levels(), own + least * torch.eye(len(own)).double()))
    whole = torch.cat(made).float()
    return whole.reshape(weight.movedim(grid.channel_dim, 0).shape).movedim(0, grid.channel_dim).contiguous()


def left_on_average(apart: Tensor, grid: Grid, heard: Moments) -> Tensor:
    """By which the outputs of a layer fall short, whose weight lacks so much: a number for each, float32."""
    parts = apart.movedim(grid.channel_dim, 0).flatten(1).double().chunk(len(heard.means))
    return torch.cat([part @ mean for part, mean in zip(parts, heard.means, strict=True)]).float()


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
