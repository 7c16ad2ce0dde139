"""Plugins in Ardour 7, a DAW that others wrote, without its window; tried where it is installed (apt: ardour)."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import soundfile

from support.places import PROJECT
from support.plugin_tools import Audio, built, file_plays, needs_plugin, noise

_SCANNER = Path("/usr/lib/ardour7/ardour-vst3-scanner")
_BEGIN = 16384  # where the sound begins, in samples
_SAMPLES = 48000  # at least, that are recorded
_LIMIT_SECONDS = 600  # of a program, however busy the machine is

pytestmark = [
    needs_plugin,
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("ardour7-lua") is None or not _SCANNER.exists(), reason="no Ardour 7: apt-get install ardour"
    ),
]


@dataclass
class Used:
    """A plugin on the track."""

    kind: str  # "lv2" or "vst3"
    model: str
    values: Mapping[str, float] = field(default_factory=dict)  # 0..1


class Ardour:
    """In a home of its own, where it finds these plugins and no others."""

    def __init__(self, folder: Path, used: Sequence[Used]) -> None:
        self.folder, self.used = folder, used
        plugins = folder / "home" / ".vst3"
        plugins.mkdir(parents=True)
        lv2 = folder / "lv2"
        lv2.mkdir()
        bundles = {built(each.kind, each.model): each.kind for each in used}
        for bundle, kind in bundles.items():
            (plugins if kind == "vst3" else lv2).joinpath(bundle.name).symlink_to(bundle)
        clear = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "VST3_", "DISPLAY"))}
        self.environment = {
            **clear,
            "HOME": str(folder / "home"),
            "LV2_PATH": f"{lv2}:/usr/lib/lv2",
            "LD_LIBRARY_PATH": str(_SCANNER.parent),
        }
        for bundle in plugins.iterdir():
            self.run(str(_SCANNER), "-f", str(bundle))
        for (
            cached
        ) in self.cached():  # whose time is of whole seconds: in the second of the plugin's it would be too old
            os.utime(cached, (time.time() + 2, time.time() + 2))

    def run(self, *words: str) -> str:
        done = subprocess.run(
            words,
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LIMIT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def cached(self) -> list[Path]:
        """What its scanner says of VST3 plugins."""
        return list(self.folder.glob("home/.cache/ardour7/vst/*.v3i"))

    def id_of(self, used: Used) -> str:
        """What Ardour knows it by."""
        bundle = built(used.kind, used.model)
        if used.kind == "lv2":
            (uri,) = re.findall(r"<(\S+)> a lv2:Plugin", (bundle / "manifest.ttl").read_text("utf-8"))[:1]
            return uri
        texts = [each.read_text("utf-8") for each in self.cached()]
        (found,) = [re.findall(r'uid="(\w+)"', each) for each in texts if bundle.name in each]
        return found[0]

    def make_session(self, rate: int, block: int) -> None:
        listed = ", ".join(
            f"{{id = {json.dumps(self.id_of(each))}, format = {json.dumps(each.kind.upper())}, "
            f"values = {_lua(each.values)}}}"
            for each in self.used
        )
        settings = (
            f"folder, rate, block, samples = {json.dumps(str(self.folder / 'session'))}, {rate}, {block}, {_SAMPLES}\n"
        )
        script = (PROJECT / "tests" / "support" / "ardour_session.lua").read_text("utf-8")
        path = self.folder / "session.lua"
        path.write_text(f"{settings}plugins = {{{listed}}}\n{script}", "utf-8")
        self.run("ardour7-lua", str(path))

    def fill(self, sound: Audio) -> Audio:
        """Put the sound into what both tracks recorded, after silence: Ardour fades where it begins and ends."""
        folder = self.folder / "session" / "interchange" / "session" / "audiofiles"
        files = sorted(folder.glob("*.wav"))
        assert len(files) == 4, files
        lengths = {soundfile.info(path).frames for path in files}
        assert len(lengths) == 1, lengths
        full = np.zeros((2, lengths.pop()), np.float32)
        assert full.shape[1] > _BEGIN + 2 * sound.shape[1], full.shape
        full[:, _BEGIN : _BEGIN + sound.shape[1]] = sound
        for path in files:
            with soundfile.SoundFile(path, "r+") as file:
                file.seek(0)
                file.write(full[int("%R" in path.name)])
        return full

    def export(self) -> Audio:
        self.run("ardour7-export", "-b", "float", "-o", "mix.wav", str(self.folder / "session"), "session")
        mix, _ = soundfile.read(self.folder / "mix.wav", dtype="float32", always_2d=True)
        return np.ascontiguousarray(mix.T)


def _lua(value: object) -> str:
    """As Lua writes it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"[{json.dumps(key)}] = {_lua(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)


@pytest.mark.parametrize(
    ("rate", "block", "first", "second"),
    [(48000, 1024, "vst3", "lv2"), (48000, 64, "lv2", "vst3")],
)
def test_two_plugins_on_a_track_beside_a_dry_one(
    tmp_path: Path, rate: int, block: int, first: str, second: str
) -> None:
    """The session is made in one process and exported by another, so the drive is that of the state that was saved.

    Ardour lets plugins run before an export begins. So they are compared at the models' own rate, where it doesn't
    matter when a plugin was started: a rate's conversion and a model's frames count from there.
    """
    host = Ardour(tmp_path, [Used(first, "lstm_amp"), Used(second, "overdrive", {"drive": 0.75})])
    host.make_session(rate, block)
    dry = host.fill(noise(rate, 12000))
    between = file_plays(tmp_path, "lstm_amp", dry, rate, {})
    wet = file_plays(tmp_path, "overdrive", between, rate, {"drive": 27.0})
    assert_heard(host.export(), dry + wet)


def assert_heard(mix: Audio, wanted: Audio) -> None:
    """All of it, but for where Ardour fades in."""
    heard = slice(_BEGIN - 2000, mix.shape[1])
    assert mix.shape[1] > _BEGIN + 10000
    np.testing.assert_allclose(mix[:, heard], wanted[:, heard], rtol=0, atol=1e-5)
