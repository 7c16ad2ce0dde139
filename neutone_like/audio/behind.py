"""What lies behind the sound that a header tells of: chunks, tags, padding. More sound there would be lost silently."""

from collections.abc import Iterator

from neutone_like.audio.chunks import chunks
from neutone_like.audio.extent import Extent
from neutone_like.audio.source import Source
from neutone_like.errors import AudioError

_MOST_STRAY_BYTES = _LOOK = 1 << 12
_WAVE64_NAME = bytes.fromhex("f3acd3118cd100c04f8edb8a")  # behind four letters
_TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN")
_WHICH_MAY_BE_CUT = (b"LIST", b"bext", b"cue ", b"smpl", b"id3 ", b"ID3 ", b"iXML", b"PEAK", b"JUNK", b"FLLR", b"free")


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
    end = place
    for start, stop in _followed(source, place):
        if source.at(start, 32).startswith(magics):
            raise AudioError(
                f"{source.path} is made of several files, one behind the other, and only the first would be heard. "
                "Split it, or join them with an audio editor."
            )
        end = max(end, stop)
    if source.size - end > _MOST_STRAY_BYTES and not _is_harmless(source, end):
        raise AudioError(
            f"{source.path} goes on for {source.size - end} bytes behind the {extent.told(extent.promised)} that its "
            "header tells of: a recording that was not finished, perhaps, whose end would be lost. Import it as raw "
            "data into an audio editor; or, if it is no sound, take it off."
        )


def _followed(source: Source, place: int) -> Iterator[tuple[int, int]]:
    """Where something begins behind the sound, and where it ends as far as that is a chunk."""
    for first in (place, place + 1):  # after a pad byte
        yield first, place
        for order, size_bytes in (("little", 4), ("big", 4), ("big", 8)):
            for chunk in chunks(source, first, order, size_bytes):  # type: ignore[arg-type]
                may_be_cut = chunk.name in _WHICH_MAY_BE_CUT
                is_whole = chunk.stop <= source.size
                yield chunk.start - 4 - size_bytes, chunk.stop if is_whole or may_be_cut else place
                if not is_whole:
                    break
    place += -place % 8
    while source.at(place + 4, 12) == _WAVE64_NAME:
        size = int.from_bytes(source.at(place + 16, 8), "little")
        yield place, min(place + max(size, 24), source.size)
        place += max(24, -(-size // 8) * 8)


def _is_harmless(source: Source, place: int) -> bool:
    if source.at(place, 16).startswith(_TAGS):
        return True
    return not any(source.at(place, _LOOK)) and not any(source.at(source.size - _LOOK, _LOOK))
