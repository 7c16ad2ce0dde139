"""The plugins' window, in hosts of our own on an X server without a screen: seen, and moved by mouse and keyboard."""

import os
import subprocess
import sys
from collections.abc import Iterator
from ctypes import byref, c_char_p, c_int32, c_uint32, c_void_p
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.clap_host import opened
from support.lv2_host import Lv2Instance, Lv2Window
from support.places import EXPORTED, TESTS
from support.plugin_tools import board_plays, built, hand_made, needs_plugin, noise, player
from support.plugin_windows import ACCENT, DIAL, HIGHEST, HOME, LOWEST, drag, is_painted, painted, shown, told
from support.virtual_display import Screen, eventually, virtual_display
from support.vst3_host import Vst3Instance, call

pytestmark = needs_plugin
BYPASS = (345, 30)
TAB, UP, RETURN, SHIFT, SPACE = 0xFF09, 0xFF52, 0xFF0D, 0xFFE1, 0x20
DELETE = 0xFFFF


@pytest.fixture(scope="module")
def screen() -> Iterator[Screen]:
    with virtual_display() as made:
        yield made


def test_a_dragged_knob_reaches_the_host_and_the_sound(screen: Screen) -> None:
    """By a gesture with a beginning and an end, to what the knob's place means."""
    sound = noise(2, 3000)
    with shown(screen, built("clap", "overdrive")) as (host, _):
        drag(screen, host, 100)
        heard = told(host)
        drive = host.parameters["drive"].id
        assert [kind for kind, _, _ in heard] == ["begin", *["value"] * (len(heard) - 2), "end"]
        assert {which for _, which, _ in heard} == {drive}
        values = [value for kind, _, value in heard if kind == "value"]
        assert values == sorted(values)
        assert values[-1] == pytest.approx(12.0 + 36.0 / 2)  # 200 pixels are all of it
        assert host.value("drive") == values[-1]
        host.activate(48000, 128)
        host.calls.told.clear()
        wanted = board_plays("overdrive", sound, 48000, {"drive": values[-1]})
        np.testing.assert_allclose(host.play(sound, (128,)), wanted, rtol=0, atol=1e-5)
        assert host.calls.told == [], "told once"


def test_a_knob_that_moves_while_it_plays_is_heard_from_the_next_block(screen: Screen) -> None:
    sound = noise(2, 9600)
    with shown(screen, built("clap", "overdrive")) as (host, _):
        host.activate(48000, 128)
        host.play(sound, (128,))
        drag(screen, host, 100)

        def is_let_go() -> bool:
            host.tick()
            host.block(sound[:, :0])
            return host.calls.told[-1:] != [] and host.calls.told[-1][0] == "end"

        eventually(is_let_go, "the end of the drag, told in process")
        got = host.play(sound, (128,))
        wanted = board_plays("overdrive", sound, 48000, {"drive": 30.0})
        np.testing.assert_allclose(got[:, 4800:], wanted[:, 4800:], rtol=0, atol=1e-5)


def test_wheel_double_click_and_a_fine_hand(screen: Screen) -> None:
    with shown(screen, built("clap", "overdrive")) as (host, _):
        screen.click(*DIAL, 4)
        (begin, value, end) = told(host)
        assert (begin[0], end[0]) == ("begin", "end")
        assert value[2] == pytest.approx(12.0 + 0.02 * 36.0)
        screen.key(SHIFT, is_down=True)
        screen.click(*DIAL, 5)
        screen.key(SHIFT, is_down=False)
        assert told(host)[1][2] == pytest.approx(12.0 + 0.018 * 36.0)
        screen.double_click(*DIAL)
        eventually(lambda: told(host)[-2:][0][2] == 12.0, "the default")
        assert host.value("drive") == 12.0


