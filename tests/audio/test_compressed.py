"""MP3, FLAC and Ogg: counted and checked, since their headers estimate, leave out, or don't know."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.audio_files import ID3, ID3_AT_THE_END, decoded, encoded, patched, read, read_bytes, refusal, sound

KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
KBPS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def frames_of(data: bytes) -> list[bytes]:
    """Layer III frames, taken apart by hand."""
    found: list[bytes] = []
    while data:
        version, padding = data[1] >> 3 & 3, data[2] >> 1 & 1
        rate = RATES[version][data[2] >> 2 & 3]
        kbps, slots = (KBPS, 144) if version == 3 else (KBPS_2, 72)
        size = slots * kbps[data[2] >> 4] * 1000 // rate + padding
        found.append(data[:size])
        data = data[size:]
    return found


def quiet_then_loud(samples: int, channels: int) -> Any:
    """What an encoder of variable rate spends few bits on, and then many."""
    x = sound(channels, samples)
    return x * np.where(np.arange(samples) < samples // 2, 1e-4, 0.8)[:, None]


def mp3(folder: Path, rate: int = 44100, channels: int = 2, samples: int = 60000) -> list[bytes]:
    """An MP3 of variable rate, in frames; the first is the tag."""
    return frames_of(encoded(quiet_then_loud(samples, channels), rate, "MP3", "MPEG_LAYER_III", folder))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [44100, 48000, 32000, 22050, 24000, 16000, 11025, 12000, 8000])
def test_mp3_without_a_tag(rate: int, channels: int, tmp_path: Path) -> None:
    frames = mp3(tmp_path, rate, channels, 30000)
    whole = read_bytes(tmp_path, b"".join(frames))
    assert whole.shape == (channels, 30000)
    bare = read_bytes(tmp_path, b"".join(frames[1:]))
    coded = (len(frames) - 1) * (1152 if rate >= 32000 else 576)
    assert 30000 <= bare.shape[1] <= coded  # all of it but the decoder's own delay
    assert bare.shape[1] >= coded - 529
    lag = bare.shape[1] - coded + 529 + 576  # what the encoder put before the sound
    np.testing.assert_allclose(bare[:, lag : lag + 30000], whole, atol=1e-4)


@pytest.mark.parametrize(
    "after",
    [
        ID3_AT_THE_END,
        bytes(700),
        b"APETAGEX" + struct.pack("<IIII", 2000, 40, 1, 0xA0000000) + bytes(16)
        + b"APETAGEX" + struct.pack("<IIII", 2000, 40, 1, 0x80000000) + bytes(8),
        b"\1\0\0\0\0\0\0\0a\0" + b"APETAGEX" + struct.pack("<IIII", 1000, 42, 1, 0) + bytes(8) + ID3_AT_THE_END,
        b"LYRICSBEGININD0000200000029LYRICS200" + ID3_AT_THE_END,
    ],
    ids=["ID3v1", "zeros", "APEv2", "APEv1", "Lyrics3"],
)  # fmt: skip
def test_tags_after_mp3(after: bytes, tmp_path: Path) -> None:
    frames = mp3(tmp_path)
    whole = decoded(tmp_path / "made.mp3")
    np.testing.assert_array_equal(read_bytes(tmp_path, b"".join(frames) + after), whole)
    assert read_bytes(tmp_path, ID3 + bytes(500) + b"".join(frames[1:]) + after).shape[1] > whole.shape[1]


def test_mp3_tags_that_are_wrong(tmp_path: Path) -> None:
    frames = mp3(tmp_path)
    data = b"".join(frames)
    place = next(at for name in (b"Xing", b"Info") if (at := data.find(name)) > 0)
    for fewer in (0, 1, 10, len(frames) - 2):
        y = read_bytes(tmp_path, patched(data, (place + 8, struct.pack(">I", fewer))))
        assert y.shape[1] == (len(frames) - 1) * 1152 - 529
    said = refusal(tmp_path, patched(data, (place + 8, struct.pack(">I", 1000))))
    assert f"its header promises 1152000 samples, the file holds {(len(frames) - 1) * 1152} samples" in said


def test_mp3s_in_one_file_are_all_heard(tmp_path: Path) -> None:
    frames = mp3(tmp_path)
    one = b"".join(frames)
    for joined in (one + one, ID3 + one + ID3_AT_THE_END + ID3 + one + ID3_AT_THE_END, b"".join(frames[1:]) * 2):
        y = read_bytes(tmp_path, joined)
        assert y.shape[1] >= 2 * 60000
        assert np.abs(y[:, -40000:-5000]).max() > 0.3  # the loud half of the second


@pytest.mark.parametrize("has_tag", [True, False])
def test_mp3_that_lost_something(has_tag: bool, tmp_path: Path) -> None:
    frames = mp3(tmp_path)[not has_tag :]
    data = b"".join(frames)
    for left in (len(data) * 6 // 10, len(data) * 99 // 100, len(data) - 1):
        assert "is cut off" in (said := refusal(tmp_path, data[:left])) or "in the middle of a frame" in said
    noise = np.random.default_rng(1).bytes(2000)
    assert "there is no frame at byte" in refusal(tmp_path, patched(data, (len(data) // 2, noise)))
    assert "there is no frame at byte" in refusal(tmp_path, data[: len(data) // 2] + data[len(data) // 2 + 100 :])
    if has_tag:  # the missing frame is counted
        assert "is cut off" in refusal(tmp_path, b"".join(frames[:-1]))


def test_mp3_of_a_broadcast_begins_anywhere(tmp_path: Path) -> None:
    frames = mp3(tmp_path)
    y = read_bytes(tmp_path, b"".join(frames[3:])[50:])
    assert y.shape[1] == (len(frames) - 4) * 1152 - 529


def test_mp3_in_free_format(tmp_path: Path) -> None:
    head = bytes((0xFF, 0xFB, 0x00, 0x40))
    assert "is in free format" in refusal(tmp_path, (head + bytes(400)) * 5, "free.mp3")


# ---------------------------------------------------------------------- FLAC


def with_length(data: bytes, samples: int) -> bytes:
    """Another number of samples in a FLAC file's header, where 0 means that it is not known."""
    word = int.from_bytes(data[18:26], "big") >> 36 << 36 | samples
    return patched(data, (18, word.to_bytes(8, "big")))


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
@pytest.mark.parametrize("samples", [1, 4096, 50001])
def test_flac_of_unknown_length(subtype: str, samples: int, tmp_path: Path) -> None:
    data = encoded(quiet_then_loud(samples, 2), 44100, "FLAC", subtype, tmp_path)
    whole = decoded(tmp_path / "made.flac")
    unknown = with_length(data, 0)
    for each in (unknown, ID3 + unknown, unknown + ID3_AT_THE_END, with_length(data, max(1, samples // 2))):
        np.testing.assert_array_equal(read_bytes(tmp_path, each), whole)
    for left in (len(data) - 1, len(data) - 5):
        assert "its header does not tell how long it is" in refusal(tmp_path, unknown[:left])


@pytest.mark.parametrize("told", [50001, 0])
def test_damage_in_flac(told: int, tmp_path: Path) -> None:
    data = with_length(encoded(sound(2, 50001), 44100, "FLAC", "PCM_16", tmp_path), told)
    middle = len(data) // 2
    assert "is damaged" in refusal(tmp_path, patched(data, (middle, bytes([data[middle] ^ 1]))))
    assert "is damaged" in refusal(tmp_path, patched(data, (middle, bytes(100))))
    assert "is damaged" in refusal(tmp_path, data[:middle] + data[middle + 3000 :])
    assert "is damaged" in refusal(tmp_path, data[: len(data) * 6 // 10])


# ---------------------------------------------------------------------- Ogg


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_ogg_that_lost_something(subtype: str, tmp_path: Path) -> None:
    data = encoded(sound(2, 200_000), 48000, "OGG", subtype, tmp_path)
    whole = decoded(tmp_path / "made.ogg")
    np.testing.assert_array_equal(read_bytes(tmp_path, data + ID3_AT_THE_END), whole)
    pages = [at for at in range(len(data)) if data.startswith(b"OggS", at)]
    assert len(pages) > 5
    for left in (len(data) * 6 // 10, len(data) - 1, pages[-1], pages[4]):
        assert "is cut off after sample" in refusal(tmp_path, data[:left])
    assert "pages are missing" in refusal(tmp_path, data[: pages[3]] + data[pages[4] :])
    middle = len(data) // 2
    assert "another checksum" in refusal(tmp_path, patched(data, (middle, bytes([data[middle] ^ 1]))))
    assert "there is no page" in refusal(tmp_path, data[: pages[3]] + bytes(100) + data[pages[3] :])
    assert "holds several streams" in refusal(tmp_path, data + data)


def test_the_controls_are_whole(tmp_path: Path) -> None:
    """What is damaged above is read without the damage."""
    encoded(sound(2, 50001), 44100, "FLAC", "PCM_16", tmp_path)
    assert read(tmp_path / "made.flac").shape == (2, 50001)
    assert read_bytes(tmp_path, b"".join(mp3(tmp_path))).shape == (2, 60000)
