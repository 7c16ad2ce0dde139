"""Chunks of an identifier, a length and content, of which RIFF, IFF, CAF and Wave64 files are made."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from neutone_like.audio.source import Source

# After these a writer that forgets the pad byte of a chunk of odd length is noticed.
_KNOWN = frozenset((b"fmt ", b"data", b"fact", b"LIST", b"bext", b"cue ", b"smpl", b"COMM", b"SSND", b"FVER", b"BODY"))


@dataclass(frozen=True)
class Chunk:
    """A chunk of a file: what it is called, where its content starts, and how long that says it is, in bytes."""

    name: bytes
    start: int
    size: int

    @property
    def stop(self) -> int:
        return self.start + self.size


def chunks(source: Source, first: int, order: Literal["little", "big"], size_bytes: int = 4) -> Iterator[Chunk]:
    """The chunks from ``first`` on, up to the end of the file or to what is no chunk. The last may be cut off.

    Args:
        source: The file.
        first: Where the first of them begins.
        order: Of the bytes of a length.
        size_bytes: 4, with content padded to an even length; or 8, without.
    """
    place = first
    while len(head := source.at(place, 4 + size_bytes)) == 4 + size_bytes and _is_name(head[:4]):
        size = int.from_bytes(head[4:], order)
        start = place + 4 + size_bytes
        place = start + size
        if size_bytes == 4 and size % 2:
            has_no_pad = source.at(place, 4) in _KNOWN and source.at(place + 1, 4) not in _KNOWN
            place += not has_no_pad
        yield Chunk(head[:4], start, size)


def is_chunk_list(source: Source, first: int, order: Literal["little", "big"], size_bytes: int = 4) -> bool:
    """Whether nothing but whole chunks lies between ``first`` and the end of the file."""
    place = first
    for chunk in chunks(source, first, order, size_bytes):
        place = chunk.stop
    return place > first and place in (source.size, source.size - 1)


def _is_name(name: bytes) -> bool:
    return all(0x20 <= letter < 0x7F for letter in name)
