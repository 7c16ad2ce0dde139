"""Which container a file is, and what a decoder is to read of it."""

from collections.abc import Callable

from neutone_like.audio import aiff, au, caf, fixed_headers, flac, matlab, mpeg, ogg, riff, wave64
from neutone_like.audio.behind import require_no_sound_behind
from neutone_like.audio.extent import Extent
from neutone_like.audio.source import Source, View
from neutone_like.audio.tags import skip_tags

FindExtent = Callable[[Source], Extent | None]

_BY_MAGIC: tuple[tuple[bytes, FindExtent], ...] = (
    *((magic, riff.find_extent) for magic in riff.MAGIC),
    (wave64.MAGIC, wave64.find_extent),
    (aiff.MAGIC, aiff.find_extent),
    *((magic, au.find_extent) for magic in au.MAGIC),
    (caf.MAGIC, caf.find_extent),
    (flac.MAGIC, flac.find_extent),
    (matlab.MAGIC_5, matlab.find_extent_5),
    (b"2BIT", fixed_headers.avr),
    (b"\x01\x04", fixed_headers.mpc),
    (b"NIST_1A", fixed_headers.nist),
    (b"\xf0\x7e", fixed_headers.sds),
    (b"Creative Voice File\x1a", fixed_headers.voc),
    (b"ALawSoundFile**", fixed_headers.wve),
    (b"Extended Instrument: ", fixed_headers.xi),
)
_WHOLE_FILES = (*(magic for magic, _ in _BY_MAGIC if len(magic) >= 4), ogg.MAGIC)
# Of these no decoder reads a tag before the audio as anything else than a tag.
_LONGEST_MAGIC = 32


def pass_tags(source: Source) -> Source:
    """The file from its container on."""
    return source.after(skip_tags(source, 0))


def find_extent(source: Source) -> Extent | None:
    """Where the samples lie; None where that is the decoder's business alone.

    Raises:
        AudioError: The file is damaged or cut off, as far as that can be seen without decoding it.
    """
    head = source.at(0, _LONGEST_MAGIC)
    if head.startswith(ogg.MAGIC):
        ogg.require_whole(source)
        return None
    find = next((find for magic, find in _BY_MAGIC if head.startswith(magic)), None)
    if fixed_headers.is_htk(head):
        find = fixed_headers.htk
    if find is not None:
        extent = find(source)
        if extent is not None and find is not flac.find_extent:  # whose decoder notices
            require_no_sound_behind(source, extent, _WHOLE_FILES)
        return extent
    return matlab.find_extent_4(source) if matlab.is_version_4(head) else mpeg.find_extent(source)


def view_of(source: Source, extent: Extent | None) -> View:
    """What a decoder is to read."""
    if extent is None or (extent.header is None and (extent.promised is None or extent.rest is None)):
        return source.view()
    if extent.header is None:  # some decoders would play what follows
        return source.view(stop=extent.stop(source) + (extent.rest or 0))
    return source.view(extent.header, extent.start, extent.stop(source))
