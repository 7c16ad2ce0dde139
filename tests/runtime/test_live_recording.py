"""Recordings are what was played, whole whatever happens, and what is missing in them is counted."""

import resource
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neutone_like import AudioError
from neutone_like.audio import AudioReader
from neutone_like.runtime import BuiltinBackend
from neutone_like.runtime.live import LiveStream, stream, wave_file
from neutone_like.runtime.live.recorder import Track
from neutone_like.runtime.live.wave_file import GrowingWave
from support.fake_portaudio import fake_portaudio, heard, read_wave, step

NOISE = np.random.default_rng(0).uniform(-2.0, 2.0, (1000, 2)).astype(np.float32)


def test_a_file_is_what_was_written(tmp_path: Path) -> None:
    """Read by libsndfile, and by the reader that believes no header; beyond full scale too."""
    file = GrowingWave(tmp_path / "a.wav", 44100, 2)
    file.write(NOISE[:300])
    file.write_silence(70_000)
    file.write(NOISE[300:])
    file.close()
    file.close()
    wanted = np.concatenate([NOISE[:300], np.zeros((70_000, 2), np.float32), NOISE[300:]]).T
    np.testing.assert_array_equal(read_wave(file.path), wanted)
    with AudioReader(file.path) as reader:
        assert reader.sample_rate == 44100
        np.testing.assert_array_equal(reader.read_all(), wanted)
    assert file.path.stat().st_size == 94 + wanted.size * 4


def test_a_long_file_becomes_rf64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it would be too long for RIFF, which the test makes shorter than 4 GiB."""
    monkeypatch.setattr(wave_file, "_MOST_RIFF_BYTES", 4000)
    file = GrowingWave(tmp_path / "long.wav", 48000, 2)
    file.write(NOISE)
    file.close()
    assert file.path.read_bytes()[:4] == b"RF64"
    assert soundfile.info(file.path).format == "RF64"
    np.testing.assert_array_equal(read_wave(file.path), NOISE.T)
    with AudioReader(file.path) as reader:
        np.testing.assert_array_equal(reader.read_all(), NOISE.T)


def test_a_file_that_nobody_finished_can_be_read(tmp_path: Path) -> None:
    """As after a power cut: by others up to the last few seconds, by ours to the end."""
    file = GrowingWave(tmp_path / "cut.wav", 100, 2)  # Hz, so that the header is two seconds of 100 samples behind
    for _ in range(5):
        file.write(NOISE[:100])
    assert len(soundfile.read(file.path)[0]) == 300
    with AudioReader(file.path) as reader:
        np.testing.assert_array_equal(reader.read_all(), np.tile(NOISE[:100].T, 5))
    file.close()


@pytest.mark.parametrize("limit", [94 + 8 * 500, 94 + 8 * 500 + 5])
def test_a_full_disk(tmp_path: Path, limit: int) -> None:
    """What fits is whole, and the reason is told."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        file = GrowingWave(tmp_path / "full.wav", 48000, 2)
        file.write(NOISE)
        file.write(NOISE)
        file.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert file.error == f"{file.path}: File too large"
    assert file.samples == 500
    np.testing.assert_array_equal(read_wave(file.path), NOISE[:500].T)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("there.wav", "is there already, and a recording replaces nothing"),
        ("take.mp3", "A recording's name must end in .wav, got 'take.mp3'"),
        ("no/take.wav", "can't be recorded to: No such file or directory"),
    ],
)
def test_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str) -> None:
    """While the device is open already: it is closed again."""
    (tmp_path / "there.wav").write_text("mine")
    with pytest.raises(AudioError, match=message):
        LiveStream(BuiltinBackend("identity"), portaudio=fake_portaudio(), record_output=tmp_path / name)
    assert (tmp_path / "there.wav").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_two_recordings_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "one.wav"
    with pytest.raises(AudioError, match="record_input and record_output are both .*one.wav. Give two names"):
        LiveStream(BuiltinBackend("identity"), portaudio=fake_portaudio(), record_input=path, record_output=path)
    assert not path.exists()


def test_a_disk_that_is_too_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks that find no room are counted, and silence keeps their place: at the start, between others, at the end."""
    for name, value in (("FAKE_RATE", 192000), ("FAKE_BLOCK", 8192), ("FAKE_HOLD_AFTER", 8)):
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(stream, "_SILENCE_LIMIT_SECONDS", 3600.0)
    monkeypatch.setattr(stream, "TAPE_SECONDS", 1024 / 192000)  # of room
    sizes = (8192, 100, 8192, 8192, 200, 300, 8192)
    with LiveStream(
        BuiltinBackend("identity"), mode="inline", portaudio=fake_portaudio(), record_input=tmp_path / "in.wav"
    ) as live:
        for size in sizes:
            step(size)
        report = live.close()
    x = read_wave(tmp_path / "in.wav")
    wanted = heard(8 * 8192, sum(sizes))
    position = 0
    for size in sizes:
        if size == 8192:
            wanted[:, position : position + size] = 0.0
        position += size
    np.testing.assert_array_equal(x, wanted)
    assert report.recordings[0].lost_samples == 4 * 8192
    assert report.recordings[0].seconds == pytest.approx(sum(sizes) / 192000)


def test_a_disk_slower_than_the_sound_holds_nobody_up(tmp_path: Path) -> None:
    """There is always more to take: the thread that watches the device must come back to it all the same."""
    left = [NOISE] * 1000

    def take(most: int) -> tuple[int, np.ndarray]:
        return 0, left.pop() if left else NOISE[:0]

    track = Track(GrowingWave(tmp_path / "take.wav", 48000, 2), take, lambda: 0, 48000)
    assert track.drain()
    assert len(left) == 999
    assert track.finish().samples == 1000 * len(NOISE)
    assert not track.drain()


def test_a_file_that_fails_when_it_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a network's disk: it is told, and ends nothing else."""
    file = GrowingWave(tmp_path / "take.wav", 48000, 2)
    file.write(NOISE)
    raw = vars(file)["_file"]

    class Failing:
        def __getattr__(self, name: str) -> object:
            return getattr(raw, name)

        def close(self) -> None:
            raw.close()
            raise OSError(122, "Disk quota exceeded")

    monkeypatch.setattr(file, "_file", Failing())
    file.close()
    assert file.error == f"{file.path}: Disk quota exceeded"
