"""Nothing is allocated, locked or waited for in a plugin's process, counted in the host's process."""

import threading
import time
from pathlib import Path

import pytest

from neutone_like.realtime_safety import check_realtime_safety
from support.places import EXPORTED, PROJECT
from support.plugin_tools import built, needs_plugin, player
from support.realtime_safety_tools import build, needs_linux
from support.virtual_display import virtual_display

pytestmark = [needs_linux, needs_plugin]


def _host(folder: Path) -> Path:
    flags = ("-shared", "-fPIC", f"-I{PROJECT / 'native' / 'plugin'}", "-ldl", "-pthread")
    return build("plugin.c", folder, *flags)


def test_a_plugin_is_real_time_safe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With rate conversion, a knob that never stands still, bypass and resets."""
    callback = _host(tmp_path)
    monkeypatch.setenv("NEUTONE_LIKE_PLUGIN", str(built("clap", "overdrive")))
    report = check_realtime_safety(callback, callbacks=1000, sample_rate=44100, wake="poll")
    assert report.passed, [(each.name, each.count, each.stack) for each in report.offences]
    assert report["futex_wake_ups"].count == 0


def test_the_player_is_real_time_safe_while_it_opens_artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On another thread, as fast as it can."""
    monkeypatch.setenv("NEUTONE_LIKE_PLUGIN", str(player("clap")))
    paths = f"{EXPORTED / 'overdrive'}:{EXPORTED / 'lstm_amp'}"
    monkeypatch.setenv("NEUTONE_LIKE_PLUGIN_ARTIFACTS", paths)
    report = check_realtime_safety(_host(tmp_path), callbacks=20000, sample_rate=44100, wake="poll")
    assert report.passed, [(each.name, each.count, each.stack) for each in report.offences]


def test_a_plugin_is_real_time_safe_while_its_knob_is_turned_in_a_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hand on the wheel, the meter and the dial drawn, and the gestures told from process."""
    callback = _host(tmp_path)
    with virtual_display() as screen:
        parent = screen.window(400, 222)
        monkeypatch.setenv("NEUTONE_LIKE_PLUGIN", str(built("clap", "overdrive")))
        monkeypatch.setenv("NEUTONE_LIKE_PLUGIN_WINDOW", str(parent))
        stop = threading.Event()

        def turn() -> None:
            turns = 0
            while not stop.is_set():
                turns += 1
                screen.click(200, 110, 4 if turns // 20 % 2 else 5)
                time.sleep(0.002)

        hand = threading.Thread(target=turn)
        hand.start()
        try:
            report = check_realtime_safety(callback, callbacks=20000, sample_rate=44100, wake="poll")
        finally:
            stop.set()
            hand.join()
    assert report.passed, [(each.name, each.count, each.stack) for each in report.offences]
