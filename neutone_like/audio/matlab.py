"""Matrices of MATLAB and Octave, versions 4 and 5, which hold a sound in a matrix of its own."""

from typing import Literal

from neutone_like.audio.extent import Extent, per_sample
from neutone_like.audio.source import Source

MAGIC_5 = b"MATLAB 5.0"
_TYPES_4 = (8, 4, 4, 2, 2, 1)  # bytes of double, single, int32, int16, uint16, uint8
_MATRIX_5 = 14


def is_version_4(head: bytes) -> bool:
    """Whether a file begins with the rate as libsndfile writes it: a matrix of one number with a name."""
    return any(int.from_bytes(head[4:8], o) == 1 == int.from_bytes(head[8:12], o) for o in ("little", "big")) and (
        head[20:31] == b"samplerate\0"
    )


def find_extent_4(source: Source) -> Extent | None:
    """Where the last matrix lies."""
    order: Literal["little", "big"] = "little" if source.at(4, 1) == b"\x01" else "big"
    place, extent = 0, None
    while len(head := source.at(place, 20)) == 20:
        kind, rows, columns, imaginary, name = (int.from_bytes(head[at : at + 4], order) for at in range(0, 20, 4))
        width = _TYPES_4[min(kind // 10 % 10, 5)]
        start, block = place + 20 + name, rows * width
        extent = Extent(start, block * columns * (1 + imaginary % 2), max(1, block), per_sample(block))
        place = start + (extent.promised or 0)
    return extent


def find_extent_5(source: Source) -> Extent | None:
    """Where the last matrix lies, its names and dimensions included."""
    order: Literal["little", "big"] = "little" if source.at(126, 2) == b"IM" else "big"
    place, extent = 128, None
    while len(head := source.at(place, 8)) == 8 and int.from_bytes(head[:4], order) == _MATRIX_5:
        size = int.from_bytes(head[4:], order)
        extent = Extent(place + 8, size) if size else None
        place += 8 + size
    return extent
