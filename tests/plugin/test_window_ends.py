"""The plugins' window where a host ends it, listens late, or has what is hard to show."""

import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from support.clap_host import opened
from support.lv2_host import Lv2Window
from support.lv2_player_host import Lv2Player
from support.places import EXPORTED, TESTS
from support.plugin_tools import board_plays, built, needs_plugin, noise, player
from support.plugin_windows import ACCENT, DIAL, HOME, LOWEST, WARNING, is_painted, shown, told
from support.virtual_display import Screen, eventually, virtual_display

pytestmark = needs_plugin


@pytest.fixture(scope="module")
def screen() -> Iterator[Screen]:
    with virtual_display() as made:
        yield made


@pytest.mark.parametrize("end", ["hidden", "closed", "the host's window is hidden"])
def test_a_gesture_ends_where_the_hand_can_not_end_it(end: str, screen: Screen) -> None:
    with shown(screen, built("clap", "overdrive")) as (host, parent):
        screen.move(*DIAL)
        screen.button(1, is_down=True)
        screen.move(DIAL[0], DIAL[1] - 20)

        def is_turned() -> bool:
            host.tick()
            host.flush()
            return host.calls.told[-1:] != [] and host.calls.told[-1][0] == "value"

        eventually(is_turned, "a drag")
        if end == "hidden":
            host.gui().hide(host.at)
        elif end == "closed":
            host.gui().destroy(host.at)
        else:
            screen.hide(parent)
        screen.button(1, is_down=False)
        if end == "the host's window is hidden":
            screen.show(parent)
            screen.move(DIAL[0], DIAL[1] - 60)
        assert [kind for kind, _, _ in told(host)] == ["begin", "value", "end"]
        assert host.value("drive") == pytest.approx(12.0 + 3.6)


def test_gestures_are_whole_for_a_host_that_listens_late(screen: Screen) -> None:
    """There are more than are kept for it; and it is told to read the values anew."""
    with shown(screen, built("clap", "overdrive")) as (host, _):
        screen.move(*DIAL)
        for _ in range(200):
            for wheel in (4, 5):
                screen.button(wheel, is_down=True)
                screen.button(wheel, is_down=False)
            host.tick()
        eventually(lambda: not host.tick() and ("params.rescan", True) in host.calls.made, "a ring that is full")
        host.flush()
        kinds = [kind for kind, _, _ in host.calls.told if kind != "value"]
        assert len(kinds) > 300
        assert kinds == ["begin", "end"] * (len(kinds) // 2)
        host.calls.told.clear()
        screen.click(*DIAL, 4)
        assert [kind for kind, _, _ in told(host)] == ["begin", "value", "end"]


def test_a_window_that_is_opened_again_and_again_leaves_nothing(screen: Screen) -> None:
    with opened(built("clap", "overdrive")) as host:
        parent = screen.window(400, 222)
        files: list[int] = []
        for _ in range(20):
            assert host.gui().create(host.at, b"x11", False)
            assert host.open_window(parent)
            host.tick()
            host.gui().destroy(host.at)
            assert host.calls.timers == {}
            files.append(len(os.listdir("/proc/self/fd")))
        assert len(set(files)) == 1
        assert screen.children(parent) == []
        screen.destroy(parent)


def test_a_message_with_a_name_that_is_no_text_is_drawn(screen: Screen) -> None:
    """Files may have any bytes in their names, of which cairo takes no others than UTF-8."""
    with shown(screen, player("clap")) as (host, parent):
        eventually(lambda: is_painted(screen, parent, host, WARNING, 100), "that nothing is chosen")
        before = screen.picture(parent, *host.window_size())
        assert not host.open_artifact("/nowhere/\udcff\udcc3(\udcf0\udc9f\n.nm")

        def is_another() -> bool:
            host.tick()
            return not np.array_equal(screen.picture(parent, *host.window_size()), before)

        eventually(is_another, "another reason why nothing plays")
        assert is_painted(screen, parent, host, WARNING, 100)
        assert is_painted(screen, parent, host, ACCENT, 100), "the knobs below it"


def test_the_players_window_in_lv2_sets_what_a_port_had_before(screen: Screen) -> None:
    """A port that keeps its value is one that nobody has moved, but where the window moves it."""
    sound = noise(2, 3000)
    host = Lv2Player(player("lv2"), 48000)
    lowest, control = board_plays("overdrive", sound, 48000, {"drive": LOWEST}), host.plugin.controls["knob_1"]
    host.plugin.activate()
    control.value = LOWEST
    host.run()
    host.send(host.message("Set", str(EXPORTED / "overdrive").encode()))
    host.run()
    host.work()
    host.send(b"")
    assert not np.allclose(host.plugin.play(sound, (128,)), lowest, rtol=0, atol=1e-3), "its default"
    parent = screen.window(400, 222)
    window = Lv2Window(host.plugin, parent)
    screen.click(*DIAL)
    eventually(lambda: not window.tick() and screen.has_focus(window.widget or 0), "the keyboard is the window's")
    screen.key(HOME)

    def is_done() -> bool:
        window.tick()
        return ("value", "knob_1", LOWEST) in window.edits

    eventually(is_done, "the lowest value")
    host.plugin.activate()
    np.testing.assert_allclose(host.plugin.play(sound, (128,)), lowest, rtol=0, atol=1e-5)
    window.close()
    host.plugin.close()
    screen.destroy(parent)


UNASKED = """
import sys
from pathlib import Path
from support.clap_host import opened
from support.vst3_host import Vst3Instance
clap, vst3, artifact = (Path(each) for each in sys.argv[1:])
with opened(clap) as host:
    assert host.open_artifact(artifact)
    host.activate(48000, 64)
    loaded = Path("/proc/self/maps").read_text()
    assert "libX11" not in loaded and "libcairo" not in loaded
    assert not host.gui().create(host.at, b"x11", False)
host = Vst3Instance(vst3)
assert host.view() == 0
host.close()
print("plays")
"""


@pytest.mark.usefixtures("screen")
def test_libraries_are_opened_for_a_window_alone() -> None:
    """And a display that takes no connection is none."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]), "DISPLAY": ":9999"}
    command = [sys.executable, "-c", UNASKED, *map(str, (player("clap"), player("vst3"), EXPORTED / "overdrive"))]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "plays\n"), ran.stderr
