"""Tables of a file in fewer bytes: see ``kVersionOfFolded`` in ``native/src/kernels/format.hpp``."""

import struct
from collections.abc import Iterator

from neutone_like.compiler.file_format import Section

_WORD_BYTES = 4
_MASK_WORDS = 8
ITEM_WORDS = {Section.BUFFERS: 16, Section.VIEWS: 30, Section.STEPS: 5, Section.INTEGERS: 0, Section.PACKINGS: 12}
"""Of the parts that are folded: how many words before each one is that to which it is the difference; 0: none is."""


def folded(kind: Section, table: bytes) -> bytes:
    """A table as version 4 has it.

    Args:
        kind: One of :data:`ITEM_WORDS`.
        table: Of whole words.
    """
    words = struct.unpack(f"<{len(table) // _WORD_BYTES}I", table)
    stride = ITEM_WORDS[kind]
    before = (*[0] * stride, *words) if stride else [0] * len(words)
    made = bytearray(struct.pack("<I", len(words)))
    for first in range(0, len(words), _MASK_WORDS):
        mask, numbers = 0, bytearray()
        for place in range(first, min(first + _MASK_WORDS, len(words))):
            if words[place] != before[place]:
                mask |= 1 << place - first
                numbers += _seven_bits_each(_unsigned(words[place] - before[place]))
        made.append(mask)
        made += numbers
    return bytes(made)


def unfolded(kind: Section, data: bytes) -> bytes:
    """The table that was folded.

    Raises:
        ValueError: It ends too early.
    """
    if len(data) < _WORD_BYTES:
        raise ValueError("a folded table that ends within its length")
    count = struct.unpack_from("<I", data)[0]
    if count > _MASK_WORDS * len(data):
        raise ValueError(f"a folded table of {count} words in {len(data)} bytes")
    stride = ITEM_WORDS[kind]
    rest = iter(data[_WORD_BYTES:])
    words: list[int] = []
    mask = 0
    for word in range(count):
        if word % _MASK_WORDS == 0:
            mask = _next(rest)
        difference = _number(rest) if mask >> word % _MASK_WORDS & 1 else 0
        before = words[word - stride] if stride and word >= stride else 0
        words.append((before + difference) & 0xFFFF_FFFF)
    return struct.pack(f"<{count}I", *words)


def _unsigned(difference: int) -> int:
    """0, 1, 2, 3... for 0, -1, 1, -2..., modulo 2^32."""
    near = (difference + 0x8000_0000) % 0x1_0000_0000 - 0x8000_0000
    return 2 * near if near >= 0 else -2 * near - 1


def _seven_bits_each(number: int) -> bytes:
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    made.append(number)
    return bytes(made)


def _next(rest: Iterator[int]) -> int:
    byte = next(rest, None)
    if byte is None:
        raise ValueError("a folded table that ends within its words")
    return byte


def _number(rest: Iterator[int]) -> int:
    number = 0
    for shift in range(0, 32, 7):
        byte = _next(rest)
        number |= (byte & 127) << shift
        if byte < 128:
            number &= 0xFFFF_FFFF
            return (number >> 1) ^ -(number & 1)
    raise ValueError("a folded table with a number that is too long")
