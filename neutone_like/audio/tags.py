"""Tags before, between and after the audio: ID3, APE, Lyrics3."""

from neutone_like.audio.source import Source

_LONGEST_LYRICS = 1 << 17


def skip_tags(source: Source, place: int) -> int:
    """Where what is no tag begins, from ``place`` on."""
    while (after := _skip_one(source, place)) != place:
        place = after
    return place


def before_last_tags(source: Source) -> int:
    """Where the tags at the end of a file begin, which tell their length behind them; its end if there are none."""
    place, before = source.size, -1
    while place != before:
        before = place
        if source.at(place - 128, 3) == b"TAG":
            place -= 128
        if source.at(place - 9, 9) == b"LYRICS200" and (length := source.at(place - 15, 6)).isdigit():
            place -= 15 + int(length)
        foot = source.at(place - 32, 32)
        if foot[:8] == b"APETAGEX":  # its length counts the foot and not the head, which some have
            place -= int.from_bytes(foot[12:16], "little") + (32 if foot[23] & 0x80 else 0)
        place = max(0, place)
    return place


def _skip_one(source: Source, place: int) -> int:
    head = source.at(place, 32)
    if head[:3] == b"ID3" and len(head) >= 10 and max(head[6:10]) < 0x80:
        return min(source.size, place + 10 + _seven_bits(head[6:10]) + (10 if head[5] & 0x10 else 0))
    if head[:4] == b"TAG+":
        return min(source.size, place + 227)
    if head[:3] == b"TAG":
        return min(source.size, place + 128)
    if head[:8] == b"APETAGEX":
        is_header = bool(head[23] & 0x20) if len(head) > 23 else False
        return min(source.size, place + 32 + (int.from_bytes(head[12:16], "little") if is_header else 0))
    if head[:11] == b"LYRICSBEGIN":
        return _after_lyrics(source, place)
    return place


def _after_lyrics(source: Source, place: int) -> int:
    text = source.at(place, _LONGEST_LYRICS)
    ends = [at + 9 for mark in (b"LYRICS200", b"LYRICSEND") if (at := text.find(mark)) >= 0]
    return place + min(ends) if ends else place


def _seven_bits(digits: bytes) -> int:
    value = 0
    for digit in digits:
        value = value << 7 | digit
    return value
