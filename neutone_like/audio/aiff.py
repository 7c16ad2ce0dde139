"""AIFF and AIFF-C, and the older IFF sounds 8SVX and 16SV."""

from fractions import Fraction

from neutone_like.audio.chunks import Chunk, chunks, is_chunk_list
from neutone_like.audio.extent import Extent, damaged, is_placeholder, per_sample
from neutone_like.audio.source import Source

MAGIC = b"FORM"
_BYTES = {b"fl32": 4, b"FL32": 4, b"fl64": 8, b"FL64": 8, b"ulaw": 1, b"ULAW": 1, b"alaw": 1, b"ALAW": 1}
_LONGEST = (1 << 32) - (1 << 12)  # with all that stands around it
_INTEGERS = (b"", b"NONE", b"twos", b"sowt", b"raw ", b"in24", b"in32", b"42ni", b"23ni")


def find_extent(source: Source) -> Extent | None:
    """Where the samples lie; None where there are none.

    Raises:
        AudioError: Several stretches of samples, of which a decoder would play only the first.
    """
    found: dict[bytes, Chunk] = {}
    for chunk in chunks(source, 12, "big"):
        if chunk.name in (b"SSND", b"BODY") and chunk.name in found:
            raise damaged(source, f"it has several {chunk.name.decode()} chunks, where one is allowed")
        found.setdefault(chunk.name, chunk)
        if chunk.name in (b"SSND", b"BODY") and chunk.size <= 8:
            break
    if source.at(8, 4) in (b"8SVX", b"16SV"):
        return _old_sound(source, found)
    return _aiff(source, found) if b"SSND" in found and b"COMM" in found else None


def _aiff(source: Source, found: dict[bytes, Chunk]) -> Extent:
    common = source.at(found[b"COMM"].start, min(found[b"COMM"].size, 1 << 10))
    samples, block = int.from_bytes(common[2:6], "big"), _sample_bytes(common)
    packet, in_packet = _packet(common)
    sound = found[b"SSND"]
    start = sound.start + 8 + int.from_bytes(source.at(sound.start, 4), "big")
    held = max(0, source.size - start)
    promised: int | None = sound.stop - start
    is_known = sound.size > 8 and not (sound.stop > source.size and is_placeholder(sound.size))
    if not is_known and held > 0 and not is_chunk_list(source, start, "big"):
        promised = samples * block if 0 < samples < 1 << 31 and block else None
    length = held if promised is None else min(held, promised)
    counted = int(length * in_packet) if samples == 0 else samples
    if length > _LONGEST or sound.start + sound.size + _LONGEST < source.size:
        raise damaged(source, "an AIFF file holds no more than 4 GiB, and this one is longer: its header can't be true")
    if block:
        length, counted = length // block * block, length // block
    header = _header(source.at(8, 4), common, length, counted) if length > 0 else None
    return Extent(start, promised, max(1, block or packet), per_sample(block) or in_packet, header)


def _packet(common: bytes) -> tuple[int, Fraction]:
    """Bytes of a codec's packet, and samples of one of them."""
    channels, kind = int.from_bytes(common[:2], "big"), common[18:22]
    size, samples = {b"ima4": (34, 64), b"GSM ": (33, 160), b"agsm": (33, 160)}.get(kind, (0, 0))
    return size * channels, Fraction(samples, max(1, size * channels))


def _sample_bytes(common: bytes) -> int:
    """Bytes of a sample of all channels; 0 for codecs that have no whole number of them."""
    channels, bits, kind = int.from_bytes(common[:2], "big"), int.from_bytes(common[6:8], "big"), common[18:22]
    return channels * (-(-bits // 8) if kind in _INTEGERS else _BYTES.get(kind, 0))


def _header(kind: bytes, common: bytes, length: int, samples: int) -> bytes:
    """The header of a file of one common chunk and ``length`` bytes of samples."""
    common = common[:2] + samples.to_bytes(4, "big") + common[6:]
    padded = common + b"\0" * (len(common) % 2)
    inside = kind + b"COMM" + len(common).to_bytes(4, "big") + padded
    inside += b"SSND" + (length + 8).to_bytes(4, "big") + bytes(8)
    return b"FORM" + (len(inside) + length).to_bytes(4, "big") + inside


def _old_sound(source: Source, found: dict[bytes, Chunk]) -> Extent | None:
    if b"BODY" not in found:
        return None
    body, block = found[b"BODY"], 1 if source.at(8, 4) == b"8SVX" else 2
    is_known = body.size > 0 and not (body.stop > source.size and is_placeholder(body.size))
    return Extent(body.start, body.size if is_known else None, block, Fraction(1, block))
