"""What lies behind the sound that a header tells of: chunks, tags, padding. More sound there would be lost silently."""

from collections.abc import Iterator
from typing import Literal

from neutone_like.audio.chunks import chunks
from neutone_like.audio.extent import Extent
from neutone_like.audio.source import Source
from neutone_like.audio.tags import before_last_tags, skip_tags
from neutone_like.errors import AudioError

_MOST_STRAY_BYTES = 1 << 12
_SHORTEST_PADDING = 8
_MOST_PIECES = 1 << 14
_BUFFER = 1 << 20
_TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN")
# What writers put behind the sound. A chunk may be cut off, or of a wrong length: the sound ends there all the same.
_KNOWN_CHUNKS = frozenset(
    (
        *(b"LIST", b"list", b"INFO", b"bext", b"cue ", b"smpl", b"inst", b"plst", b"fact", b"PEAK", b"DISP", b"acid"),
        *(b"id3 ", b"ID3 ", b"iXML", b"axml", b"chna", b"aXML", b"_PMX", b"cart", b"levl", b"LGWV", b"ResU", b"strc"),
        *(b"JUNK", b"junk", b"FLLR", b"PAD ", b"free", b"afsp", b"MD5 ", b"umid", b"minf", b"elm1", b"regn", b"DGDA"),
        *(b"COMT", b"MARK", b"INST", b"MIDI", b"AESD", b"APPL", b"NAME", b"AUTH", b"(c) ", b"ANNO", b"SAXL", b"CHAN"),
        *(b"info", b"uuid", b"mark", b"midi", b"ovvw", b"peak", b"strg", b"edct", b"kuki", b"pakt", b"chan"),
    )
)
# The last bytes of what Wave64 calls its chunks, and how many come before.
_WAVE64_NODES, _WAVE64_NODE_AT = (bytes.fromhex("00c04f8edb8a"), bytes.fromhex("28db04c10000")), 10

_ORDERS: tuple[tuple[Literal["little", "big"], int], ...] = (("little", 4), ("big", 4), ("big", 8))
"""Of the bytes of a chunk's length, and how many they are."""


def require_no_sound_behind(source: Source, extent: Extent, magics: tuple[bytes, ...]) -> None:
    """Check what follows the sound.

    Args:
        source: The file.
        extent: Its sound, as the header tells.
        magics: What files of sound begin with.

    Raises:
        AudioError: Another file was joined to it, or more follows than a tag or padding.
    """
    place = extent.start + (source.size if extent.promised is None else extent.promised + (extent.rest or 0))
    if place >= source.size:
        return
    end, has_ended = place, False
    for begin in _followed(source, place):
        if any(_is_file(source.at(at, 32), magics) for at in (begin, begin + 1)):
            raise AudioError(
                f"{source.path} is made of several files, one behind the other, and only the first would be heard. "
                "Split it, or join them with an audio editor."
            )
        has_ended = has_ended or _ends_sound(source, begin)
        end = max(end, begin)
    left = min(source.size, before_last_tags(source)) - end
    if left > _MOST_STRAY_BYTES and not has_ended:
        raise AudioError(
            f"{source.path} goes on for {source.size - place} bytes behind the {extent.told(extent.promised)} that its "
            "header tells of: a recording that was not finished, perhaps, whose end would be lost. Import it as raw "
            "data into an audio editor; or, if it is no sound, take it off."
        )


def _is_file(head: bytes, magics: tuple[bytes, ...]) -> bool:
    is_sample_dump = head[:2] == b"\xf0\x7e" and head[3:4] == b"\x01" and head[20:21] == b"\xf7"
    return head.startswith(magics) or is_sample_dump


def _ends_sound(source: Source, place: int) -> bool:
    """Whether here, or after a pad byte, something begins that nobody writes in the midst of sound."""
    head = source.at(place, 17)
    return any(each.startswith(_TAGS) or each[:4] in _KNOWN_CHUNKS for each in (head, head[1:]))


def _followed(source: Source, first: int) -> Iterator[int]:
    """Where something begins behind the sound, and where that ends which is known."""
    ahead, seen = [first], {first}
    while ahead and len(seen) < _MOST_PIECES:
        place = ahead.pop()
        yield place
        for after in _after(source, place):
            if after <= source.size and after not in seen:
                seen.add(after)
                ahead.append(after)


def _after(source: Source, place: int) -> Iterator[int]:
    """Where that may end which begins here, or after a pad byte: padding, a tag or a chunk."""
    yield _after_padding(source, place)
    for first in (place, place + 1):
        yield skip_tags(source, first) if source.at(first, 16).startswith(_TAGS) else place
        for order, size_bytes in _ORDERS:
            yield next((chunk.stop for chunk in chunks(source, first, order, size_bytes)), place)
    for first in (place, place + -place % 8):
        head = source.at(first, 24)
        if head[_WAVE64_NODE_AT:16] in _WAVE64_NODES:
            yield first + max(24, int.from_bytes(head[16:], "little"))


def _after_padding(source: Source, place: int) -> int:
    """Zeros, or the same byte again and again, as where nobody has written to a card."""
    fill = source.at(place, 1)
    count = 1 if fill == b"\0" else _SHORTEST_PADDING
    if source.at(place, count) != fill * count:
        return place
    while data := source.at(place, count):
        same = len(data) if data == fill * len(data) else len(data) - len(data.lstrip(fill))
        place += same
        if same < len(data):
            break
        count = min(2 * count, _BUFFER)
    return place
