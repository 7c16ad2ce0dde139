"""Constants of a file in as few bytes as give exactly the same numbers: see ``Packing`` in ``format.hpp``."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neutone_like.compiler.file_format import LEAST_SAVED
from neutone_like.compiler.weight_grids import Found, find_grid

_WHOLE, _HALF, _INT8, _INT4 = range(4)
_AS = {16: _HALF, 8: _INT8, 4: _INT4}
_LEAST_SHARE = 0.2  # of an array: zeros between float32 weights are not worth a piece
_FACTOR_BITS = 16  # significant ones of what a factor was multiplied to: as many as a scale and an int8 have


@dataclass(frozen=True)
class Piece:
    """A part of an array of weights that may have scales of its own.

    Attributes:
        first: Where it begins in the array.
        outer, rows, lanes: Blocks of rows of neighbours; scales are shared along the rows.
        outer_step: From one block to the next.
        factors: Each multiplies its share of the lanes, after the scales; none where nothing does.
    """

    first: int
    outer: int
    rows: int
    lanes: int
    outer_step: int = 0
    factors: tuple[float, ...] = ()

    def places(self) -> NDArray[np.int64]:
        """``[outer, rows, lanes]``: of its numbers in the array."""
        blocks = self.first + self.outer_step * np.arange(self.outer)[:, None, None]
        return blocks + np.arange(self.rows * self.lanes).reshape(1, self.rows, self.lanes)


@dataclass
class PackedConstants:
    """Collects what can be packed of an array of constants.

    Attributes:
        saved: Bytes.
    """

    pieces: list[tuple[int, Piece, Found | None]] = field(default_factory=list[tuple[int, Piece, Found | None]])
    saved: int = 0

    def add(self, offset: int, values: NDArray[np.float32], pieces: Sequence[Piece]) -> None:
        """Pack what can be packed of an array.

        Args:
            offset: Bytes: of the array among the constants.
            values: The array, flat.
            pieces: That fill it.
        """
        found, saved = max((_all_found(values, each) for each in (pieces, _joined(pieces))), key=lambda both: both[1])
        if saved >= _LEAST_SHARE * values.nbytes:
            self.pieces += [(offset + 4 * piece.first, piece, each) for piece, each in found]
            self.saved += saved

    def sections(self, data: bytes) -> tuple[bytes, bytes] | None:
        """The table of pieces and what they are made of; ``None``: too little would be saved.

        Args:
            data: All constants as they are played.
        """
        if self.saved < LEAST_SAVED:
            return None
        table, body = b"", bytearray()
        # Alike ones in a row: a folded table holds differences.
        alike = sorted(
            self.pieces, key=lambda each: (0 if each[2] is None else each[2].bits, each[1].rows, each[1].lanes)
        )
        for destination, piece, found in [*alike, *_rest(data, self.pieces)]:
            if not any(_stored(data, destination, piece)):
                continue  # what no piece fills is 0
            body += bytes(-len(body) % 8)
            packed_as = _WHOLE if found is None else _AS[found.bits]
            table += struct.pack(
                "<6I3Q", packed_as, piece.outer, piece.rows, piece.lanes, 0 if found is None else found.group,
                0 if found is None else len(piece.factors), piece.outer_step, destination, len(body),
            )  # fmt: skip
            body += _stored(data, destination, piece) if found is None else _packed(piece, found)
        return table, bytes(body)


def _joined(pieces: Sequence[Piece]) -> Sequence[Piece]:
    """Rows that follow one another as one piece: taps of a convolution may share their scales."""
    first = pieces[0]
    ends = np.cumsum([each.rows * each.lanes for each in pieces]) + first.first
    follow = all(
        each == replace(first, first=int(end), rows=each.rows) for each, end in zip(pieces[1:], ends, strict=False)
    )
    return [replace(first, rows=sum(each.rows for each in pieces))] if follow and not first.factors else pieces


def _all_found(values: NDArray[np.float32], pieces: Sequence[Piece]) -> tuple[list[tuple[Piece, Found | None]], int]:
    """With the bytes that it saves."""
    found = [(piece, _found(values, piece)) for piece in pieces]
    return found, sum(0 if each is None else _bytes_saved(piece, each) for piece, each in found)


def _found(values: NDArray[np.float32], piece: Piece) -> Found | None:
    """The weights before their factors; only where these give the same float32 again."""
    numbers = values[piece.places()].astype(np.float64)
    if not piece.factors:
        return find_grid(numbers)
    factors = np.repeat(np.asarray(piece.factors), piece.lanes // len(piece.factors))
    before = _shortened(numbers / factors)
    if not np.array_equal((before * factors).astype(np.float32).astype(np.float64), numbers):
        return None
    return find_grid(before)


def _shortened(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    fraction, exponent = np.frexp(numbers)
    return np.ldexp(np.rint(np.ldexp(fraction, _FACTOR_BITS)), exponent - _FACTOR_BITS)


def _bytes_saved(piece: Piece, found: Found) -> int:
    return 4 * piece.outer * piece.rows * piece.lanes - len(_packed(piece, found))


def _packed(piece: Piece, found: Found) -> bytes:
    factors = np.asarray(piece.factors, "<f8").tobytes()
    scales = (found.scales.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    numbers = found.numbers.ravel()
    if found.bits != 4:
        return factors + scales + numbers.astype("<f2" if found.bits == 16 else "<i1").tobytes()
    nibbles = np.append(numbers, [0] * (numbers.size % 2)).astype(np.uint8) & 15
    return factors + scales + (nibbles[0::2] | (nibbles[1::2] << 4)).tobytes()


def _stored(data: bytes, destination: int, piece: Piece) -> bytes:
    first = Piece(destination // 4, piece.outer, piece.rows, piece.lanes, piece.outer_step)
    return np.frombuffer(data, "<f4")[first.places()].tobytes()


def _rest(data: bytes, pieces: Sequence[tuple[int, Piece, Any]]) -> list[tuple[int, Piece, None]]:
    """What no piece fills, as it is; zeros at an end are left out."""
    filled = np.zeros(len(data) // 4, bool)
    for destination, piece, _ in pieces:
        first = Piece(destination // 4, piece.outer, piece.rows, piece.lanes, piece.outer_step)
        filled[first.places().ravel()] = True
    bounds = np.flatnonzero(np.diff(np.concatenate(([True], filled, [True])).astype(np.int8)))
    return [
        (4 * int(start), Piece(int(start), 1, 1, int(end - start)), None)
        for start, end in zip(bounds[0::2], bounds[1::2], strict=True)
    ]
