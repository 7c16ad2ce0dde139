"""Plugins for other platforms: how their bundles are laid out, with this machine's binary in the place of another's."""

import plistlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from neutone_like.errors import CompileError
from neutone_like.plugin import build_player_plugin, build_plugin
from neutone_like.plugin.binary import BINARY
from neutone_like.plugin.platforms import PLATFORMS, Platform
from neutone_like.runtime.native_files import native_file
from support.clap_host import opened
from support.places import EXPORTED
from support.plugin_tools import board_plays, needs_plugin, noise

pytestmark = needs_plugin
OVERDRIVE = EXPORTED / "overdrive"


@pytest.fixture(autouse=True)
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The installed binary for every platform."""
    asked: list[str] = []

    def binary(platform: Platform) -> bytes:
        asked.append(platform.name)
        return native_file(BINARY).read_bytes()

    monkeypatch.setattr("neutone_like.plugin.cross_binary.cross_binary", binary)
    return asked


def contents(folder: Path) -> set[str]:
    return {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()}


def test_each_platform_has_its_layout(tmp_path: Path, no_compiler: list[str]) -> None:
    result = build_plugin(OVERDRIVE, tmp_path, worker=False, targets=PLATFORMS)
    assert no_compiler == list(PLATFORMS)
    assert [each.target for each in result.files] == [name for name in PLATFORMS for _ in range(3)]
    lv2 = {"Overdrive.lv2/Overdrive.ttl", "Overdrive.lv2/manifest.ttl"}
    for name in ("x86_64-linux", "aarch64-linux"):
        binaries = {"Overdrive.clap", f"Overdrive.vst3/Contents/{name}/Overdrive.so", "Overdrive.lv2/Overdrive.so"}
        assert contents(tmp_path / name) == lv2 | binaries
    windows = {"Overdrive.clap", "Overdrive.vst3/Contents/x86_64-win/Overdrive.vst3", "Overdrive.lv2/Overdrive.dll"}
    assert contents(tmp_path / "x86_64-windows") == lv2 | windows
    assert "lv2:binary <Overdrive.dll>" in (tmp_path / "x86_64-windows/Overdrive.lv2/manifest.ttl").read_text()
    mac = {"Overdrive.lv2/Overdrive.dylib", "Overdrive.lv2/plugin.json", "Overdrive.lv2/model.nlc"}
    for bundle in ("Overdrive.clap", "Overdrive.vst3"):
        inside = ("Info.plist", "PkgInfo", "MacOS/Overdrive", "Resources/plugin.json", "Resources/model.nlc")
        mac |= {f"{bundle}/Contents/{each}" for each in inside}
    assert contents(tmp_path / "aarch64-macos") == lv2 | mac
    facts = plistlib.loads((tmp_path / "aarch64-macos/Overdrive.clap/Contents/Info.plist").read_bytes())
    assert (facts["CFBundleExecutable"], facts["CFBundlePackageType"]) == ("Overdrive", "BNDL")
    assert facts["CFBundleIdentifier"] == result.identity.clap_id


def test_a_signed_binary_reads_what_lies_beside_it(tmp_path: Path) -> None:
    """As on macOS: the binary itself is unchanged."""
    sound = noise(1, 2000)
    build_plugin(OVERDRIVE, tmp_path, ["clap", "lv2"], worker=False, targets=["aarch64-macos"])
    folder = tmp_path / "aarch64-macos"
    for binary in (folder / "Overdrive.clap/Contents/MacOS/Overdrive", folder / "Overdrive.lv2/Overdrive.dylib"):
        assert binary.read_bytes() == native_file(BINARY).read_bytes()
        with opened(binary) as host:
            assert host.file.descriptor.name == b"Overdrive"
            host.activate(48000, 64)
            wanted = board_plays("overdrive", sound, 48000)
            np.testing.assert_allclose(host.play(sound, (64,)), wanted, rtol=0, atol=1e-5)
    (folder / "Overdrive.clap/Contents/Resources/model.nlc").write_bytes(b"cut off")
    shutil.copytree(folder / "Overdrive.clap", folder / "cut.clap")
    with opened(folder / "cut.clap/Contents/MacOS/Overdrive") as host:
        assert b"cut off" in host.file.descriptor.description
        host.activate(48000, 64)
        np.testing.assert_array_equal(host.play(sound, (64,)), sound)
    build_player_plugin(tmp_path, ["clap"], artifact=OVERDRIVE, targets=["aarch64-macos"])
    with opened(folder / "Neutone-like_Player.clap/Contents/MacOS/Neutone-like_Player") as host:
        assert "drive" in host.parameters


def test_older_ones_are_replaced_and_other_peoples_stay(tmp_path: Path) -> None:
    for worker in (True, False):
        build_plugin(OVERDRIVE, tmp_path, worker=worker, targets=["aarch64-macos", "x86_64-windows"])
    facts = tmp_path / "aarch64-macos/Overdrive.vst3/Contents/Resources/plugin.json"
    assert b'"worker": 0' in facts.read_bytes()
    facts.write_bytes(b"{}")
    with pytest.raises(CompileError, match=r"Overdrive\.vst3 is another plugin"):
        build_plugin(OVERDRIVE, tmp_path, targets=["x86_64-windows", "aarch64-macos"])
    assert facts.read_bytes() == b"{}"


def test_platforms_that_there_are_no_plugins_for(tmp_path: Path) -> None:
    for name in ("wasm32", "x86_64-haiku"):
        with pytest.raises(CompileError, match=f"x86_64-windows, aarch64-macos, got '{name}'"):
            build_plugin(OVERDRIVE, tmp_path / "out", targets=[name])
        with pytest.raises(CompileError, match=f"got '{name}'"):
            build_player_plugin(tmp_path / "out", targets=[name])
    assert not (tmp_path / "out").exists()
