"""The header of an MPEG audio frame: how long the frame is, and how many samples it holds."""

from dataclasses import dataclass

_KBPS_1 = {
    1: (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_KBPS_2 = {
    1: (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    3: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = (44100, 48000, 32000)
_MONO = 3


@dataclass(frozen=True)
class MpegFrame:
    """A frame, without its content.

    Attributes:
        version: 1; 2 for half the sample rates; 4 for a quarter (MPEG 2.5).
        layer: 1, 2 or 3.
        byte_count: With the header; 0 in free format, whose length no header tells.
        channels: 1 or 2.
        has_checksum: 2 bytes after the header.
    """

    version: int
    layer: int
    sample_rate: int
    byte_count: int
    channels: int
    has_checksum: bool

    @property
    def samples(self) -> int:
        """Of each channel."""
        if self.layer == 1:
            return 384
        return 576 if self.layer == 3 and self.version > 1 else 1152

    @property
    def side_bytes(self) -> int:
        """What lies between the header of a layer III frame and its sound."""
        sizes = (17, 32) if self.version == 1 else (9, 17)
        return sizes[self.channels - 1]

    def is_like(self, other: "MpegFrame") -> bool:
        """Whether the two can belong to one stream."""
        return (self.version, self.layer, self.sample_rate) == (other.version, other.layer, other.sample_rate)


def parse_frame(head: bytes) -> MpegFrame | None:
    """The frame that begins with these 4 bytes, if one does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = {0: 4, 2: 2, 3: 1}.get(head[1] >> 3 & 3), 4 - (head[1] >> 1 & 3)
    rate_code, rate_bits = head[2] >> 4, head[2] >> 2 & 3
    if version is None or layer == 4 or rate_code == 15 or rate_bits == 3:
        return None
    rate = _RATES[rate_bits] // version
    kbps = (_KBPS_1 if version == 1 else _KBPS_2)[layer][rate_code]
    padding = head[2] >> 1 & 1
    size = _byte_count(version, layer, kbps * 1000, rate, padding) if kbps else 0
    return MpegFrame(version, layer, rate, size, 1 if head[3] >> 6 == _MONO else 2, not head[1] & 1)


def _byte_count(version: int, layer: int, bits_per_second: int, rate: int, padding: int) -> int:
    if layer == 1:
        return (12 * bits_per_second // rate + padding) * 4
    slots = 72 if layer == 3 and version > 1 else 144
    return slots * bits_per_second // rate + padding
