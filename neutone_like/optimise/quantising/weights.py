"""Which weights of a network are quantised, and how each is named and shaped."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, cast

import torch
from torch import Tensor, nn

from neutone_like.compiler.weight_grids import find_grid
from neutone_like.errors import ModelError, ParameterError
from neutone_like.optimise.programs import programs_in
from neutone_like.optimise.quantising.grid import LEAST_GROUP, PRECISIONS, Grid, Precision
from neutone_like.streaming import ConvTranspose1d

LEAST_NUMBERS = 64
"""A smaller weight stays float32: it has few bytes, and is often the last one, whose error is heard as it is."""
_OF_BITS: dict[int, Precision] = {4: "int4", 8: "int8", 16: "fp16"}
_INPUTS_FIRST = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d, ConvTranspose1d)


@dataclass(frozen=True)
class Weight:
    """One weight of a network.

    Attributes:
        name: As ``named_parameters`` has it.
        module: That it belongs to.
        own_name: Its name there.
        value: The parameter.
    """

    name: str
    module: nn.Module
    own_name: str
    value: Tensor

    @property
    def channel_dim(self) -> int:
        """Its dimension of output channels."""
        return 1 if isinstance(self.module, _INPUTS_FIRST) else 0

    def grid(self, precision: Precision, group_size: int | None) -> Grid:
        """The numbers that it may have in this precision."""
        return Grid(precision, self.channel_dim, group_size if precision in ("int8", "int4") else None)


def weights_of(model: nn.Module) -> list[Weight]:
    """All float32 parameters of two dimensions or more with 64 numbers or more, 4 or more for each output channel.

    Raises:
        ModelError: There is none.
    """
    found = list(_weights(model))
    if not found and (programs := programs_in(model)):
        raise ModelError(
            f"{type(model).__name__} has nothing to quantise: {', '.join(map(repr, programs[:3]))} is TorchScript, as "
            "to_streaming makes it, whose weights are no parameters. Quantise the network that it was made of, and "
            "convert what comes out: to_streaming(quantise(network).model, example)."
        )
    if not found:
        raise ModelError(
            f"{type(model).__name__} has nothing to quantise: expected a float32 parameter of two dimensions or more "
            f"with at least {LEAST_NUMBERS} numbers, {LEAST_GROUP} of them for each output channel; {_largest(model)}. "
            "Weights that are buffers or plain tensors become parameters by nn.Parameter."
        )
    return found


def _largest(model: nn.Module) -> str:
    named = max(nn.Module.named_parameters(model), key=lambda each: each[1].numel(), default=None)
    return "it has no parameters" if named is None else f"its largest is {named[0]}, {list(named[1].shape)}"


def _weights(model: nn.Module) -> Iterator[Weight]:
    seen: set[int] = set()
    for path, module in model.named_modules():
        for own_name, value in module.named_parameters(path, recurse=False):
            weight = Weight(own_name, module, own_name.rpartition(".")[2], value)
            if id(value) not in seen and _is_large(weight):
                seen.add(id(value))
                yield weight


def _is_large(weight: Weight) -> bool:
    value = weight.value
    if value.dtype != torch.float32 or value.dim() < 2 or value.numel() < LEAST_NUMBERS:
        return False
    return value.numel() >= LEAST_GROUP * value.shape[weight.channel_dim]


def require_float_weights(weights: list[Weight], precisions: list[Precision]) -> None:
    """Refuse weights that have few values already, or none that can be rounded.

    Raises:
        ModelError: Names one.
    """
    for weight, precision in zip(weights, precisions, strict=True):
        if precision == "float32":
            continue
        if not bool(torch.isfinite(weight.value).all()):
            raise ModelError(f"{weight.name} holds NaN or infinity, which no number is near. Repair the model first.")
        if (found := precision_of(weight)) is not None and (found != "fp16" or precision == "fp16"):
            raise ModelError(
                f"{weight.name} is quantised already, to {found}: its values lie on such a grid. Quantise the model "
                'that it was made from, or leave this weight as it is: layers={"' + weight.name + '": "float32"}.'
            )


def precision_of(weight: Weight) -> Precision | None:
    """What a weight was quantised to; ``None``: it is float32, or all zeros."""
    value = weight.value.detach()
    if not bool(value.any()):
        return None
    inputs = max((dim for dim in range(value.dim()) if dim != weight.channel_dim), key=lambda dim: value.shape[dim])
    by_channel = value.movedim(weight.channel_dim, 0).flatten(1)
    for rows in (by_channel, value.movedim(inputs, -1).flatten(0, -2)):
        if rows.shape[1] >= LEAST_GROUP and (found := find_grid(rows.double().numpy()[:, :, None])) is not None:
            return _OF_BITS[found.bits]
    return None


def chosen_precisions(
    weights: list[Weight], usual: Precision, layers: Mapping[str, Any] | None
) -> dict[str, Precision]:
    """The precision of each weight by name: the usual one, but for those that ``layers`` names.

    Args:
        weights: All there are.
        usual: Of those that are not named.
        layers: Patterns of names, of weights or of their modules, and a precision each; the last that fits counts.

    Raises:
        ParameterError: A pattern fits none, or has an unknown precision.
    """
    chosen: dict[str, Precision] = {weight.name: usual for weight in weights}
    for pattern, precision in (layers or {}).items():
        if precision not in PRECISIONS:
            raise ParameterError(f"layers[{pattern!r}]: expected one of {list(PRECISIONS)}, got {precision!r}.")
        named = [each.name for each in weights if _fits(each.name, pattern)]
        if not named:
            raise ParameterError(
                f"layers: {pattern!r} fits no weight; the model has {[weight.name for weight in weights]}."
            )
        chosen.update(dict.fromkeys(named, cast("Precision", precision)))
    return chosen


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or fnmatchcase(name.rpartition(".")[0], pattern)
