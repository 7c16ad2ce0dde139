"""Finds out, from values alone, that weights are whole multiples of a few scales, or half-precision numbers.

Nothing has to be carried from where a network was quantised to where it is written: what is found multiplies out to
exactly the same float32 numbers, or it is not found.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

GROUP_SIZES = (128, 64, 32, 16, 8, 4)
"""How many weights may share a scale, where not all of a channel do."""

_SCALE_BITS = 16
_PROBES = 8


@dataclass(frozen=True)
class Levels:
    """The integers of a precision.

    Attributes:
        bits: Of each.
        lowest, highest: What they reach.
    """

    bits: int
    lowest: int
    highest: int


INT4 = Levels(4, -8, 7)
INT8 = Levels(8, -127, 127)


@dataclass(frozen=True)
class Found:
    """Weights as what multiplies out to them.

    Attributes:
        bits: 4 or 8 for integers, 16 for half precision.
        group: Rows that share a scale; 0 in half precision.
        scales: ``[outer, groups, lanes]``, float32 with 8 significant bits; empty in half precision.
        numbers: ``[outer, rows, lanes]``, int8 or float16.
    """

    bits: int
    group: int
    scales: NDArray[np.float32]
    numbers: NDArray[Any]


def find_grid(values: NDArray[np.float64]) -> Found | None:
    """The cheapest form of ``values`` ``[outer, rows, lanes]``, each of which a float32 holds.

    Scales are shared along the rows. ``None``: there is none.
    """
    rows = values.shape[1]
    if not values.size:
        return None
    for levels, group in _candidates(rows):
        if levels is None:
            with np.errstate(over="ignore"):  # what is too large for it is no such number
                half = values.astype(np.float16)
            if np.array_equal(half.astype(np.float64), values):
                return Found(16, 0, np.zeros((0, 0, 0), np.float32), half)
        elif (found := _integers(values, levels, group)) is not None:
            return found
    return None


def _candidates(rows: int) -> Iterator[tuple[Levels | None, int]]:
    """By how many bits a weight takes, the fewest first."""
    groups = [rows, *(size for size in GROUP_SIZES if size < rows)]
    found: list[tuple[float, Levels | None, int]] = [
        (levels.bits + _SCALE_BITS / group, levels, group) for levels in (INT4, INT8) for group in groups
    ]
    found.append((16.0, None, 0))
    for bits, levels, group in sorted(found, key=lambda each: each[0]):
        if bits <= 16.0:
            yield levels, group


def _integers(values: NDArray[np.float64], levels: Levels, group: int) -> Found | None:
    outer, rows, lanes = values.shape
    groups = -(-rows // group)
    padded = np.zeros((outer, groups * group, lanes))
    padded[:, :rows] = values
    blocks = padded.reshape(outer, groups, group, lanes).transpose(0, 1, 3, 2).reshape(-1, group)
    step = max(1, len(blocks) // _PROBES)
    if _scales(blocks[::step], levels) is None or (scales := _scales(blocks, levels)) is None:
        return None
    numbers = np.rint(blocks / scales[:, None]).astype(np.int8)
    back = numbers.reshape(outer, groups, lanes, group).transpose(0, 1, 3, 2).reshape(outer, -1, lanes)[:, :rows]
    return Found(levels.bits, group, scales.reshape(outer, groups, lanes).astype(np.float32), back)


def _scales(blocks: NDArray[np.float64], levels: Levels) -> NDArray[np.float64] | None:
    """One for each row, so that the row is whole multiples of it; ``None``: one of them is not."""
    largest = np.abs(blocks).max(1)
    scales = np.where(largest == 0.0, 1.0, 0.0)
    counts = np.arange(max(levels.highest, -levels.lowest), 0, -1)
    tried_scales = largest[:, None] / counts
    short = _is_short(tried_scales)
    if not bool((short.any(1) | (largest == 0.0)).all()):
        return None
    for place in np.flatnonzero(short.any(0)):
        wanted = tried_scales[:, place]
        open_rows = np.flatnonzero((scales == 0.0) & short[:, place])
        for sign in (1.0, -1.0) if levels.lowest != -levels.highest else (1.0,):
            tried = sign * wanted[open_rows]
            multiples = np.rint(blocks[open_rows] / tried[:, None])
            fits = (multiples * tried[:, None] == blocks[open_rows]) & (multiples >= levels.lowest)
            good = (fits & (multiples <= levels.highest)).all(1)
            scales[open_rows[good]] = tried[good]
            open_rows = open_rows[~good]
    return None if bool((scales == 0.0).any()) else scales


def _is_short(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each has at most 8 significant bits, and a float32's range."""
    single = numbers.astype(np.float32)
    return (single == numbers) & ((single.view(np.uint32) & 0xFFFF) == 0) & (single != 0.0)
