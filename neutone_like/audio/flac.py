"""FLAC whose header does not know the length, as from a pipe, or tells too little: its last frame knows."""

from dataclasses import dataclass

from neutone_like.audio.checksums import crc8, crc16
from neutone_like.audio.extent import Extent, damaged
from neutone_like.audio.source import Source

MAGIC = b"fLaC"
_STREAM_INFO_END = 42
_COUNT_BITS = (1 << 36) - 1
_LONGEST_HEAD = 17
_LONGEST_FRAME = 1 << 22  # bytes: 65535 samples of 8 channels, not compressed at all, and more
_RATE_BYTES = {12: 1, 13: 2, 14: 2}


@dataclass(frozen=True)
class _Frame:
    """First sample and number of samples."""

    first: int
    samples: int


def find_extent(source: Source) -> Extent | None:
    """A header with the length in it, where that of the file has none, or one that is too short.

    Raises:
        AudioError: There is no length, and no whole frame at the end either.
    """
    head = source.at(0, _STREAM_INFO_END)
    if len(head) < _STREAM_INFO_END or head[4] & 0x7F:
        return None
    counts = int.from_bytes(head[18:26], "big")
    told, nominal = counts & _COUNT_BITS, int.from_bytes(head[8:10], "big")
    start, stop = _first_frame(source), _without_last_tag(source)
    first, last = _frame_at(source.at(start, _LONGEST_HEAD), nominal), _last_frame(source, start, stop, nominal)
    if told == 0 and (first is None or last is None):
        raise damaged(source, "its header does not tell how long it is, and it ends in the middle of a frame")
    samples = told if first is None or last is None else last.first + last.samples - first.first
    if samples <= told:  # libFLAC checks every frame, and notices when some are missing
        return Extent(0, stop, header=b"") if stop < source.size else None
    header = head[:18] + (counts - told | samples & _COUNT_BITS).to_bytes(8, "big") + head[26:]
    return Extent(_STREAM_INFO_END, stop - _STREAM_INFO_END, header=header)


def _first_frame(source: Source) -> int:
    """After the metadata blocks, the last of which is marked."""
    place, is_last = 4, False
    while not is_last and len(head := source.at(place, 4)) == 4:
        is_last = bool(head[0] & 0x80)
        place += 4 + int.from_bytes(head[1:], "big")
    return place


def _last_frame(source: Source, start: int, end: int, nominal: int) -> _Frame | None:
    window = 1 << 14
    while True:
        data = source.at(max(start, end - window), min(window, end - start))
        place = len(data)
        while (place := data.rfind(b"\xff", 0, place)) >= 0:
            frame = _frame_at(data[place : place + _LONGEST_HEAD], nominal)
            if frame is not None and crc16(data[place:-2]) == int.from_bytes(data[-2:], "big"):
                return frame
        if window >= min(end - start, _LONGEST_FRAME):
            return None
        window *= 4


def _without_last_tag(source: Source) -> int:
    return source.size - 128 if source.at(source.size - 128, 3) == b"TAG" else source.size


def _frame_at(head: bytes, nominal: int) -> _Frame | None:
    """The frame that begins here, if one does: a frame's header has a checksum."""
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xFE != 0xF8:
        return None
    number, at = _coded_number(head, 4)
    size_code, rate_code = head[2] >> 4, head[2] & 15
    if number is None or size_code == 0 or rate_code == 15:
        return None
    size_bytes = {6: 1, 7: 2}.get(size_code, 0)
    end = at + size_bytes + _RATE_BYTES.get(rate_code, 0)
    if end >= len(head) or crc8(head[:end]) != head[end]:
        return None
    samples = _block_size(size_code, int.from_bytes(head[at : at + size_bytes], "big"))
    return _Frame(number if head[1] & 1 else number * nominal, samples)


def _block_size(code: int, following: int) -> int:
    if code in (6, 7):
        return following + 1
    if code == 1:
        return 192
    return 576 << (code - 2) if code < 6 else 256 << (code - 8)


def _coded_number(head: bytes, at: int) -> tuple[int | None, int]:
    """A number as UTF-8 codes it, in up to 7 bytes; and where it ends."""
    first = head[at]
    if first < 0x80:
        return first, at + 1
    ones = 8 - (first ^ 0xFF).bit_length()
    following = head[at + 1 : at + ones]
    if ones == 1 or ones > 7 or any(byte & 0xC0 != 0x80 for byte in following):
        return None, at
    value = first & (0x7F >> ones)
    for byte in following:
        value = value << 6 | byte & 0x3F
    return value, at + ones