def test_keyboard(screen: Screen) -> None:
    """It is the window's from a click on, until the mouse leaves; what it has no use for is the host's."""
    with shown(screen, built("clap", "overdrive")) as (host, parent):
        (inside,) = screen.children(parent)
        screen.give_keyboard(parent)
        screen.move(*DIAL)
        screen.key(UP)
        assert screen.heard_keys(parent) == 1, "a mouse that only rests there takes no keys"
        host.tick()
        host.flush()
        assert host.calls.told == []
        screen.click(*DIAL)
        assert [kind for kind, _, _ in told(host)] == ["begin", "end"]
        eventually(lambda: screen.has_focus(inside), "the keyboard is the window's")
        screen.key(UP)
        assert told(host)[1][2] == pytest.approx(12.36)
        screen.key(HOME)
        assert told(host)[1][2] == LOWEST
        screen.key(TAB)
        screen.key(RETURN)
        assert told(host)[1][1:] == (host.parameters["Bypass"].id, 1.0)
        assert screen.heard_keys(parent) == 0
        screen.key(SPACE)

        def is_passed_on() -> bool:
            host.tick()
            return screen.heard_keys(parent) == 1

        eventually(is_passed_on, "the key that starts and stops the host")
        screen.move(1200, 900)

        def is_given_back() -> bool:
            host.tick()
            return screen.has_focus(parent)

        eventually(is_given_back, "the keyboard is the host's")


def test_bypass_is_a_button(screen: Screen) -> None:
    with shown(screen, built("clap", "overdrive")) as (host, parent):
        eventually(lambda: is_painted(screen, parent, host, ACCENT, 40), "a dial in color")
        screen.click(*BYPASS)
        assert told(host)[1][1:] == (host.parameters["Bypass"].id, 1.0)
        eventually(lambda: not is_painted(screen, parent, host, ACCENT, 1), "a dial without color")
        screen.click(*BYPASS)
        assert told(host)[1][2] == 0.0


def test_what_the_host_sets_is_seen(screen: Screen) -> None:
    with shown(screen, built("clap", "overdrive")) as (host, parent):
        host.set("drive", HIGHEST)
        eventually(lambda: is_painted(screen, parent, host, ACCENT, 250), "a full dial")
        host.set("drive", LOWEST)
        eventually(lambda: not is_painted(screen, parent, host, ACCENT, 50), "an empty dial")


def test_the_meter_shows_what_plays(screen: Screen) -> None:
    with shown(screen, built("clap", "overdrive")) as (host, parent):
        host.activate(48000, 256)
        eventually(lambda: is_painted(screen, parent, host, ACCENT, 40), "the dial")
        before = painted(screen, parent, host, ACCENT)
        host.play(noise(1, 2560), (256,))
        eventually(lambda: is_painted(screen, parent, host, ACCENT, before + 300), "bars in the meter")


def test_any_size_and_scale(screen: Screen) -> None:
    with shown(screen, built("clap", "equaliser")) as (host, parent):
        width, height = host.window_size()
        (inside,) = screen.children(parent)
        for size in ((width * 2, height * 2), (300, 700), (120, 120), (1, 1)):
            assert host.gui().set_size(host.at, *size)
            screen.sync()
            host.tick()
            assert host.window_size() == size
            assert screen.picture(inside, min(size[0], width), min(size[1], height)).shape[2] == 3
    with shown(screen, built("clap", "equaliser"), scale=2.0) as (host, _):
        assert host.window_size() == (width * 2, height * 2)


def test_a_window_whose_place_the_host_closed_first(screen: Screen) -> None:
    """Xlib ends a process for such an error, unless somebody looks at it."""
    with opened(built("clap", "overdrive")) as host:
        assert host.gui().create(host.at, b"x11", False)
        parent = screen.window(400, 222)
        assert host.open_window(parent)
        screen.destroy(parent)
        host.set("drive", 1.0)
        host.tick()
        assert host.gui().set_size(host.at, 500, 300)
        host.tick()
        host.gui().destroy(host.at)
        assert not host.open_window(parent)


