"""Recordings whose header was never finished: what is there is read to its end, exactly."""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neutone_like.audio import AudioReader
from support.audio_files import SAMPLES, decoded, formats, patched, read_bytes, refusal, write

ZEROS, ONES = bytes(8), b"\xff" * 8
# A codec in blocks pads its last one, and only the header knows what is padding.
PADDED = {"GSM610"}
# Only the header tells how long these are: libsndfile can't decode them without.
NOT_WITHOUT_LENGTH = {("AIFF", "DWVW_16"), ("AIFF", "DWVW_24")}
PLACEHOLDERS = [struct.pack("<I", size) for size in (0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x7FFFF000, 0xFFFFFFDB)]


def unfinished(kind: str, content: bytes) -> Iterator[bytes]:
    """The file as recorders and pipes leave it."""
    if kind in ("WAV", "WAVEX"):
        data = content.index(b"data") + 4
        yield from (patched(content, (4, size), (data, size)) for size in PLACEHOLDERS)
        yield patched(content, (data, ZEROS[:4]))
    if kind == "RF64":
        sizes = content.index(b"ds64") + 8
        yield from (patched(content, (sizes, size), (sizes + 8, size)) for size in (ZEROS, ONES))
        yield patched(content, (sizes + 8, ZEROS), (content.index(b"data") + 4, ZEROS[:4]))
    if kind == "W64":
        data = content.index(b"data") + 16
        yield from (patched(content, (16, size), (data, size)) for size in (ZEROS, ONES))
        yield patched(content, (data, struct.pack("<Q", 24)))
    if kind == "AIFF":
        sound, count = content.index(b"SSND") + 4, content.index(b"COMM") + 10
        yield from (patched(content, (4, s[:4]), (sound, s[:4]), (count, s[:4])) for s in (ZEROS, ONES))
        yield patched(content, (count, ZEROS[:4]), (sound, struct.pack(">I", 8)))
        yield patched(content, (sound, ZEROS[:4]))
        yield patched(content, (count, ZEROS[:4]))
    if kind == "CAF":
        data = content.index(b"data") + 4
        yield from (patched(content, (data, size)) for size in (ZEROS, ONES, struct.pack(">Q", 4)))
    places = {"AU": 8, "AVR": 26, "HTK": 0, "MPC2K": 30, "WVE": 18}
    if kind in places:
        yield from (patched(content, (places[kind], size[:4])) for size in (ZEROS, ONES))
    if kind == "SVX":
        yield patched(content, (content.index(b"BODY") + 4, ZEROS[:4]))


KINDS = ["WAV", "WAVEX", "RF64", "W64", "AIFF", "CAF", "AU", "AVR", "HTK", "MPC2K", "WVE", "SVX"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind in soundfile.available_formats()])
def test_what_is_there_is_read(kind: str, tmp_path: Path) -> None:
    for subtype in (subtype for each, subtype in formats() if each == kind):
        path = tmp_path / f"whole.{kind.lower()}"
        content = write(path, kind, subtype)
        if content is None or subtype.startswith("ALAC"):  # whose table of packets follows the sound
            continue
        whole, tried = decoded(path), 0
        for each in unfinished(kind, content):
            tried += 1
            if (kind, subtype) in NOT_WITHOUT_LENGTH and "tells of 0 samples" in refusal(tmp_path, each):
                continue
            y = read_bytes(tmp_path, each)
            padding = y.shape[1] - whole.shape[1]
            assert padding == 0 or (0 < padding < 320 and (subtype in PADDED or "DWVW" in subtype))
            np.testing.assert_array_equal(y[:, : whole.shape[1]], whole, err_msg=f"{subtype} {tried}")
        assert tried > 0


def test_htk_is_read_as_its_header_says(tmp_path: Path) -> None:
    """It has no mark, and libsndfile knows it only by a count that fits the file's size."""
    content = write(tmp_path / "whole", "HTK", "PCM_16")
    assert content is not None
    assert "cut off: its header promises" in refusal(tmp_path, content[:-10])
    assert read_bytes(tmp_path, bytes(4) + content[4:12]).shape[1] == 0
    np.testing.assert_array_equal(read_bytes(tmp_path, content + bytes(3)), decoded(tmp_path / "whole"))
    np.testing.assert_array_equal(read_bytes(tmp_path, bytes(4) + content[4:-1]), decoded(tmp_path / "whole")[:, :-1])


def test_a_recorder_that_dies_within_a_sample(tmp_path: Path) -> None:
    content = write(tmp_path / "whole", "WAV", "PCM_24")
    assert content is not None
    cut = patched(content, (content.index(b"data") + 4, ZEROS[:4]))[:-4]
    np.testing.assert_array_equal(read_bytes(tmp_path, cut), decoded(tmp_path / "whole")[:, : SAMPLES - 1])


@pytest.mark.parametrize("size", [0, -1])
def test_a_length_that_only_the_header_knows(size: int, tmp_path: Path) -> None:
    content = write(tmp_path / "whole", "SDS", "PCM_16")
    assert content is not None
    said = refusal(tmp_path, patched(content, (10, bytes(3) if size == 0 else b"\x7f" * 3)))
    assert "tells of 0 samples" in said if size == 0 else "is cut off: its header promises 2097" in said


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "W64", "RF64", "CAF", "AU", "OGG"])
def test_an_empty_file_is_empty(kind: str, tmp_path: Path) -> None:
    subtype = "VORBIS" if kind == "OGG" else "PCM_16"
    content = write(tmp_path / "empty", kind, subtype, samples=0)
    assert content is not None
    assert read_bytes(tmp_path, content).shape == (2, 0)


@pytest.mark.parametrize("told", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_more_than_4_gib_of_unknown_length(told: int, tmp_path: Path) -> None:
    """A hole in the file takes no room on the disk."""
    path = tmp_path / "long.wav"
    form = struct.pack("<HHIIHH", 1, 2, 48000, 192000, 4, 16)
    size = (1 << 32) + 4000
    with path.open("wb") as file:
        file.write(b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + form + b"data" + struct.pack("<I", told))
        file.truncate(44 + size)
    with AudioReader(path) as reader:
        assert reader.samples == size // 4
        assert not reader.read(1000).any()
