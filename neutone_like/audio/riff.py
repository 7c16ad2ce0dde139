"""WAV in all its wrappings: RIFF, RIFX (big-endian), RF64 and BW64 (beyond 4 GiB)."""

from fractions import Fraction

from neutone_like.audio.chunks import Chunk, chunks, is_chunk_list
from neutone_like.audio.extent import Extent, beyond_32_bits, damaged, is_placeholder
from neutone_like.audio.source import Source
from neutone_like.audio.wave_format import Order, coding, with_true_width

MAGIC = (b"RIFF", b"RIFX", b"RF64", b"BW64")
STILL_GROWS = b"neutone_like still records"
"""What our recordings have in a chunk ``JUNK`` until they are finished."""
_FULL = 0xFFFF_FFFF


def find_extent(source: Source) -> Extent | None:
    """Where the samples lie; None where there are none.

    Raises:
        AudioError: Several stretches of samples, of which a decoder would play only the first.
    """
    magic = source.at(0, 4)
    order: Order = "big" if magic == b"RIFX" else "little"
    found: dict[bytes, Chunk] = {}
    for chunk in chunks(source, 12, order):
        if chunk.name == b"data" and chunk.name in found:
            raise damaged(source, "it has several data chunks, where one is allowed, and only the first would be heard")
        found.setdefault(chunk.name, chunk)
        if chunk.name == b"data" and _promised(source, chunk, found.get(b"ds64"), order) != chunk.size:
            break  # what the chunk says of its length leads nowhere
    if b"data" not in found or b"fmt " not in found:
        return None
    data, form = found[b"data"], source.at(found[b"fmt "].start, min(found[b"fmt "].size, 1 << 16))
    promised = None if _still_grows(source, found) else _promised(source, data, found.get(b"ds64"), order)
    block, per_byte = _coding(source, form, found.get(b"fact"), promised, order)
    held = source.size - data.start
    length = held // block * block if promised is None else min(promised, held)
    # What else lies before the samples is left out, since some of it keeps libsndfile from reading them.
    return Extent(data.start, promised, block, per_byte, _header(with_true_width(form, order), length, order))


def _still_grows(source: Source, found: dict[bytes, Chunk]) -> bool:
    """Whether it is a recording of ours that was never finished: its length is that of some seconds before the end."""
    is_ours = b"JUNK" in found and source.at(found[b"JUNK"].start, len(STILL_GROWS)) == STILL_GROWS
    return is_ours and not is_chunk_list(source, found[b"data"].stop, "little")  # as when another program has tagged it


def _promised(source: Source, data: Chunk, ds64: Chunk | None, order: Order) -> int | None:
    size, held = data.size, source.size - data.start
    long = ds64 if size == _FULL else None
    if long is not None:
        size = int.from_bytes(source.at(long.start + 8, 8), "little")
    if size == 0 and held > 0 and not is_chunk_list(source, data.start, order):
        return None  # the recorder died before it wrote the length
    is_whole = size == held or (size < held and is_chunk_list(source, data.start + size, order))
    if is_whole:
        return size
    if is_placeholder(size):
        return None
    return beyond_32_bits(size, held) if long is None else size


def _coding(
    source: Source, form: bytes, fact: Chunk | None, promised: int | None, order: Order
) -> tuple[int, Fraction]:
    block, per_byte = coding(form, order)
    if per_byte or fact is None or not promised:
        return block, per_byte
    return block, Fraction(int.from_bytes(source.at(fact.start, 4), order), promised)


def _header(form: bytes, length: int, order: Order) -> bytes:
    """The header of a file of one format chunk and ``length`` bytes of samples."""
    form = form + b"\0" * (len(form) % 2)
    inside = b"WAVEfmt " + len(form).to_bytes(4, order) + form
    total = len(inside) + 8 + length
    if total < _FULL:
        magic = b"RIFF" if order == "little" else b"RIFX"
        return magic + total.to_bytes(4, order) + inside + b"data" + length.to_bytes(4, order)
    ds64 = b"ds64" + (28).to_bytes(4, "little")
    ds64 += (total + 36).to_bytes(8, "little") + length.to_bytes(8, "little") + bytes(12)
    full = _FULL.to_bytes(4, "little")
    return b"RF64" + full + b"WAVE" + ds64 + inside[4:] + b"data" + full
