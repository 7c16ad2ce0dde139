"""Sound servers without a sound card, for as long as a test needs one: 48 kHz, in blocks of 128."""

import ctypes
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.programs import ends_with_us

LIMIT_SECONDS = 600
Server = tuple[subprocess.Popen[bytes], dict[str, str]]  # with the environment of who shall find it

# What PipeWire needs to play for JACK's programs: no session manager, and so no session bus. The sink's monitor plays
# what goes into the sink.
_PIPEWIRE = """
context.properties = {
    core.daemon = true
    core.name = pipewire-0
    default.clock.rate = 48000
    default.clock.quantum = 128
    default.clock.min-quantum = 128
    default.clock.max-quantum = 128
}
context.spa-libs = {
    audio.convert.* = audioconvert/libspa-audioconvert
    support.* = support/libspa-support
}
context.modules = [
    { name = libpipewire-module-rt flags = [ ifexists nofail ] }
    { name = libpipewire-module-protocol-native }
    { name = libpipewire-module-metadata }
    { name = libpipewire-module-spa-node-factory }
    { name = libpipewire-module-client-node }
    { name = libpipewire-module-access }
    { name = libpipewire-module-adapter }
    { name = libpipewire-module-link-factory }
]
context.objects = [
    { factory = metadata args = { metadata.name = default } }
    { factory = spa-node-factory args = {
        factory.name = support.node.driver node.name = driver node.group = pipewire.dummy priority.driver = 20000
    } }
    { factory = adapter args = {
        factory.name = support.null-audio-sink node.name = silent media.class = Audio/Sink
        audio.position = [ FL FR ]
        adapter.auto-port-config = { mode = dsp monitor = true position = preserve }
    } }
]
"""


@contextmanager
def jack(purpose: str = "test") -> Iterator[Server]:
    """JACK 2 on its dummy driver; several for different purposes."""
    _require("jackd", "jackd2")
    _require("jack_wait", "jackd2")
    _require_portaudio()
    name = f"neutone_like_{os.getpid()}_{purpose}"
    command = ["jackd", "-n", name, "-d", "dummy", "-r", "48000", "-p", "128"]
    process = _started(command, {})
    try:
        if not _answers(name) or process.poll() is not None:
            pytest.skip("the JACK server does not start here")
        yield process, {"JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1"}
    finally:
        _end(process)
        if process.returncode < 0:  # it was killed, and keeps one of JACK's few places until another of its name ends
            process = _started(command, {})
            _answers(name)
            _end(process)


def _answers(name: str) -> bool:
    words = ["jack_wait", "-s", name, "-w", "-t", str(LIMIT_SECONDS)]
    return subprocess.run(words, capture_output=True, timeout=LIMIT_SECONDS, check=False).returncode == 0


def _end(process: subprocess.Popen[bytes]) -> None:
    """In order, as long as it takes part."""
    process.terminate()
    try:
        process.wait(LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(LIMIT_SECONDS)


@contextmanager
def pipewire() -> Iterator[Server]:
    """PipeWire with a sink that plays to nobody, for JACK's programs."""
    _require("pipewire", "pipewire")
    _require("jack_lsp", "jackd2")
    libraries = sorted(Path("/usr").glob("lib*/*/pipewire-0.3/jack/libjack.so.0"))
    if not libraries:
        pytest.skip("no JACK library of PipeWire's: apt-get install pipewire-jack")
    _require_portaudio()
    with tempfile.TemporaryDirectory(prefix="neutone-like-") as text:
        folder = Path(text)  # only its owner may look into it, which PipeWire wants
        (folder / "server.conf").write_text(_PIPEWIRE)
        environment = {"XDG_RUNTIME_DIR": text, "PIPEWIRE_RUNTIME_DIR": text}
        process = _started(["pipewire", "-c", str(folder / "server.conf")], environment)
        environment |= {"LD_LIBRARY_PATH": str(libraries[0].parent), "PIPEWIRE_QUANTUM": "128/48000"}
        try:
            if not _has_ports(process, environment):
                pytest.skip("the PipeWire server does not start here")
            yield process, environment
        finally:
            process.kill()
            process.wait(LIMIT_SECONDS)


def _require(program: str, package: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"no {program}: apt-get install {package}")


def _require_portaudio() -> None:
    try:
        ctypes.CDLL("libportaudio.so.2")
    except OSError:
        pytest.skip("no PortAudio: apt-get install libportaudio2")


def _started(words: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    without_bus = {name: value for name, value in os.environ.items() if not name.startswith("DBUS_")}
    return subprocess.Popen(
        ends_with_us(words),
        env={**without_bus, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # a pipe that nobody reads would stop it
        stderr=subprocess.DEVNULL,
    )


def _has_ports(process: subprocess.Popen[bytes], environment: dict[str, str]) -> bool:
    """Wait for both sides of the sink."""
    limit = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < limit and process.poll() is None:
        listed = subprocess.run(
            ["jack_lsp"], env={**os.environ, **environment}, capture_output=True, timeout=LIMIT_SECONDS, check=False
        )
        if b":playback_" in listed.stdout and b":monitor_" in listed.stdout:
            return True
        time.sleep(0.05)
    return False
