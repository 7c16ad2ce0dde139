"""The player's window takes the path of an artifact from the clipboard."""

import json
from collections.abc import Iterator
from ctypes import c_char_p, c_int32, c_uint32, c_void_p
from pathlib import Path
from typing import Any

import pytest

from support.places import EXPORTED
from support.plugin_tools import needs_plugin, player
from support.plugin_windows import shown
from support.virtual_display import Screen, eventually, virtual_display
from support.vst3_host import Vst3Instance, call

pytestmark = needs_plugin
CONTROL, LETTER_V = 0xFFE3, 0x76


@pytest.fixture(scope="module")
def screen() -> Iterator[Screen]:
    with virtual_display() as made:
        yield made


PASTED = {
    "a path": "{}",
    "with its quotes and a second line": "  '{}'\n/elsewhere\n",
    "as a file manager copies it": "file://{}",
    "with its machine's name": "file://localhost{}",
}


@pytest.mark.parametrize("text", PASTED.values(), ids=PASTED)
def test_a_path_is_pasted_into_the_players_window(screen: Screen, tmp_path: Path, text: str) -> None:
    """Ctrl+V after a click, and the host hears of it; what is no path is left alone."""
    artifact = tmp_path / "an amp"
    artifact.symlink_to(EXPORTED / "overdrive")
    with shown(screen, player("clap")) as (host, parent):
        for other in ("just words", f"file://{EXPORTED}/overdrive%00"):
            screen.copy(parent, other)
            paste(screen, host, parent)
        assert "drive" not in host.parameters
        escaped = str(artifact).replace(" ", "%20") if text.startswith("file:") else str(artifact)
        screen.copy(parent, text.format(escaped))
        paste(screen, host, parent)

        def is_open() -> bool:
            host.tick()
            host.read_again()
            return "drive" in host.parameters

        eventually(is_open, "the artifact")
        assert ("state.mark_dirty", True) in host.calls.made
        host.activate(48000, 64)
        assert ("request_process", True) not in host.calls.made
        paste(screen, host, parent)
        eventually(lambda: host.tick() or ("request_process", True) in host.calls.made, "one that sleeps is woken")
        assert json.loads(host.save())["artifact"] == str(artifact)
        assert screen.heard_keys(parent) == 0


def test_a_path_of_many_words_is_shown(screen: Screen) -> None:
    """Pasted as much as fits, or in a project: to measure it after each of its words would take an hour."""
    text = "/" + "an amp " * 100_000
    with shown(screen, player("clap")) as (host, parent):
        host.activate(48000, 64)
        screen.copy(parent, text[:14001])
        paste(screen, host, parent)

        def is_shown(length: int) -> bool:
            host.tick()
            return any(text[:length].strip() in each for each in host.calls.log)

        eventually(lambda: is_shown(14000), "the message")
        state = {**json.loads(host.save()), "artifact": text.strip()}
        assert host.load(json.dumps(state).encode())
        eventually(lambda: is_shown(len(text)), "the longer one")
        assert json.loads(host.save())["artifact"] == text.strip()


def test_vst3_players_take_a_path_too(screen: Screen) -> None:
    host = Vst3Instance(player("vst3"))
    view, parent, frame = host.view(), screen.window(400, 222), host.frame()
    assert call(view, 12, c_int32, c_void_p(frame.address)) == 0
    assert call(view, 4, c_int32, c_void_p(parent), c_char_p(b"X11EmbedWindowID")) == 0
    screen.copy(parent, str(EXPORTED / "overdrive"))
    paste(screen, host, parent)

    def is_open() -> bool:
        host.tick()
        return host.text(host.parameter_id(0), 0.5) == "18"

    eventually(is_open, "the artifact's knob")
    assert call(view, 5, c_int32) == 0
    call(view, 2, c_uint32)
    host.close()
    screen.destroy(parent)


def paste(screen: Screen, host: Any, parent: int) -> None:
    screen.click(200, 40)
    host.tick()
    screen.key(CONTROL, is_down=True)
    screen.key(LETTER_V)
    screen.key(CONTROL, is_down=False)

    def is_asked_for() -> bool:
        host.tick()
        return screen.give_copied(parent) > 0

    eventually(is_asked_for, "the clipboard is asked for")
    host.tick()
