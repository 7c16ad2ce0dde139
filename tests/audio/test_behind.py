"""What lies behind the sound of a file: other files, more sound than the header tells of, or nothing that matters."""

import struct
from pathlib import Path

import numpy as np
import pytest

from neutone_like.audio import AudioReader
from support.audio_files import SAMPLES, decoded, formats, patched, read_bytes, refusal, write

# Joined ones are refused by other parts, or played whole (MP3); or no length is told, so that nothing can be seen.
OTHERWISE = {"OGG", "FLAC", "MP3", "MPEG", "IRCAM", "PAF", "PVF", "SD2", "XI", "HTK", "MAT4", "MPC2K"}
KINDS = sorted({kind for kind, _ in formats()} - OTHERWISE)
JUNK = np.random.default_rng(1).bytes(500)
# Where the length of 32 bits stands that recorders write now and then.
STALE = {"WAV": ("<I", b"data", 4), "AIFF": (">I", b"SSND", 4), "AU": (">I", b".snd", 8)}


def whole(kind: str, folder: Path) -> tuple[bytes, np.ndarray]:
    subtype = next(subtype for each, subtype in formats() if each == kind and subtype.startswith(("PCM", "ALAW")))
    content = write(folder / "whole", kind, subtype)
    assert content is not None
    return content, decoded(folder / "whole")


@pytest.mark.parametrize("kind", KINDS)
def test_files_that_were_joined_are_refused_and_stray_bytes_are_no_sound(kind: str, tmp_path: Path) -> None:
    content, sound = whole(kind, tmp_path)
    assert "made of several files" in refusal(tmp_path, content + content)
    for behind in (b"", JUNK, bytes(100_000), b"TAG" + JUNK, b"ID3" + bytes(20_000) + JUNK):
        np.testing.assert_array_equal(read_bytes(tmp_path, content + behind), sound)


def chunk(name: bytes, inside: bytes, form: str = "<I") -> bytes:
    return name + struct.pack(form, len(inside)) + inside + bytes(len(inside) % 2)


PICTURE = np.random.default_rng(2).bytes(50_000)
ID3_WITH_A_PICTURE = b"ID3\4\0\0" + bytes((0, 3, 6, 80)) + PICTURE
APE_FOOT = b"APETAGEX" + struct.pack("<IIII", 2000, len(PICTURE) + 32, 1, 0) + bytes(8)
LYRICS = b"LYRICSBEGIN" + bytes(5000) + b"005011LYRICS200"
ID3_OF_1996 = b"TAG" + bytes(125)
HARMLESS = {
    "ID3": ID3_WITH_A_PICTURE,
    "a pad byte and ID3": b"\0" + ID3_WITH_A_PICTURE,
    "zeros and ID3": bytes(5000) + ID3_WITH_A_PICTURE,
    "APE without a head": PICTURE + APE_FOOT,
    "APE, lyrics and ID3": PICTURE + APE_FOOT + LYRICS + ID3_OF_1996,
    "never written": b"\xff" * 40_000,
    "a sector's rest and a chunk": bytes(512) + chunk(b"LIST", PICTURE),
    "a chunk that is cut off": chunk(b"axml", PICTURE)[:-9000],
    "a chunk without its pad byte": chunk(b"LIST", PICTURE[1:])[:-1] + chunk(b"id3 ", ID3_WITH_A_PICTURE),
    "a chunk and the rest of a cluster": chunk(b"bext", bytes(602)) + PICTURE,
    "an unknown chunk": chunk(b"xyz ", PICTURE),
    "two bytes that begin a dump": b"\xf0\x7e",
}
WAVE64_NAMES = (
    b"list" + bytes.fromhex("f3acd3118cd100c04f8edb8a"),
    bytes.fromhex("6c6973742f91cf11a5d628db04c10000"),  # as Sony's own programs have it
    bytes.fromhex("5662f7ab2d39d21186c700c04f8edb8a"),  # a marker
)


@pytest.mark.parametrize("behind", HARMLESS)
@pytest.mark.parametrize(
    ("kind", "subtype"), [("WAV", "PCM_16"), ("WAV", "PCM_U8"), ("AIFF", "PCM_24"), ("CAF", "FLOAT")]
)
def test_what_is_no_sound_hides_none(kind: str, subtype: str, behind: str, tmp_path: Path) -> None:
    content = write(tmp_path / "whole", kind, subtype, samples=4001)
    assert content is not None
    np.testing.assert_array_equal(read_bytes(tmp_path, content + HARMLESS[behind]), decoded(tmp_path / "whole"))


