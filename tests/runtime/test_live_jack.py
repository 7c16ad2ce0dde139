"""The real PortAudio, on a JACK server without a sound card, where both are installed."""

import ctypes
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.fake_portaudio import read_wave
from support.places import PROJECT

pytestmark = pytest.mark.slow
_LIMIT_SECONDS = 60


@pytest.fixture
def server() -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    """A server of our own with 48 kHz and blocks of 128, and the environment of who shall find it."""
    if shutil.which("jackd") is None or shutil.which("jack_wait") is None:
        pytest.skip("no JACK server: apt-get install jackd2")
    try:
        ctypes.CDLL("libportaudio.so.2")
    except OSError:
        pytest.skip("no PortAudio: apt-get install libportaudio2")
    name = f"neutone_like_{os.getpid()}"
    process = subprocess.Popen(
        ["jackd", "-n", name, "-d", "dummy", "-r", "48000", "-p", "128"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # a pipe that nobody reads would stop it
        stderr=subprocess.DEVNULL,
    )
    try:
        waited = subprocess.run(
            ["jack_wait", "-s", name, "-w", "-t", "20"], capture_output=True, timeout=_LIMIT_SECONDS, check=False
        )
        if waited.returncode != 0 or process.poll() is not None:
            pytest.skip("the JACK server does not start here")
        yield process, {"JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1"}
    finally:
        process.kill()
        process.wait(_LIMIT_SECONDS)


def test_a_server_that_dies(
    server: tuple[subprocess.Popen[bytes], dict[str, str]], tmp_path: Path, subprocess_environment: dict[str, Any]
) -> None:
    """Stopping its stream would hang for ever; the command ends, says so, and the recording is whole."""
    jack, environment = server
    words = ["play", str(PROJECT / "exported" / "overdrive"), "--record-output", "take.wav", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "neutone_like", *words],
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
        jack.kill()
        out, err = process.communicate(timeout=_LIMIT_SECONDS)
    finally:
        process.kill()
    told = json.loads(out)
    assert (process.returncode, err) == (1, "The device went away.\n")
    assert (told["is_lost"], told["block_size"], told["sample_rate"]) == (True, 128, 48000)
    assert told["device_latency_seconds"] == pytest.approx(128 / 48000)
    assert told["recordings"][0]["samples"] == read_wave(tmp_path / "take.wav").shape[1]
