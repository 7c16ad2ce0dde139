"""Cyclic redundancy checks of compressed formats."""

import zlib

_REVERSED_BITS = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


def _table(polynomial: int, bits: int) -> tuple[int, ...]:
    values: list[int] = []
    for value in range(256):
        value <<= bits - 8
        for _ in range(8):
            value = (value << 1) ^ (polynomial if value >> (bits - 1) else 0)
            value &= (1 << bits) - 1
        values.append(value)
    return tuple(values)


_TABLE_8, _TABLE_16 = _table(0x07, 8), _table(0x8005, 16)


def crc8(data: bytes) -> int:
    """Of a FLAC frame's header."""
    value = 0
    for byte in data:
        value = _TABLE_8[value ^ byte]
    return value


def crc16(data: bytes, value: int = 0) -> int:
    """Of a FLAC frame (from 0 on), and of an MP3 frame's header (from 0xFFFF on)."""
    for byte in data:
        value = (value << 8 & 0xFFFF) ^ _TABLE_16[value >> 8 ^ byte]
    return value


def ogg_crc(page: bytes) -> int:
    """Of an Ogg page whose own checksum is 0: zlib's polynomial, with the bits of every byte the other way round."""
    value = zlib.crc32(page.translate(_REVERSED_BITS), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return int(f"{value:032b}"[::-1], 2)
