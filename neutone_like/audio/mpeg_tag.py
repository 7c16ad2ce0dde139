"""The first frame of many MP3 files: it holds no sound, but says how many frames follow."""

from dataclasses import dataclass

from neutone_like.audio.mpeg_frame import MpegFrame, parse_frame

_VBRI_PLACE = 4 + 32
_ROOM = 64  # bytes that a tag of ours needs, and more


@dataclass(frozen=True)
class MpegTag:
    """A tag of the kinds Xing, Info or VBRI.

    Attributes:
        frames: How many follow; None where it does not tell.
        byte_count: Of all frames, the tag's own included; None where it does not tell.
    """

    frames: int | None
    byte_count: int | None


def parse_tag(frame: MpegFrame, data: bytes) -> MpegTag | None:
    """The tag in a frame's bytes, if it is one."""
    if frame.layer != 3:
        return None
    place = 4 + frame.side_bytes
    for at in (place, place + 2):  # some count the checksum
        if data[at : at + 4] in (b"Xing", b"Info"):
            flags = int.from_bytes(data[at + 4 : at + 8], "big")
            numbers = [int.from_bytes(data[k : k + 4], "big") for k in (at + 8, at + 12)]
            frames = numbers.pop(0) if flags & 1 else None
            return MpegTag(frames or None, (numbers[0] or None) if flags & 2 else None)
    if data[_VBRI_PLACE : _VBRI_PLACE + 4] == b"VBRI":
        byte_count, frames = (int.from_bytes(data[_VBRI_PLACE + k : _VBRI_PLACE + k + 4], "big") for k in (10, 14))
        return MpegTag(frames or None, byte_count or None)
    return None


def make_tag(like: bytes, frames: int) -> bytes:
    """A frame that tells a decoder how many follow.

    Args:
        like: The header of a layer III frame, of the stream that the tag is for.
        frames: How many follow.
    """
    for rate_code in range(1, 15):
        head = bytes((like[0], like[1] | 1, rate_code << 4 | like[2] & 0x0C, like[3]))
        frame = parse_frame(head)
        if frame is not None and frame.byte_count >= 4 + frame.side_bytes + _ROOM:
            content = head + bytes(frame.side_bytes) + b"Xing" + (1).to_bytes(4, "big") + frames.to_bytes(4, "big")
            return content + bytes(frame.byte_count - len(content))
    raise AssertionError("every rate has a frame that is long enough")
