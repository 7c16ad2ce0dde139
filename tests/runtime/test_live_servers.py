"""The real PortAudio, on sound servers without a sound card, where they are installed."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neutone_like.runtime import Engine, HostConfig
from support.fake_portaudio import read_wave
from support.places import PROJECT
from support.sound_servers import LIMIT_SECONDS, Server, jack, pipewire

pytestmark = pytest.mark.slow
_BLOCK = 128


@pytest.fixture(params=[jack, pipewire])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The server, and the environment of who shall find it."""
    with request.param() as started:
        yield started


@pytest.fixture
def pipewire_server() -> Iterator[Server]:
    with pipewire() as started:
        yield started


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "neutone_like", "play", *words]


def test_a_server_that_dies(server: Server, tmp_path: Path, subprocess_environment: dict[str, Any]) -> None:
    """Stopping its stream would hang for ever; the command ends, says so, and the recording is whole."""
    sounds, environment = server
    process = subprocess.Popen(
        _command(str(PROJECT / "exported" / "overdrive"), "--record-output", "take.wav", "--json"),
        cwd=tmp_path,
        env={**subprocess_environment, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        said: list[str] = []
        while not said or "drive = " not in said[-1]:  # it plays
            said.append(process.stderr.readline())
            assert said[-1], said
        sounds.kill()
        out, err = process.communicate(timeout=LIMIT_SECONDS)
    finally:
        process.kill()
    told = json.loads(out)
    assert (process.returncode, err) == (1, "The device went away.\n")
    assert (told["is_lost"], told["block_size"], told["sample_rate"]) == (True, _BLOCK, 48000)
    known = None if "PIPEWIRE_QUANTUM" in environment else pytest.approx(_BLOCK / 48000)
    assert told["device_latency_seconds"] == known
    assert told["recordings"][0]["samples"] == read_wave(tmp_path / "take.wav").shape[1]


def test_pipewire_plays_what_the_model_makes(
    pipewire_server: Server, tmp_path: Path, subprocess_environment: dict[str, Any]
) -> None:
    """A texture hears the monitor of what it plays on, that is itself: whole blocks, each as it was played before.

    A machine that is busy may lose a block on the way, and must not change any.
    """
    texture = PROJECT / "exported" / "live_texture"
    words = ["--record-input", "in.wav", "--record-output", "out.wav", "--seconds", "1", "--mode", "inline", "--json"]
    played = subprocess.run(
        _command(str(texture), *words),
        cwd=tmp_path,
        env={**subprocess_environment, **pipewire_server[1]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert played.returncode == 0, played.stderr
    told = json.loads(played.stdout)
    assert (told["block_size"], told["sample_rate"], told["mode"]) == (_BLOCK, 48000, "inline")
    assert [each["lost_samples"] for each in told["recordings"]] == [0, 0]
    heard, out = read_wave(tmp_path / "in.wav"), read_wave(tmp_path / "out.wav")
    with Engine() as engine:
        session = engine.open(texture, HostConfig(48000, _BLOCK), mode="inline")
        late, wanted = session.latency_samples, session.process_offline(heard)
    np.testing.assert_array_equal(out[:, late:], wanted[:, : out.shape[1] - late])
    assert np.abs(out).max() > 0.01
    blocks = {out[:, at : at + _BLOCK].tobytes() for at in range(0, out.shape[1], _BLOCK)}
    own = [heard[:, at : at + _BLOCK].tobytes() for at in range(0, heard.shape[1], _BLOCK)]
    silence = np.zeros((2, _BLOCK), np.float32).tobytes()
    came = [each for each in own if each != silence]
    assert len(came) > 100
    assert set(came) <= blocks
