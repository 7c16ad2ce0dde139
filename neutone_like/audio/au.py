"""Sun and NeXT audio, in either order of bytes."""

from fractions import Fraction
from typing import Literal

from neutone_like.audio.extent import Extent, per_sample
from neutone_like.audio.source import Source

MAGIC = (b".snd", b"dns.")
_UNKNOWN = 0xFFFF_FFFF
_BYTES = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}
_BITS = {23: 4, 25: 3, 26: 5}  # G.721 and G.723


def find_extent(source: Source) -> Extent:
    """Where the samples lie."""
    head = source.at(0, 24)
    order: Literal["little", "big"] = "big" if head[:4] == b".snd" else "little"
    start, size, kind, _, channels = (int.from_bytes(head[at : at + 4], order) for at in range(4, 24, 4))
    block = channels * _BYTES.get(kind, 0)
    per_byte = Fraction(8, _BITS[kind]) if kind in _BITS else per_sample(block)
    held = max(0, source.size - start)
    if size != _UNKNOWN and (size > 0 or held == 0) and held - size <= _UNKNOWN:
        return Extent(start, size, max(1, block), per_byte)
    length = min(held // max(1, block) * max(1, block), _UNKNOWN)
    header = head[:8] + length.to_bytes(4, order) + source.at(12, max(0, start - 12))
    return Extent(start, None, max(1, block), per_byte, header)
