"""The shapes of a network's tensors as they depend on the length of the signal, found by running it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from neutone_like.errors import ModelError
from neutone_like.graph import SAMPLES, Graph, WholeNumber, fit_whole_number, play_all

_SEED = 7


@dataclass(frozen=True)
class Measured:
    """One tensor.

    Attributes:
        shape: For the example; at time axes what they have there.
        rates: Of the time axes, by axis: samples for each input sample.
        example: Its value for the example.
        depends_on_length: It has no time axis, and has other values for another length.
    """

    shape: tuple[int, ...]
    rates: Mapping[int, Fraction]
    example: Tensor
    depends_on_length: bool


def measure(graph: Graph, example: Tensor, conditions: Sequence[Tensor] = ()) -> dict[str, list[Measured]]:
    """Every node's results, by its name; a list, for operations that have several.

    Raises:
        ModelError: A length is no multiple of the signal's plus a number, or the graph takes one length alone.
    """
    if graph.lengths.multiple_of == 0:
        raise ModelError(
            f"The network works on signals of {graph.lengths} alone, so it can't be cut into blocks. Longer ones were "
            f"tried: {graph.lengths.reason} Give an example whose length is a multiple of all strides together, take "
            "lengths from x.shape, not as numbers, and let no loop of Python's go through the samples."
        )
    lengths = [factor * example.shape[-1] for factor in (1, 2, 3)]
    runs: list[dict[str, Any]] = []
    for samples in lengths:
        torch.manual_seed(_SEED)
        signal = example.repeat([1] * (example.dim() - 1) + [samples // example.shape[-1]])
        runs.append(play_all(graph, signal, *conditions))
    names = [each.name for each in (*graph.inputs, *graph.nodes)]
    points = [{SAMPLES: samples} for samples in lengths]
    return {name: _measured([_tensors(run[name]) for run in runs], points, name) for name in names}


def _tensors(result: Any) -> list[Tensor]:
    if isinstance(result, Tensor):
        return [result]
    return [each for each in result if isinstance(each, Tensor)] if isinstance(result, (list, tuple)) else []


def _measured(runs: Sequence[list[Tensor]], points: Sequence[Mapping[str, int]], name: str) -> list[Measured]:
    if len({len(run) for run in runs}) != 1:
        raise ModelError(f"{name} gives more tensors for a longer signal, so it can't be cut into blocks.")
    return [_one(each, points, name) for each in zip(*runs, strict=True)]


def _one(tensors: Sequence[Tensor], points: Sequence[Mapping[str, int]], name: str) -> Measured:
    rates: dict[int, Fraction] = {}
    for axis, sizes in enumerate(zip(*(each.shape for each in tensors), strict=True)):
        number = fit_whole_number(sizes, points)
        if number is None:
            raise ModelError(f"{name} is {sizes} samples long for signals of {points}: in no proportion to them.")
        if isinstance(number, WholeNumber):
            rates[axis] = dict(number.terms)[SAMPLES]
    differs = not rates and not all(torch.equal(each, tensors[0]) for each in tensors[1:])
    return Measured(tuple(tensors[0].shape), rates, tensors[0], differs)
