"""What a network is called with while it is looked at: the example, and blocks like it of any length."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from neutone_like.arguments import require_kind
from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import CaptureError
from neutone_like.numbers import whole_number

_TENSOR = object()


@dataclass(frozen=True)
class Example:
    """A call of a network, taken apart.

    Attributes:
        tensors: Its tensors, by the names of ``forward``'s arguments.
        varying: The names of those whose last dimension grows with the block.
        form: How they, and what else there is, make up the arguments.
        leaves: The arguments' parts, with a mark in the place of each tensor.
        names: Of all parts.
    """

    tensors: Mapping[str, Tensor]
    varying: frozenset[str]
    form: Any
    leaves: tuple[Any, ...]
    names: tuple[str, ...]

    @property
    def fixed(self) -> dict[str, Any]:
        """The parts that are not tensors, by name."""
        return {name: each for name, each in zip(self.names, self.leaves, strict=True) if each is not _TENSOR}

    @property
    def samples(self) -> int:
        """The length of its block: the last dimension of the first tensor."""
        return next(iter(self.tensors.values())).shape[-1]

    def call(self, network: nn.Module, tensors: Sequence[Tensor]) -> Any:
        """``network(...)`` with these tensors in the places of the example's.

        Raises:
            CaptureError: ``network`` is nothing to call, or there is another number of tensors.
        """
        if not callable(network) or not isinstance(tensors, Sequence) or len(tensors) != len(self.tensors):
            raise CaptureError(
                f"Expected a network to call and a list of {len(self.tensors)} tensors, got {network!r:.100} and "
                f"{tensors!r:.100}."
            )
        given = iter(tensors)
        leaves = [next(given) if each is _TENSOR else each for each in self.leaves]
        arguments, named = pytree.tree_unflatten(leaves, self.form)
        return network(*arguments, **named)

    def block(self, samples: int, generator: torch.Generator) -> dict[str, Tensor]:
        """Tensors like the example's for another length, with other values of about the same size.

        Raises:
            CaptureError: ``samples`` is no length in 0..2**31, or what draws the values is no ``torch.Generator``.
        """
        samples = whole_number(samples, "samples", 0, 1 << 31, error=CaptureError)
        require_kind(generator, torch.Generator, CaptureError)
        more = samples - self.samples
        return {
            name: _like(value, value.shape[-1] + more if name in self.varying else None, generator)
            for name, value in self.tensors.items()
        }


@checked_arguments(CaptureError)
def take_apart(network: nn.Module, arguments: Sequence[Any], named: Mapping[str, Any]) -> Example:
    """The :class:`Example` of ``network(*arguments, **named)``.

    Raises:
        CaptureError: It does not begin with a tensor that has a time axis.
    """
    leaves, form = pytree.tree_flatten((tuple(arguments), dict(named)))
    names = _names(network, arguments, named)
    tensors = {name: each for name, each in zip(names, leaves, strict=True) if isinstance(each, Tensor)}
    first = next(iter(tensors.values()), None)
    if first is None or first.dim() == 0 or first.shape[-1] == 0:
        came = "no tensor" if first is None else f"a tensor of shape {list(first.shape)}"
        raise CaptureError(
            f"The example's first tensor must be a block of sound or frames whose last dimension is time, got {came}."
        )
    samples = first.shape[-1]
    varying = {
        name for name, each in tensors.items() if each is first or (each.dim() and each.shape[-1] == samples > 1)
    }
    marked = tuple(_TENSOR if isinstance(each, Tensor) else each for each in leaves)
    return Example(tensors, frozenset(varying), form, marked, tuple(names))


def _names(network: nn.Module, arguments: Sequence[Any], named: Mapping[str, Any]) -> list[str]:
    """A name for each leaf, in the order in which they are flattened."""
    try:
        bound = inspect.signature(network.forward).bind(*arguments, **named)
        heads = list(bound.arguments)[: len(arguments)]
    except (TypeError, ValueError):  # *args, or a forward that is not Python's
        heads = []
    heads += [f"x{index}" for index in range(len(heads), len(arguments))]
    names: list[str] = []
    for head, value in [*zip(heads, arguments, strict=True), *named.items()]:
        count = len(pytree.tree_leaves(value))
        plain = not isinstance(value, (list, tuple, dict))
        names += [head] if plain and count == 1 else [f"{head}_{index}" for index in range(count)]
    return names


def _like(value: Tensor, length: int | None, generator: torch.Generator) -> Tensor:
    if length is not None:
        repeats = [1] * (value.dim() - 1) + [-(-length // value.shape[-1])]
        value = value.repeat(repeats)[..., :length]
        value = value.roll(int(torch.randint(max(1, length), (1,), generator=generator)), -1)
    value = value.detach().clone()
    if not value.is_floating_point():
        return value
    scale = 0.5 + 0.5 * torch.rand(value.shape, generator=generator, dtype=value.dtype)
    return value * scale if value.any() else 0.1 * (scale - 0.75)
