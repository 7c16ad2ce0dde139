"""MP3 and its older layers: the frames are counted, since tags may be missing or wrong and estimates are."""

from dataclasses import dataclass

from neutone_like.audio.extent import Extent, cut_off, damaged
from neutone_like.audio.mpeg_frame import MpegFrame, parse_frame
from neutone_like.audio.mpeg_tag import MpegTag, make_tag, parse_tag
from neutone_like.audio.source import Source
from neutone_like.audio.tags import skip_tags
from neutone_like.errors import AudioError

_LONGEST_FRAME = 2881  # bytes
_FRAMES_TO_BELIEVE = 3
_BUFFER = 1 << 16


@dataclass(frozen=True)
class _Chain:
    """Frame after frame: how many, the place of the first and the end of the last, and what was found there."""

    frames: int
    start: int
    stop: int
    ends_within_frame: bool


def find_start(source: Source) -> int | None:
    """Where the first frame of an MPEG stream lies; None if this is none.

    A recording of a broadcast begins in the middle of a frame, and some taggers leave zeros.
    """
    head = source.at(0, _BUFFER)
    zeros = len(head) - len(head.lstrip(b"\0"))
    place = zeros - 1
    while 0 <= (place := head.find(b"\xff", place + 1)) <= zeros + _LONGEST_FRAME:
        if _is_chain(source, place):
            return place
    return None


def find_extent(source: Source) -> Extent | None:
    """A header that tells how many frames there are, where that of the file does not.

    Raises:
        AudioError: The file is damaged, cut off, or in free format.
    """
    start = find_start(source)
    if start is None:
        return None
    head = source.at(start, 4)
    first = _require_frame(source, start, head)
    tag = parse_tag(first, source.at(start, first.byte_count))
    chain = _count(source, start + (first.byte_count if tag else 0), first)
    held = f"{chain.frames * first.samples} samples"
    if tag is not None and tag.frames is not None and _is_short(tag, chain, start):
        raise cut_off(source, f"{tag.frames * first.samples} samples", held)
    if chain.ends_within_frame:
        raise damaged(source, f"after {held} it ends in the middle of a frame")
    if tag is not None and tag.frames == chain.frames:
        return Extent(start, None, header=b"")
    if first.layer != 3:
        return Extent(start, None, header=b"", counted=chain.frames * first.samples)
    return Extent(chain.start, None, header=make_tag(head, chain.frames))


def _is_short(tag: MpegTag, chain: _Chain, start: int) -> bool:
    """Some writers count the tag among the frames: that one frame is missing where bytes are."""
    missing = (tag.frames or 0) - chain.frames
    return missing > 1 or (missing == 1 and (tag.byte_count is None or start + tag.byte_count > chain.stop))


def _require_frame(source: Source, place: int, head: bytes) -> MpegFrame:
    frame = parse_frame(head)
    if frame is None:
        raise damaged(source, f"there is no frame at byte {place}")
    if frame.byte_count == 0:
        raise AudioError(
            f"{source.path} is in free format: its frames don't tell how long they are. "
            "Convert it with the program that made it, or with ffmpeg."
        )
    return frame


def _is_chain(source: Source, place: int) -> bool:
    first = parse_frame(source.at(place, 4))
    frame = first
    for _ in range(_FRAMES_TO_BELIEVE):
        if frame is None or first is None or not frame.is_like(first):
            return False
        if frame.byte_count == 0:
            return place == 0
        place += frame.byte_count
        if place >= source.size:
            return True
        frame = parse_frame(source.at(place, 4))
        if frame is None and skip_tags(source, place) != place:
            return True
    return True


def _count(source: Source, start: int, first: MpegFrame) -> _Chain:
    """Follow the frames to the end.

    Raises:
        AudioError: Something else than frames and tags lies between or after them.
    """
    frames, place, buffer, buffered = 0, start, b"", start
    while place < source.size:
        if place + 4 > buffered + len(buffer):
            buffer, buffered = source.at(place, _BUFFER), place
        frame = parse_frame(buffer[place - buffered : place - buffered + 4])
        if frame is None or not frame.is_like(first):
            after = skip_tags(source, place)
            if after == place and _holds_nothing(source, place):
                break
            if after == place:
                raise _broken(source, place, frame, first)
            place = after
            continue
        if place + frame.byte_count > source.size:
            return _Chain(frames, start, source.size, ends_within_frame=True)
        place, frames = place + max(1, frame.byte_count), frames + 1
    return _Chain(frames, start, min(place, source.size), ends_within_frame=False)


def _broken(source: Source, place: int, frame: MpegFrame | None, first: MpegFrame) -> AudioError:
    if frame is not None and frame.sample_rate != first.sample_rate and _is_chain(source, place):
        return AudioError(
            f"{source.path} changes from {first.sample_rate} to {frame.sample_rate} Hz at byte {place}. "
            "Split it there into two files."
        )
    return damaged(source, f"there is no frame at byte {place}")


def _holds_nothing(source: Source, place: int) -> bool:
    """Whether zeros or the items of an APE tag without a header fill the rest."""
    rest = source.at(place, _BUFFER)
    is_last = place + len(rest) == source.size
    return is_last and (not rest.strip(b"\0") or b"APETAGEX" in rest[-160:])
