"""Plugins in Ardour 7, a DAW that others wrote, without its window: ``make ardour``, where it is installed.

It is not part of ``make test``: Ardour may hang or crash without any plugin, which says nothing of these.
"""

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
import numpy.typing as npt
import pytest
import soundfile

from support.places import PROJECT
from support.plugin_tools import Audio, board_plays, built, file_plays, needs_plugin, noise

_SCANNER = Path("/usr/lib/ardour7/ardour-vst3-scanner")
_BEGIN = 16384  # where the sound begins, in samples
_SAMPLES = 48000  # at least, that are recorded
_TRIES = 8  # of a program that may hang or crash by itself
_FIRST_LIMIT_SECONDS = 60  # doubled each time, for a machine on which that is too short
_LONGEST_PERIOD = 1024

pytestmark = [
    needs_plugin,
    pytest.mark.slow,
    pytest.mark.skipif("NEUTONE_LIKE_ARDOUR" not in os.environ, reason="Ardour is tried by make ardour"),
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
    curves: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)  # (sample, 0..1)


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
            scanned = self.run(str(_SCANNER), "-f", str(bundle))
            assert scanned.returncode == 0, scanned.stdout + scanned.stderr
        # Their times are of whole seconds: in the second of the plugin's they would be too old.
        for cached in self.cached():
            os.utime(cached, (time.time() + 2, time.time() + 2))

    def run(self, *words: str, limit: float = 600.0) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit,
            check=False,
        )

    def make(self, made: str, *words: str) -> None:
        """Run a program of Ardour's that makes a file or folder, until it ends by itself.

        Ardour 7.3 may die by a signal where an export ends: two of its threads free the same things. It may also wait
        for ever where one begins. Both were seen without any plugin: 18 of 80 exports in periods of 64 died on a busy
        machine, and of 53 in periods of 1024 8 died and 2 hung.
        """
        said = []
        for attempt in range(_TRIES):
            _remove(self.folder / made)
            try:
                done = self.run(*words, limit=_FIRST_LIMIT_SECONDS * 2.0**attempt)
            except subprocess.TimeoutExpired as hung:
                said.append(f"{hung}: {hung.output!r}, {hung.stderr!r}")
                continue
            said.append(f"ended with {done.returncode}: {done.stdout}{done.stderr}")
            if done.returncode >= 0:
                assert done.returncode == 0, said
                return
        pytest.fail(f"{words} never ended by itself: {said}")

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
            f"values = {_lua(each.values)}, curves = {_lua(each.curves)}}}"
            for each in self.used
        )
        settings = (
            f"folder, rate, block, samples = {json.dumps(str(self.folder / 'session'))}, {rate}, {block}, {_SAMPLES}\n"
        )
        script = (PROJECT / "tests" / "support" / "ardour_session.lua").read_text("utf-8")
        path = self.folder / "session.lua"
        path.write_text(f"{settings}plugins = {{{listed}}}\n{script}", "utf-8")
        self.make("session", "ardour7-lua", str(path))

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

    def export(self, dry: Audio) -> Audio:
        """Both tracks, from where ``dry`` begins, and no longer.

        Ardour 7.3 may begin some samples late, both tracks alike: 16 samples of 96 kHz in 2 of some 130 on a busy
        machine. How late is found by the dry track.
        """
        words = ("ardour7-export", "-b", "float", "-o", "mix.wav", str(self.folder / "session"), "session")
        self.make("mix.wav", *words)
        mix = soundfile.read(self.folder / "mix.wav", dtype="float32", always_2d=True)[0].T.astype(np.float32)
        late = _lag(mix, dry)
        return np.pad(mix[:, max(0, -late) :], ((0, 0), (max(0, late), 0)))[:, : dry.shape[1]]


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _lag(mix: Audio, dry: Audio) -> int:
    """How many samples later than ``dry`` the mix begins, by the changes from sample to sample, a period at most."""
    size = 2 * max(mix.shape[1], dry.shape[1])
    changes = [np.fft.rfft(np.diff(each[0].astype(np.float64)), size) for each in (dry, mix)]
    alike = np.fft.irfft(changes[0] * np.conj(changes[1]), size)
    return max(range(-_LONGEST_PERIOD, _LONGEST_PERIOD + 1), key=lambda lag: alike[lag])


@pytest.mark.parametrize("late", [-16, 0, 16])
def test_how_late_an_export_begins(late: int) -> None:
    dry = np.pad(noise(48000, 12000), ((0, 0), (4000, 4000)))
    played = (dry + np.roll(dry, 1, axis=1) / 2).astype(np.float32)
    assert _lag(np.roll(played, -late, axis=1)[:, 100:-100], dry) == late + 100


