"""Ogg (Vorbis, Opus): every page has a number and a checksum, and the last one says that it is."""

from dataclasses import dataclass

from neutone_like.audio.checksums import ogg_crc
from neutone_like.audio.extent import REMEDY, damaged
from neutone_like.audio.source import Source
from neutone_like.errors import AudioError

MAGIC = b"OggS"
_HEAD = 27
_FIRST, _LAST = 2, 4  # flags of a page


@dataclass(frozen=True)
class _Page:
    flags: int
    serial: int
    number: int
    sample: int
    stop: int


def require_whole(source: Source) -> None:
    """Check every page.

    Raises:
        AudioError: A page is missing, damaged or cut off; the last page is missing; or the file holds several streams.
    """
    numbers: dict[int, int] = {}
    open_streams: set[int] = set()
    place = sample = 0
    while place < source.size and (page := _page_at(source, place, sample, not open_streams and bool(numbers))):
        if page.flags & _FIRST and numbers:
            raise _several(source)
        if page.number != numbers.get(page.serial, -1) + 1 and not page.flags & _FIRST:
            raise damaged(source, f"pages are missing before byte {place}")
        numbers[page.serial] = page.number
        open_streams.add(page.serial)
        if page.flags & _LAST:
            open_streams.discard(page.serial)
        place, sample = page.stop, max(sample, page.sample)
    if open_streams:
        raise _cut_off(source, sample, "the page that ends an Ogg file is missing")


def _page_at(source: Source, place: int, sample: int, can_end: bool) -> _Page | None:
    """The page that begins here, after that of ``sample``; None where the streams have ended and no page follows."""
    head = source.at(place, _HEAD + 255)
    if head[:4] != MAGIC[: len(head)]:
        if can_end:
            return None
        raise damaged(source, f"there is no page at byte {place}")
    lengths = head[_HEAD : _HEAD + head[26]] if len(head) >= _HEAD else b""
    size = _HEAD + len(lengths) + sum(lengths)
    page = source.at(place, size)
    if len(head) < _HEAD or len(lengths) < head[26] or len(page) < size:
        raise _cut_off(source, sample, f"its last page, at byte {place}, is not whole")
    if ogg_crc(page[:22] + bytes(4) + page[26:]) != int.from_bytes(page[22:26], "little"):
        raise damaged(source, f"the page at byte {place} has another checksum than it says")
    sample = int.from_bytes(page[6:14], "little", signed=True)
    serial, number = (int.from_bytes(page[at : at + 4], "little") for at in (14, 18))
    return _Page(page[5], serial, number, sample, place + size)


def _cut_off(source: Source, sample: int, why: str) -> AudioError:
    return AudioError(f"{source.path} is cut off after sample {sample}: {why}. {REMEDY}")


def _several(source: Source) -> AudioError:
    return AudioError(
        f"{source.path} holds several streams, and only the first would be heard. "
        "Split it into files of one stream each, or join them with an audio editor."
    )