def test_the_players_knobs_follow_its_artifact(screen: Screen, tmp_path: Path) -> None:
    kinds: dict[str, Any] = {"description": "", "type": "continuous", "rate": "block", "unit": "", "default": 0.5}
    kinds |= {"minimum": 0.0, "maximum": 1.0, "smoothing_seconds": 0.02}
    choice = {"description": "", "type": "categorical", "rate": "block", "labels": ["a", "b", "c"], "default": 1}
    many = hand_made(tmp_path, parameters=[choice | {"name": "mode"}, *({**kinds, "name": f"p{n}"} for n in range(31))])
    with shown(screen, player("clap")) as (host, parent):
        host.open_artifact(many)
        screen.sync()
        host.tick()
        width, height = host.window_size()
        screen.click(width * 0.08, height * 0.24)
        heard = told(host)
        assert [(kind, value) for kind, _, value in heard] == [("begin", 0.0), ("value", 1.0), ("end", 0.0)]
        assert host.text("mode", 1.0) == "c"
        assert host.open_artifact(EXPORTED / "overdrive")
        eventually(lambda: not is_painted(screen, parent, host, ACCENT, 2000), "one dial instead of 32")


def test_frequencies_turn_by_octaves(screen: Screen) -> None:
    """A hundredth of the dial is a hundredth of the octaves; the host's automation keeps the even range."""
    with shown(screen, built("clap", "equaliser")) as (host, _):
        frequency = host.parameters["frequency 3"]
        ratio = frequency.maximum / frequency.minimum
        assert ratio > 10.0
        screen.click(200, 40)
        host.tick()
        which, value = 0, 0.0
        for _ in range(len(host.parameters)):
            screen.key(TAB)
            screen.key(UP)
            (_, (_, which, value), _) = told(host)
            if which == frequency.id:
                break
        assert value == pytest.approx(500.0 * ratio**0.01)
        screen.key(HOME)
        assert told(host)[1] == ("value", frequency.id, 20.0)
        screen.key(DELETE)
        assert told(host)[1] == ("value", frequency.id, 500.0)


def test_two_windows_at_once(screen: Screen) -> None:
    with (
        shown(screen, built("clap", "equaliser")) as (below, _),
        shown(screen, built("clap", "overdrive")) as (above, _),
    ):
        drag(screen, above, 50)
        assert len(told(above)) > 2
        below.tick()
        below.flush()
        assert below.calls.told == []


def test_vst3_has_the_same_window(screen: Screen) -> None:
    """With timers of the host's; gestures go to the host, values come from it."""
    sound = noise(2, 3000)
    host = Vst3Instance(built("vst3", "overdrive"))
    view = host.view()
    assert view
    parent = screen.window(400, 222)
    x11 = c_char_p(b"X11EmbedWindowID")
    assert call(view, 3, c_int32, x11) == 0
    assert call(view, 3, c_int32, c_char_p(b"HWND")) != 0
    assert call(view, 4, c_int32, c_void_p(parent), x11) != 0, "no frame"
    bare, frame = host.frame(has_loop=False), host.frame()
    for given in (bare, frame):
        assert call(view, 12, c_int32, c_void_p(given.address)) == 0
        assert (call(view, 4, c_int32, c_void_p(parent), x11) == 0) == (given is frame)
    rectangle = (c_int32 * 4)()
    assert call(view, 9, c_int32, byref(rectangle)) == 0
    assert list(rectangle) == [0, 0, 400, 222]
    drag(screen, host, 100)

    def is_let_go() -> bool:
        host.tick()
        return host.edits[-1:] != [] and host.edits[-1][0] == "end"

    eventually(is_let_go, "the end of the drag")
    drive = host.parameter_id(0)
    kinds = [kind for kind, _, _ in host.edits]
    assert kinds == ["begin", *["value"] * (len(kinds) - 2), "end"]
    assert {which for _, which, _ in host.edits} == {drive}
    assert host.edits[-2][2] == pytest.approx((12.0 + 18.0) / 36.0)
    assert host.shown(drive) == pytest.approx(host.edits[-2][2])
    host.prepare(48000, 128)
    wanted = board_plays("overdrive", sound, 48000, {"drive": 30.0})
    np.testing.assert_allclose(host.play(sound, 128), wanted, rtol=0, atol=1e-5)
    rectangle[2], rectangle[3] = 800, 444
    assert call(view, 10, c_int32, byref(rectangle)) == 0
    host.tick()
    assert call(view, 5, c_int32) == 0
    assert host.timers == []
    assert screen.children(parent) == []
    call(view, 2, c_uint32)
    host.close()
    screen.destroy(parent)


