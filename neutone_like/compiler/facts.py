"""Shapes and types of everything in a graph, as far as they depend on the block."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neutone_like.compiler.extent import Extent
from neutone_like.errors import CompileError
from neutone_like.graph import SAMPLES, Graph, WholeNumber, fit_whole_number, play_all


@dataclass(frozen=True)
class Shape:
    """Of a tensor of the graph.

    Attributes:
        dims: Its dimensions.
        dtype: PyTorch's type.
    """

    dims: tuple[Extent, ...]
    dtype: torch.dtype


def block_lengths(graph: Graph) -> tuple[int, ...]:
    """Lengths to look at a graph with: more than one where it takes more than one."""
    lengths = graph.lengths
    if not lengths.multiple_of:
        return (lengths.shortest,)
    least = max(lengths.shortest, 7, 3 * lengths.multiple_of)
    first = -(-least // lengths.multiple_of) * lengths.multiple_of
    return (first, first + lengths.multiple_of, 2 * first + 3 * lengths.multiple_of)


def example_blocks(graph: Graph, samples: int, seed: int = 3) -> list[Tensor]:
    """Noise for each input of the graph."""
    generator = torch.Generator().manual_seed(seed)
    shapes = [
        [each.evaluate({SAMPLES: samples}) if isinstance(each, WholeNumber) else each for each in given.shape]
        for given in graph.inputs
    ]
    return [0.1 + 0.5 * torch.rand(shape, generator=generator) for shape in shapes]


def shapes_of(graph: Graph) -> dict[str, Shape]:
    """The shape of each tensor by its name.

    Raises:
        CompileError: One depends on the block in no simple way.
    """
    lengths = block_lengths(graph)
    played = [play_all(graph, *example_blocks(graph, samples)) for samples in lengths]
    return {
        name: Shape(_fitted(name, [each[name].shape for each in played], lengths), value.dtype)
        for name, value in played[0].items()
        if isinstance(value, Tensor)
    }


def _fitted(name: str, shapes: Sequence[Sequence[int]], lengths: Sequence[int]) -> tuple[Extent, ...]:
    points = [{SAMPLES: samples} for samples in lengths]
    dims: list[Extent] = []
    for sizes in zip(*shapes, strict=True):
        number = fit_whole_number(sizes, points)
        if number is None:
            raise CompileError(f"A size of %{name} depends on the block in no simple way: {list(sizes)} at {lengths}.")
        dims.append(Extent.of(number))
    return tuple(dims)


def torch_value(value: Any, samples: int) -> Any:
    """A number of a graph for one block."""
    return value.evaluate({SAMPLES: samples}) if isinstance(value, WholeNumber) else value