def test_nor_is_sound_hidden_by_silence_at_its_ends(tmp_path: Path) -> None:
    content, _ = whole("WAV", tmp_path)
    begin = content.index(b"data") + 4
    quiet = struct.pack("<I", 4000) + bytes(4000) + bytes(9000) + PICTURE + bytes(9000)
    assert "a recording that was not finished" in refusal(tmp_path, content[:begin] + quiet)
    for between in (bytes(5000), ID3_WITH_A_PICTURE, chunk(b"LIST", PICTURE)):
        assert "made of several files" in refusal(tmp_path, content + between + content)


@pytest.mark.parametrize("name", WAVE64_NAMES)
def test_chunks_of_wave64_are_no_sound(name: bytes, tmp_path: Path) -> None:
    content = write(tmp_path / "whole", "W64", "PCM_16")
    assert content is not None
    behind = name + struct.pack("<Q", 24 + len(PICTURE)) + PICTURE
    assert read_bytes(tmp_path, content + bytes(-len(content) % 8) + behind).shape[1] == SAMPLES


@pytest.mark.parametrize("kind", STALE)
def test_more_sound_than_the_header_tells_of_is_not_lost(kind: str, tmp_path: Path) -> None:
    """As of a recorder that wrote its length every few seconds, and died."""
    content, _ = whole(kind, tmp_path)
    form, name, further = STALE[kind]
    stale = patched(content, (content.index(name) + further, struct.pack(form, 4000)))
    assert "bytes behind the" in refusal(tmp_path, stale)


@pytest.mark.parametrize("kind", ["AVR", "NIST", "WVE", "W64"])
def test_nor_where_a_decoder_plays_to_the_end(kind: str, tmp_path: Path) -> None:
    content, _ = whole(kind, tmp_path)
    place, size = {
        "AVR": (26, struct.pack(">I", 100)),
        "NIST": (content.find(b"sample_count -i ") + 16, b"00100"),
        "WVE": (18, struct.pack(">I", 100)),
        "W64": (content.find(b"data") + 16, struct.pack("<Q", 424)),
    }[kind]
    assert "a recording that was not finished" in refusal(tmp_path, patched(content, (place, size)))


@pytest.mark.parametrize("gibibytes", [1, 2])
def test_a_length_of_which_32_bits_hold_the_rest(gibibytes: int, tmp_path: Path) -> None:
    """Some writers go on beyond 4 GiB all the same. A hole in the file takes no room on the disk."""
    path = tmp_path / "long.wav"
    form = struct.pack("<HHIIHH", 1, 2, 48000, 192000, 4, 16)
    size = (gibibytes << 32) + 4_000_000
    with path.open("wb") as file:
        file.write(b"RIFF\x24\x09\x3d\0WAVEfmt \x10\0\0\0" + form + b"data" + struct.pack("<I", 4_000_000))
        file.truncate(44 + size)
    with AudioReader(path) as reader:
        assert reader.samples == size // 4


def voc(*blocks: tuple[int, bytes]) -> bytes:
    head = b"Creative Voice File\x1a" + struct.pack("<HHH", 26, 0x10A, 0x1129)
    return (
        head + b"".join(bytes([kind]) + len(inside).to_bytes(3, "little") + inside for kind, inside in blocks) + b"\0"
    )


def test_sound_in_several_blocks_is_refused(tmp_path: Path) -> None:
    """A decoder plays the head of the second as sound, or leaves it out."""
    one = (9, struct.pack("<IBBHI", 8000, 8, 1, 0, 0) + JUNK)
    assert read_bytes(tmp_path, voc(one)).shape == (1, len(JUNK))
    for blocks in ((one, one), (one, (2, JUNK)), (one, (3, b"\x20\x03\x83"), one), ((6, b"\x01\0"), one, (7, b""))):
        assert "its sound lies in several blocks, or is repeated" in refusal(tmp_path, voc(*blocks))


def test_the_last_chunk_of_a_wave64_file_is_no_sound(tmp_path: Path) -> None:
    content = write(tmp_path / "whole", "W64", "PCM_16")
    assert content is not None
    content += bytes(-len(content) % 8)
    name = b"list" + bytes.fromhex("f3acd3118cd100c04f8edb8a")
    chunk = name + struct.pack("<Q", 24 + 8000) + JUNK * 16
    y = read_bytes(tmp_path, patched(content, (16, struct.pack("<Q", len(content) + len(chunk)))) + chunk)
    assert y.shape[1] == SAMPLES
