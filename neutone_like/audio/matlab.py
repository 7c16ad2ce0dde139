"""Matrices of MATLAB and Octave, versions 4 and 5, which hold a sound in a matrix of its own."""

from dataclasses import dataclass
from typing import Literal

from neutone_like.audio.extent import Extent, per_sample
from neutone_like.audio.source import Source

MAGIC_5 = b"MATLAB 5.0"
_TYPES_4 = (8, 4, 4, 2, 2, 1)  # bytes of double, single, int32, int16, uint16, uint8
_BYTES_5 = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}
_MATRIX_5 = 14
_BEFORE_NUMBERS_5 = 3

Order = Literal["little", "big"]


@dataclass(frozen=True)
class _Element:
    """A piece of a version 5 file: what it is, where its content lies, and where the next one begins."""

    kind: int
    start: int
    size: int
    after: int


def is_version_4(head: bytes) -> bool:
    """Whether a file begins with the rate as libsndfile writes it: a matrix of one number with a name."""
    return any(int.from_bytes(head[4:8], o) == 1 == int.from_bytes(head[8:12], o) for o in ("little", "big")) and (
        head[20:31] == b"samplerate\0"
    )


def find_extent_4(source: Source) -> Extent | None:
    """Where the last matrix lies."""
    order: Order = "little" if source.at(4, 1) == b"\x01" else "big"
    place, extent = 0, None
    while len(head := source.at(place, 20)) == 20:
        kind, rows, columns, imaginary, name = (int.from_bytes(head[at : at + 4], order) for at in range(0, 20, 4))
        width = _TYPES_4[min(kind // 10 % 10, 5)]
        start, block = place + 20 + name, rows * width
        if columns in (0, 0xFFFF_FFFF):
            return Extent(start, None, max(1, block), per_sample(block))
        extent = Extent(start, block * columns * (1 + imaginary % 2), max(1, block), per_sample(block))
        place = start + (extent.promised or 0)
    return extent


def find_extent_5(source: Source) -> Extent | None:
    """Where the numbers of the last matrix lie.

    libsndfile says too much of a matrix's length, by 8 bytes, so that only what is inside of it can be believed.
    """
    order: Order = "little" if source.at(126, 2) == b"IM" else "big"
    place, extent = 128, None
    while (matrix := _element(source, place, order)) is not None and matrix.kind == _MATRIX_5:
        inside = matrix.start
        for _ in range(_BEFORE_NUMBERS_5):  # flags, dimensions, name
            element = _element(source, inside, order)
            inside = source.size if element is None else element.after
        numbers = _element(source, inside, order)
        if numbers is None:
            break
        rows = int.from_bytes(source.at(matrix.start + 16 + 8, 4), order)
        block = max(1, rows * _BYTES_5.get(numbers.kind, 1))
        extent = Extent(numbers.start, numbers.size or None, block, per_sample(block))
        place = numbers.after
    return extent


def _element(source: Source, place: int, order: Order) -> _Element | None:
    head = source.at(place, 8)
    if len(head) < 8:
        return None
    kind, size = int.from_bytes(head[:4], order), int.from_bytes(head[4:], order)
    if kind >> 16:  # up to 4 bytes, within the head
        return _Element(kind & 0xFFFF, place + 4, kind >> 16, place + 8)
    return _Element(kind, place + 8, size, place + 8 + -(-size // 8) * 8)
