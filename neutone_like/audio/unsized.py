"""Containers that tell no length at all: only an end in the middle of a sample can be seen."""

import re
from typing import Any

from neutone_like.audio.extent import damaged
from neutone_like.audio.source import Source

_STARTS = {"IRCAM": 1024, "PAF": 2048, "SD2": 0, "XI": 338}
_INTEGER_BYTES = {"PCM_S8": 1, "PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "DPCM_8": 1, "DPCM_16": 2}
_BYTES = {**_INTEGER_BYTES, "FLOAT": 4, "DOUBLE": 8, "ULAW": 1, "ALAW": 1}


def require_whole_samples(source: Source, decoder: Any) -> None:
    """Check that such a file does not end within a sample.

    Args:
        source: The file.
        decoder: libsndfile's, which knows its channels and their coding.

    Raises:
        AudioError: It does.
    """
    start = _STARTS.get(decoder.format)
    if decoder.format == "PVF":
        start = len(match[0]) if (match := re.match(rb"PVF1\n[^\n]*\n", source.at(0, 100))) else None
    width = _BYTES.get(decoder.subtype)
    if start is None or width is None:
        return
    block = decoder.channels * (32 if decoder.format == "PAF" and decoder.subtype == "PCM_24" else width)
    rest = (source.size - start) % block
    if rest:
        raise damaged(source, f"it ends in the middle of a sample, {rest} of {block} bytes after its start")