def test_lv2_has_the_same_window(screen: Screen) -> None:
    """It writes to the ports, bypass to LV2's "enabled"."""
    sound = noise(2, 3000)
    host = Lv2Instance(built("lv2", "overdrive"), "", 48000)
    parent = screen.window(400, 222)
    assert Lv2Window(host, parent, has_instance=False).handle is None
    window = Lv2Window(host, parent)
    assert window.size == (400, 222)
    assert screen.children(parent) == [window.widget]
    window.tick()
    drag(screen, window, 100)
    screen.click(*BYPASS)

    def is_done() -> bool:
        window.tick()
        return ("end", "enabled", 0.0) in window.edits

    eventually(is_done, "bypass")
    assert window.edits[0] == ("begin", "drive", 0.0)
    moves = [value for kind, symbol, value in window.edits if (kind, symbol) == ("value", "drive")]
    assert moves[-1] == pytest.approx(30.0)
    assert window.edits[-4:] == [
        ("end", "drive", 0.0), ("begin", "enabled", 0.0), ("value", "enabled", 0.0), ("end", "enabled", 0.0)
    ]  # fmt: skip
    host.controls["enabled"].value = 1.0
    host.activate()
    got = host.play(sound, (128,))[:, 2000:]
    wanted = board_plays("overdrive", sound, 48000, {"drive": 30.0})[:, 2000:]
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5)
    window.close()
    assert screen.children(parent) == []
    host.close()
    screen.destroy(parent)


WITHOUT = """
import sys
from pathlib import Path
from support.clap_host import opened
from support.vst3_host import Vst3Instance
clap, vst3 = Path(sys.argv[1]), Path(sys.argv[2])
with opened(clap) as host:
    assert not host.offers_window()
    host.activate(48000, 64)
    import numpy as np
    host.play(np.zeros((2, 64), np.float32), (64,))
host = Vst3Instance(vst3)
assert host.view() == 0
host.close()
loaded = Path("/proc/self/maps").read_text()
assert "libX11" not in loaded and "libcairo" not in loaded
print("plays")
"""


@pytest.mark.parametrize("is_without", ["a display", "the libraries"])
def test_without_a_window_the_plugin_plays(is_without: str, tmp_path: Path) -> None:
    """Where there is no display, and where libX11 and libcairo are no libraries; the host has its own knobs."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])}
    environment.pop("DISPLAY", None)
    if is_without == "the libraries":
        environment |= {"DISPLAY": ":0", "LD_LIBRARY_PATH": str(tmp_path)}
        for name in ("libX11.so.6", "libcairo.so.2"):
            (tmp_path / name).write_bytes(b"")
    command = [sys.executable, "-c", WITHOUT, str(built("clap", "overdrive")), str(built("vst3", "overdrive"))]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "plays\n"), ran.stderr


def test_the_binary_asks_for_no_library_of_windows() -> None:
    needed = subprocess.run(["ldd", str(built("clap", "overdrive"))], capture_output=True, text=True, check=True).stdout
    assert "libc.so" in needed
    assert not any(name in needed for name in ("X11", "cairo", "GL", "xcb"))
