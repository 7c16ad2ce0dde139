"""Plugins for other platforms, compiled by ``ziglang`` and played where this machine can: ``make targets``."""

import importlib.util
import plistlib
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from neutone_like.plugin import build_player_plugin, build_plugin
from neutone_like.plugin.platforms import PLATFORMS
from neutone_like.targets import TARGETS
from support.places import EXPORTED, PROJECT
from support.plugin_tools import Audio, board_plays, needs_plugin, noise
from support.programs import WINE, needs

pytestmark = [
    pytest.mark.slow,
    needs_plugin,
    pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="no ziglang: make targets brings it"),
]
HOST = PROJECT / "tests" / "support" / "clap_player.c"
RATE, BLOCK = 44100, 100
DRIVE = 27.0  # three quarters of 0..36


def host_of(name: str, folder: Path) -> list[str]:
    """The host for a platform, and what runs it here."""
    runs: list[str] = []
    if name == "x86_64-windows":
        runs = [needs(*WINE, package="wine64")]
    elif name == "aarch64-linux":
        root = Path("/usr/aarch64-linux-gnu")
        if not root.is_dir():
            pytest.skip("no C library for aarch64 (Debian: apt-get install libc6-arm64-cross)")
        runs = [needs("qemu-aarch64", package="qemu-user"), "-L", str(root)]
    elif name != "x86_64-linux":
        pytest.skip(f"nothing here runs {name}: it was built, and not run")
    made = folder / ("clap_player.exe" if name == "x86_64-windows" else "clap_player")
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{PROJECT / 'native' / 'plugin'}"]
    libraries = [] if name == "x86_64-windows" else ["-ldl"]
    command = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-target",
        TARGETS[name].triple,
        *flags,
        str(HOST),
        "-o",
        str(made),
    ]
    subprocess.run([*command, *libraries], check=True)
    return [*runs, str(made)]


def played(host: list[str], plugin: Path, sound: Audio, *more: str) -> tuple[Audio, int, str]:
    """What the host gives back, in step with the sound; the latency; and what it said."""
    late = np.pad(sound, ((0, 0), (0, 4000)))
    command = [*host, str(plugin), str(RATE), str(BLOCK), *more]
    done = subprocess.run(command, input=late.T.tobytes(), capture_output=True, timeout=600, check=False)
    said = done.stderr.decode(errors="replace")
    assert done.returncode == 0, said
    (line,) = [line for line in said.splitlines() if "samples late" in line]
    latency = int(line.partition(", ")[2].split()[0])
    got = np.frombuffer(done.stdout, np.float32).reshape(-1, 2).T
    return got[:, latency : latency + sound.shape[1]], latency, line


def oldest_macos_of(binary: bytes) -> str:
    """What LC_BUILD_VERSION of a 64-bit Mach-O file says."""
    at, (count,) = 32, struct.unpack_from("<I", binary, 16)
    for _ in range(count):
        command, size, _, oldest = struct.unpack_from("<4I", binary, at)
        if command == 0x32:
            return f"{oldest >> 16}.{oldest >> 8 & 255}"
        at += size
    raise AssertionError("no LC_BUILD_VERSION")


def test_a_bundle_for_macos_says_what_its_binary_needs(tmp_path: Path) -> None:
    contents = (
        build_plugin(EXPORTED / "overdrive", tmp_path, ["clap"], targets=["aarch64-macos"]).files[0].path / "Contents"
    )
    facts = plistlib.loads((contents / "Info.plist").read_bytes())
    assert facts["LSMinimumSystemVersion"] == oldest_macos_of((contents / "MacOS" / "Overdrive").read_bytes())


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_plugin_for_another_platform_sounds_the_same(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one model, and the player with the same model."""
    start = time.monotonic()
    model = build_plugin(EXPORTED / "overdrive", tmp_path, worker=False, targets=[name])
    player = build_player_plugin(tmp_path, ["clap"], targets=[name])
    sizes = {each.format: each.size_bytes for each in model.files}
    print(f"\n{name}: {time.monotonic() - start:.1f} s, {sizes}")
    monkeypatch.setenv("WINEDEBUG", "-all")
    monkeypatch.setenv("WINEPREFIX", str(tmp_path / "wine"))
    host = host_of(name, tmp_path)
    sound = noise(1, 4410)
    wanted = board_plays("overdrive", sound, RATE, {"drive": DRIVE})
    artifact = str(EXPORTED / "overdrive")
    more = f"Z:{artifact}" if name == "x86_64-windows" else artifact
    for bundle, arguments, called in (
        (model.files[0].path, (), "Overdrive"),
        (player.files[0].path, (more,), "Neutone-like Player"),
    ):
        got, latency, line = played(host, bundle, sound, *arguments)
        print(f"{line}; differs by {np.abs(got - wanted).max():.1e}")
        assert latency > 0
        assert line.startswith(f"{called}, ")
        assert line.endswith("drive 27 dB")
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5)
