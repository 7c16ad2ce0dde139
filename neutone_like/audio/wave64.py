"""Sony Wave64: RIFF with identifiers of 16 bytes and lengths of 8, which count their own 24 bytes."""

from fractions import Fraction

from neutone_like.audio.extent import Extent, is_placeholder
from neutone_like.audio.source import Source
from neutone_like.audio.wave_format import coding

MAGIC = b"riff\x2e\x91\xcf\x11"
_HEAD = 24


def find_extent(source: Source) -> Extent | None:
    """Where the samples lie; None where there are none."""
    block, per_byte = 1, Fraction(0)
    place = 16 + 8 + 16  # identifier and length of the whole, and what kind it is
    while len(head := source.at(place, _HEAD)) == _HEAD:
        name, size = head[:4], int.from_bytes(head[16:], "little")
        if name == b"data":
            return _data(source, place, size, block, per_byte)
        if name == b"fmt ":
            block, per_byte = coding(source.at(place + _HEAD, 40), "little")
        if size < _HEAD:
            return None
        place += -(-size // 8) * 8
    return None


def _data(source: Source, place: int, size: int, block: int, per_byte: Fraction) -> Extent:
    start = place + _HEAD
    promised, held = max(0, size - _HEAD), source.size - start
    if (promised > 0 or held == 0) and not (promised > held and is_placeholder(size)):
        return Extent(start, promised, block, per_byte)
    length = held // block * block
    before = source.at(0, place + 16)
    total = (start + length).to_bytes(8, "little")
    return Extent(
        start, None, block, per_byte, before[:16] + total + before[24:] + (length + _HEAD).to_bytes(8, "little")
    )