def _lua(value: object) -> str:
    """As Lua writes it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"[{json.dumps(key)}] = {_lua(each)}" for key, each in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "{" + ", ".join(map(_lua, value)) + "}"
    return json.dumps(value)


@pytest.mark.parametrize(
    ("rate", "block", "first", "second"),
    [(48000, 1024, "vst3", "lv2"), (48000, 64, "lv2", "vst3")],
)
def test_two_plugins_on_a_track_beside_a_dry_one(
    tmp_path: Path, rate: int, block: int, first: str, second: str
) -> None:
    """The session is made in one process and exported by another, so the drive is that of the state that was saved.

    At the models' own rate, where it doesn't matter that Ardour lets plugins run before an export begins.
    """
    host = Ardour(tmp_path, [Used(first, "lstm_amp"), Used(second, "overdrive", {"drive": 0.75})])
    host.make_session(rate, block)
    dry = host.fill(noise(rate, 12000))
    between = file_plays(tmp_path, "lstm_amp", dry, rate, {})
    wet = file_plays(tmp_path, "overdrive", between, rate, {"drive": 27.0})
    assert_heard(host.export(dry), dry + wet)


@pytest.mark.parametrize(("kind", "rate", "places"), [("lv2", 44100, 147), ("vst3", 96000, 2)])
def test_converted_rates_are_equal_from_where_ardour_started(tmp_path: Path, kind: str, rate: int, places: int) -> None:
    """Samples of 48 kHz lie among the host's in a pattern of so many samples that begins where the plugin did.

    Where in the pattern an export begins is Ardour's affair. It is heard in what an amp makes of loud noise, and in
    nothing else: of those places one is equal to 1e-5, and the others are far off.
    """
    host = Ardour(tmp_path, [Used(kind, "lstm_amp")])
    host.make_session(rate, _LONGEST_PERIOD)
    dry = host.fill(noise(rate, 12000))
    wet = host.export(dry)
    wet -= dry[:, : wet.shape[1]]
    # One render has the beginning of the sound at all places, each time long enough for the amp to forget the last.
    apart = 20 * 147 + 1
    sound, heard = dry[:, _BEGIN : _BEGIN + 1500], slice(800, 1400)
    every = np.tile(np.pad(sound, ((0, 0), (0, apart - sound.shape[1]))), places)
    made = file_plays(tmp_path, "lstm_amp", every, rate, {})
    told = [np.abs(made[:, place * apart :][:, heard] - wet[:, _BEGIN:][:, heard]).max() for place in range(places)]
    place = int(np.argmin(told))
    assert sorted(told)[1] > 1e-3
    before = (place - _BEGIN) % places
    wanted = file_plays(tmp_path, "lstm_amp", np.pad(dry, ((0, 0), (before, 0))), rate, {})[:, before:]
    assert_heard(wet, wanted)


@pytest.mark.parametrize("kind", ["lv2", "vst3"])
def test_automation_is_its_line_where_periods_and_points_begin(tmp_path: Path, kind: str) -> None:
    """Ardour holds each of these values until the next one, in both formats. Where its periods begin is its affair.

    It counts time in beats of 1920 ticks for it, 12.5 samples of 48 kHz at 120 beats a minute: a period has the line's
    value at the nearest tick. Points are on ticks here; it moves others to the one before.
    """
    rate, period, tick = 48000, _LONGEST_PERIOD, 12.5
    points = [(0, 0.25), (19400, 0.25), (24400, 0.75), (28400, 0.5)]
    host = Ardour(tmp_path, [Used(kind, "overdrive", {"drive": 0.25}, {"drive": points})])
    host.make_session(rate, period)
    dry = host.fill(np.full((2, 14000), 0.01, np.float32))
    mix = host.export(dry)[:, : _BEGIN + 14000]
    dry = dry[:, : mix.shape[1]]
    wet = mix - dry

    def held(begin: int) -> npt.NDArray[np.float64]:
        begins = np.union1d(np.arange(begin - period, dry.shape[1], period), [sample for sample, _ in points])
        since = begins[np.searchsorted(begins, np.arange(dry.shape[1]), side="right") - 1]
        return 36.0 * np.interp(tick * np.round(since / tick), [at for at, _ in points], [value for _, value in points])

    def error(begin: int, before: int) -> float:
        values = np.pad(held(begin), (before, 0), mode="edge")
        made = board_plays("overdrive", np.pad(dry, ((0, 0), (before, 0))), rate, {"drive": values})[:, before:]
        return float(np.abs(made - wet)[:, heard].max())

    # What a drive did to so quiet a constant tells of it, 20 ms long on its way, and so where periods begin.
    heard = slice(_BEGIN + 2000, dry.shape[1])
    drive = 20.0 * np.log10(np.arctanh(wet[0, heard]) / 0.01)
    glide = np.full(960, 1.0 / 960.0)
    near = min(range(0, period, 8), key=lambda at: np.abs(np.convolve(held(at), glide)[heard] - drive).sum())
    # The model takes a value for 32 samples at a time, counted from where the plugin began: as a rule with a period.
    begin = min(range(near // 16 * 16 - 32, near + 48, 16), key=lambda at: error(at, -at % 32))
    before = -begin % 32
    if error(begin, before) > 1e-5:
        before = min(range(32), key=lambda at: error(begin, at))
        begin = min(range(begin - 16, begin + 17), key=lambda at: error(at, before))
    assert error(begin, before) < 1e-5 < 1e-3 < error(begin + period // 2, before)


def assert_heard(mix: Audio, wanted: Audio) -> None:
    """All of it, but for where Ardour fades in."""
    heard = slice(_BEGIN - 2000, mix.shape[1])
    assert mix.shape[1] > _BEGIN + 10000
    np.testing.assert_allclose(mix[:, heard], wanted[:, heard], rtol=0, atol=1e-5)
