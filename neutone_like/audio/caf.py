"""Core Audio Format."""

import struct

from neutone_like.audio.chunks import Chunk, chunks, is_chunk_list
from neutone_like.audio.extent import Extent, per_sample
from neutone_like.audio.source import Source

MAGIC = b"caff"
_EDIT_COUNT = 4  # bytes before the samples, which count as theirs
_UNKNOWN = (1 << 64) - 1


def find_extent(source: Source) -> Extent | None:
    """Where the samples lie; None where there are none."""
    block = 0
    for chunk in chunks(source, 8, "big", size_bytes=8):
        if chunk.name == b"desc" and len(source.at(chunk.start, 32)) == 32:
            packet, frames, *_ = struct.unpack(">II", source.at(chunk.start + 16, 8))
            block = packet if frames == 1 else 0
        if chunk.name == b"data":
            return _data(source, chunk, block)
    return None


def _data(source: Source, chunk: Chunk, block: int) -> Extent:
    start = chunk.start + _EDIT_COUNT
    held = max(0, source.size - start)
    is_empty = chunk.size <= _EDIT_COUNT and (held == 0 or is_chunk_list(source, chunk.stop, "big", 8))
    if _EDIT_COUNT < chunk.size < _UNKNOWN or is_empty:
        return Extent(start, max(0, chunk.size - _EDIT_COUNT), max(1, block), per_sample(block), rest=None)
    length = held // max(1, block) * max(1, block) + _EDIT_COUNT
    header = source.at(0, chunk.start - 8) + length.to_bytes(8, "big") + source.at(chunk.start, _EDIT_COUNT)
    return Extent(start, None, max(1, block), per_sample(block), header)
