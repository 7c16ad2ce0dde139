"""What each weight costs at each precision, and the choice with the fewest bits whose error is small enough."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from neutone_like.errors import ParameterError
from neutone_like.optimise.quantising.grid import BITS, Grid, Precision
from neutone_like.optimise.quantising.weights import Weight

LADDER: tuple[Precision, ...] = ("int4", "int8", "fp16", "float32")
"""From few bits to many."""

Errors = dict[str, dict[Precision, float]]
Measure = Callable[[], float]


@torch.no_grad()
def round_weights(weights: Sequence[Weight], grids: Mapping[str, Grid]) -> None:
    """Put the nearest numbers on their grids in the place of weights."""
    for weight in weights:
        weight.value.copy_(grids[weight.name].rounded(weight.value))


@torch.no_grad()
def put_back(parameters: Iterable[Tensor], values: Sequence[Tensor]) -> None:
    """Give parameters these values."""
    for parameter, value in zip(parameters, values, strict=True):
        parameter.copy_(value)


@contextmanager
def rounded(weights: Sequence[Weight], precisions: Mapping[str, Precision], group_size: int | None) -> Iterator[None]:
    """Weights on their grids for as long as this lasts."""
    values = [weight.value for weight in weights]
    kept = [each.detach().clone() for each in values]
    round_weights(weights, {each.name: each.grid(precisions[each.name], group_size) for each in weights})
    try:
        yield
    finally:
        put_back(values, kept)


def errors_alone(weights: Sequence[Weight], group_size: int | None, measure: Measure) -> Errors:
    """The error of the whole model where only one weight is rounded, for each weight and precision below float32."""
    found: Errors = {}
    for weight in weights:
        found[weight.name] = {"float32": 0.0}
        for precision in LADDER[:-1]:
            with rounded([weight], {weight.name: precision}, group_size):
                found[weight.name][precision] = measure()
    return found


def fewest_bits(
    weights: Sequence[Weight], errors: Errors, group_size: int | None, limit: float, measure: Measure
) -> dict[str, Precision]:
    """Begin with the fewest bits, and give more to the weight whose error falls most for each bit, until it is enough.

    The sum of what weights cost alone is what is expected of them together; what counts is measured.

    Raises:
        ParameterError: Only float32 would be good enough.
    """
    chosen: dict[str, Precision] = {weight.name: LADDER[0] for weight in weights}
    measured = float("inf")
    while any(precision != "float32" for precision in chosen.values()):
        if sum(errors[name][precision] for name, precision in chosen.items()) <= limit:
            with rounded(weights, chosen, group_size):
                measured = measure()
            if measured <= limit:
                return chosen
        name, precision = max(_steps_up(weights, chosen, errors), key=lambda step: step[2])[:2]
        chosen[name] = precision
    raise ParameterError(
        f"error_limit={limit:g}: no weight can be quantised for so little; the last try gave {measured:.3g}. Allow "
        "more, or keep the model as it is."
    )


def _steps_up(
    weights: Sequence[Weight], chosen: Mapping[str, Precision], errors: Errors
) -> Iterator[tuple[str, Precision, float]]:
    for weight in weights:
        now = chosen[weight.name]
        for above in LADDER[LADDER.index(now) + 1 :]:
            bits = weight.value.numel() * (BITS[above] - BITS[now])
            gained = errors[weight.name][now] - errors[weight.name][above]
            yield weight.name, above, max(gained, 1e-30 * (1 + weight.value.numel())) / bits
