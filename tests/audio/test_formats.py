"""Every format that libsndfile writes: whole files as libsndfile decodes them, cut-off ones refused in words."""

import re
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neutone_like import AudioError
from neutone_like.audio import AudioReader
from support.audio_files import (
    ID3,
    SAMPLES,
    WITHOUT_LENGTH,
    decoded,
    formats,
    patched,
    read,
    read_bytes,
    refusal,
    sound,
    write,
)

FORMATS = sorted({kind for kind, _ in formats()})
_WORDS = re.compile(r"is cut off|is damaged|can't be read as audio")


def subtypes(kind: str) -> list[str]:
    return [subtype for each, subtype in formats() if each == kind]


@pytest.mark.parametrize("kind", FORMATS)
def test_whole_files_are_read_as_libsndfile_reads_them(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"whole.{kind.lower()}"
    tried = 0
    for subtype in subtypes(kind):
        if write(path, kind, subtype) is None:
            continue
        tried += 1
        np.testing.assert_array_equal(read(path), decoded(path), err_msg=subtype)
    assert tried > 0


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind not in WITHOUT_LENGTH])
def test_files_that_lost_their_end_are_refused(kind: str, tmp_path: Path) -> None:
    for subtype in subtypes(kind):
        path = tmp_path / f"cut.{kind.lower()}"
        content = write(path, kind, subtype)
        if content is None:
            continue
        whole = decoded(path)
        for left in (len(content) * 6 // 10, len(content) * 99 // 100, len(content) - 2, len(content) - 1):
            said = refusal(tmp_path, content[:left], path.name)
            if said:
                assert _WORDS.search(said), (subtype, left, said)
            else:  # a byte that is no sound, after all that is
                assert left >= len(content) - 1, (subtype, left)
                np.testing.assert_array_equal(read(path), whole)


@pytest.mark.parametrize("kind", sorted(WITHOUT_LENGTH & set(FORMATS)))
def test_an_end_within_a_sample_is_noticed_where_no_length_is_told(kind: str, tmp_path: Path) -> None:
    for subtype in set(subtypes(kind)) - {"DPCM_8"}:
        path = tmp_path / f"cut.{kind.lower()}"
        content = write(path, kind, subtype)
        assert content is not None
        assert "it ends in the middle of a sample" in refusal(tmp_path, content[:-1], path.name), subtype


@pytest.mark.parametrize(
    ("kind", "subtype", "width", "header"),
    [
        ("WAV", "DOUBLE", 16, 80 + 8),
        ("RF64", "PCM_24", 6, 104),
        ("W64", "FLOAT", 8, 136),
        ("AU", "ULAW", 2, 24),
        ("AIFF", "DOUBLE", 16, 72 + 12),
        ("MAT5", "PCM_16", 4, 260),
    ],
)
def test_the_refusal_counts(kind: str, subtype: str, width: int, header: int, tmp_path: Path) -> None:
    path = tmp_path / "cut"
    content = write(path, kind, subtype)
    assert content is not None
    said = refusal(tmp_path, content[: len(content) // 2], "cut")
    match = re.search(r"its header promises (\d+) samples, the file holds (\d+) samples", said)
    assert match is not None, said
    assert int(match[1]) == SAMPLES
    assert abs(int(match[2]) - (len(content) // 2 - header) // width) <= 64 // width + 2


# ---------------------------------------------------------------------- WAV as others write it


def wav(form: bytes, data: bytes, before: bytes = b"", after: bytes = b"", order: str = "<") -> bytes:
    body = b"WAVE" + b"fmt " + struct.pack(f"{order}I", len(form)) + form + before
    body += b"data" + struct.pack(f"{order}I", len(data)) + data + after
    return (b"RIFF" if order == "<" else b"RIFX") + struct.pack(f"{order}I", len(body)) + body


def pcm_form(bits: int, place: int, channels: int = 2, order: str = "<") -> bytes:
    return struct.pack(f"{order}HHIIHH", 1, channels, 48000, 48000 * channels * place, channels * place, bits)


def extensible_form(bits: int, valid: int, channels: int = 2) -> bytes:
    block = channels * bits // 8
    guid = b"\x01\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
    head = struct.pack("<HHIIHHHHI", 0xFFFE, channels, 48000, 48000 * block, block, bits, 22, valid, 3)
    return head + guid


def as_samples(data: bytes, place: int, order: str = "little") -> np.ndarray:
    """By hand, from bytes of integers: ``(2, samples)``."""
    values = [int.from_bytes(data[at : at + place], order, signed=True) for at in range(0, len(data), place)]  # type: ignore[arg-type]
    return np.array(values).reshape(-1, 2).T / 2.0 ** (8 * place - 1)


@pytest.mark.parametrize(("bits", "place"), [(12, 2), (20, 3), (9, 2), (16, 2), (24, 3), (24, 4), (32, 4)])
@pytest.mark.parametrize("is_extensible", [False, True])
def test_any_number_of_bits(bits: int, place: int, is_extensible: bool, tmp_path: Path) -> None:
    data = np.random.default_rng(0).bytes(2 * place * 480)
    form = extensible_form(8 * place, bits) if is_extensible else pcm_form(bits, place)
    y = read_bytes(tmp_path, wav(form, data))
    np.testing.assert_allclose(y, as_samples(data, place), atol=2.0**-23)
    assert "promises 480 samples, the file holds 479 samples" in refusal(tmp_path, wav(form, data)[:-1])


def test_big_endian(tmp_path: Path) -> None:
    data = np.random.default_rng(0).bytes(4 * 480)
    content = wav(pcm_form(16, 2, order=">"), data, order=">")
    np.testing.assert_allclose(read_bytes(tmp_path, content), as_samples(data, 2, "big"))
    assert "holds 300 samples" in refusal(tmp_path, content[: 44 + 1203])
    unknown = patched(content, (40, bytes(4)))
    np.testing.assert_allclose(read_bytes(tmp_path, unknown), as_samples(data, 2, "big"))


@pytest.mark.parametrize("is_padded", [True, False])
def test_a_chunk_of_odd_length_before_the_sound(is_padded: bool, tmp_path: Path) -> None:
    data = np.random.default_rng(0).bytes(4 * 480)
    chunk = b"LIST" + struct.pack("<I", 9) + b"INFOICRD!" + b"\0" * is_padded
    np.testing.assert_allclose(read_bytes(tmp_path, wav(pcm_form(16, 2), data, chunk)), as_samples(data, 2))


def test_chunks_after_the_sound_are_not_sound(tmp_path: Path) -> None:
    data = np.random.default_rng(0).bytes(4 * 480)
    after = b"LIST" + struct.pack("<I", 4000) + bytes(4000)
    content = wav(pcm_form(16, 2), data, after=after)
    np.testing.assert_allclose(read_bytes(tmp_path, content), as_samples(data, 2))
    np.testing.assert_allclose(read_bytes(tmp_path, content[:-100]), as_samples(data, 2))  # and no sound is missing
    empty = wav(pcm_form(16, 2), b"", after=after)
    assert read_bytes(tmp_path, empty).shape == (2, 0)  # a length of 0 that is true


def test_two_stretches_of_sound_are_refused(tmp_path: Path) -> None:
    data = bytes(4 * 480)
    second = b"data" + struct.pack("<I", len(data)) + data
    assert "several data chunks" in refusal(tmp_path, wav(pcm_form(16, 2), data, after=second))


def test_bw64_is_rf64_by_another_name(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    content = write(path, "RF64", "PCM_24")
    assert content is not None
    whole = decoded(path)
    np.testing.assert_array_equal(read_bytes(tmp_path, b"BW64" + content[4:]), whole)
    assert "is cut off" in refusal(tmp_path, b"BW64" + content[4:-6])


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [("WAV", "PCM_16"), ("AIFF", "PCM_24"), ("FLAC", "PCM_16"), ("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS")],
)
def test_tags_before_the_audio(kind: str, subtype: str, tmp_path: Path) -> None:
    path = tmp_path / "a"
    content = write(path, kind, subtype)
    assert content is not None
    whole = decoded(path)
    np.testing.assert_array_equal(read_bytes(tmp_path, ID3 + content), whole)
    np.testing.assert_array_equal(read_bytes(tmp_path, ID3 + ID3 + content), whole)
    assert _WORDS.search(refusal(tmp_path, ID3 + content[:-40]))


# ---------------------------------------------------------------------- names and other odd files


@pytest.mark.parametrize(
    "name", ["-rf.wav", "ends. ", "new\nline.wav", "n" * 251 + ".wav", "ä" * 125 + ".flac", "dot."]
)
def test_any_name(name: str, tmp_path: Path) -> None:
    write(tmp_path / "a", "WAV", "FLOAT")
    np.testing.assert_array_equal(read_bytes(tmp_path, (tmp_path / "a").read_bytes(), name), decoded(tmp_path / "a"))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems want names to be text")
def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    write(tmp_path / "a", "WAV", "FLOAT")
    name = b"\xff\xfe.wav".decode("utf-8", "surrogateescape")
    assert read_bytes(tmp_path, (tmp_path / "a").read_bytes(), name).shape == (2, SAMPLES)


@pytest.mark.parametrize("name", ["n" * 300, "a\0b"])
def test_a_name_that_can_t_be(name: str, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="There is no file|can't be opened"):
        read(tmp_path / name)


def test_a_file_that_changes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, sound(), 16000)
    with AudioReader(path) as reader:
        reader.read(100)
        with path.open("ab") as file:
            file.write(bytes(4))
        with pytest.raises(AudioError, match="was changed while it was read"):
            reader.read_all()
