"""Containers whose length stands at a fixed place, or in text: AVR, HTK, MPC 2000, NIST, SDS, VOC, WVE, XI."""

import re
from fractions import Fraction

from neutone_like.audio.extent import Extent, damaged, per_sample
from neutone_like.audio.source import Source

_HTK_PERIODS = (10, 10_000)  # 100 ns, so 1 MHz to 1 kHz
_HEARD_IN_VOC = (1, 2, 3, 6, 9)  # sound, more of it, silence, the begin of what is repeated, sound


def avr(source: Source) -> Extent:
    """Audio Visual Research: an Atari's."""
    head = source.at(0, 30)
    channels = 2 if head[12:14] != b"\0\0" else 1
    block = channels * max(1, int.from_bytes(head[14:16], "big") // 8)
    return _counted(128, int.from_bytes(head[26:30], "big"), block)


def is_htk(head: bytes) -> bool:
    """Whether these first bytes are those of 16-bit sound of the HTK, which has no mark: a count, a period, what it is.

    Source: The HTK Book 3.4, section 5.10.1; a waveform is of kind 0, with 2 bytes a sample.
    """
    period = int.from_bytes(head[4:8], "big")
    return head[8:12] == b"\0\2\0\0" and _HTK_PERIODS[0] <= period <= _HTK_PERIODS[1]


def htk(source: Source) -> Extent:
    """Hidden Markov Model Toolkit. Decoders take only files whose count is right: an unknown one is filled in."""
    head = source.at(0, 12)
    known = _counted(12, int.from_bytes(head[:4], "big"), 2)
    if known.promised is not None:
        return known
    samples = (source.size - 12) // 2
    return Extent(12, 2 * samples, 2, Fraction(1, 2), header=samples.to_bytes(4, "big") + head[4:])


def mpc(source: Source) -> Extent:
    """Akai MPC 2000."""
    head = source.at(0, 42)
    return _counted(42, int.from_bytes(head[30:34], "little"), 2 * (1 + head[21]))


def nist(source: Source) -> Extent:
    """NIST SPHERE: a header of text."""
    head = source.at(0, 1024)
    numbers = {name: int(value) for name, value in re.findall(rb"(\w+) -i (\d+)", head)}
    size = re.match(rb"NIST_1A\s+(\d+)", head)
    block = numbers.get(b"channel_count", 1) * numbers.get(b"sample_n_bytes", 1)
    return _counted(int(size[1]) if size else 1024, numbers.get(b"sample_count", 0), block)


def sds(source: Source) -> Extent:
    """MIDI sample dump: packets of 127 bytes, each with 120 bytes of samples of 7 bits."""
    head = source.at(0, 21)
    samples = head[10] | head[11] << 7 | head[12] << 14
    in_packet = 120 // max(1, -(-head[6] // 7))
    return Extent(21, -(-samples // in_packet) * 127 or None, 127, Fraction(in_packet, 127))


def voc(source: Source) -> Extent | None:
    """Creative Voice: blocks, and 0 behind the last.

    Raises:
        AudioError: Several of them are heard, where a decoder would take them for one.
    """
    place, extent = int.from_bytes(source.at(20, 2), "little"), None
    while len(head := source.at(place, 4)) == 4 and head[0]:
        size = int.from_bytes(head[1:], "little")
        if head[0] in _HEARD_IN_VOC and (extent is not None or head[0] not in (1, 9)):
            raise damaged(source, "its sound lies in several blocks, or is repeated, and they would be taken for one")
        if head[0] in (1, 9):
            inside = source.at(place + 4, 12)
            skipped = {1: 2, 9: 12}[head[0]]
            block = inside[4] // 8 * inside[5] if head[0] == 9 else 1
            is_known = skipped < size < 0xFF_FFFF
            promised = size - skipped if is_known else None
            extent = Extent(place + 4 + skipped, promised, max(1, block), per_sample(block), rest=1)
        place += 4 + size
    return extent


def wve(source: Source) -> Extent:
    """Psion's A-law."""
    return _counted(32, int.from_bytes(source.at(18, 4), "big"), 1)


def xi(source: Source) -> Extent:
    """FastTracker instrument; libsndfile leaves the length of its sample 0."""
    size = int.from_bytes(source.at(298, 4), "little")
    block = 2 if source.at(312, 1) == b"\x10" else 1
    return Extent(338, size or None, block, per_sample(block))


def _counted(start: int, samples: int, block: int) -> Extent:
    """Samples that a header counts, of ``block`` bytes for all channels; 0 and all ones mean that it does not."""
    is_known = 0 < samples < 0xFFFF_FFFF
    return Extent(start, samples * block if is_known else None, block, per_sample(block))
