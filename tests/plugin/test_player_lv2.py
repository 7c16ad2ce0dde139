"""The player in LV2: an artifact by patch:Set and by state, and knobs that take hold when they are moved."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from support.lv2_host import Lv2Instance
from support.lv2_player_host import Lv2Player
from support.places import EXPORTED
from support.plugin_tools import board_plays, late, needs_plugin, noise, player

pytestmark = needs_plugin
OVERDRIVE, DENOISER = EXPORTED / "overdrive", EXPORTED / "speech_denoiser"


@contextmanager
def playing(rate: float = 48000) -> Iterator[Lv2Player]:
    host = Lv2Player(player("lv2"), rate)
    host.plugin.activate()
    try:
        yield host
    finally:
        host.plugin.close()


def choose(host: Lv2Player, path: object) -> None:
    host.send(host.message("Set", str(path).encode()))
    host.run()
    host.send(b"")
    host.work()


def test_an_artifact_by_message() -> None:
    sound = noise(1, 3000)
    with playing() as host:
        np.testing.assert_array_equal(host.plugin.play(sound, (64,)), sound)
        choose(host, DENOISER)
        host.send(b"")
        host.run()
        assert host.told() == str(DENOISER)
        latency = host.plugin.latency()
        assert latency > 0
        got = host.plugin.play(late(sound, latency), (64, 100))[:, latency:]
        np.testing.assert_allclose(got, board_plays("speech_denoiser", sound, 48000), rtol=0, atol=1e-5)
        assert host.told() is None
        host.send(host.message("Get"))
        host.run()
        assert host.told() == str(DENOISER)
        choose(host, "/nowhere")
        np.testing.assert_array_equal(host.plugin.play(sound, (64,)), sound)


def test_messages_that_are_none_of_ours() -> None:
    with playing() as host:
        good = host.message("Set", str(OVERDRIVE).encode())
        for other in (
            host.message("Set", str(OVERDRIVE).encode(), which="something else"),
            host.message("Set"),
            host.message("Put", str(OVERDRIVE).encode()),
            host.message("Set", b"x" * 5000),
            good[:-8],
            good[:20],
            good[:8] + b"\xff" * 4 + good[12:],
            good[:40] + b"\xff\xff\xff\xff" + good[44:],
        ):
            host.send(other)
            host.run()
            assert host.scheduled == [], other
        host.send(host.message("Put", b"a") + good)
        host.run()
        assert len(host.scheduled) == 1


def test_a_knob_takes_hold_when_it_is_moved() -> None:
    """An artifact begins with its own defaults, wherever the host's knobs stand."""
    sound = noise(2, 2000)
    with playing() as host:
        knob = host.plugin.controls["knob_1"]
        choose(host, OVERDRIVE)
        assert knob.value == 0.5
        got = host.plugin.play(sound, (64,))
        np.testing.assert_allclose(got, board_plays("overdrive", sound, 48000), rtol=0, atol=1e-5)
        knob.value = 0.75
        host.plugin.activate()
        host.run()
        host.plugin.activate()
        wanted = board_plays("overdrive", sound, 48000, {"drive": 27.0})
        np.testing.assert_allclose(host.plugin.play(sound, (64,)), wanted, rtol=0, atol=1e-5)


def test_a_session_comes_back() -> None:
    sound = noise(3, 2000)
    with playing() as host:
        choose(host, OVERDRIVE)
        host.plugin.controls["knob_2"].value = 0.125
        host.plugin.controls["knob_1"].value = 0.75
        host.run()
        choose(host, EXPORTED / "lstm_amp")
        choose(host, OVERDRIVE)
        saved = host.save()
    assert saved[f"{host.uri}#artifact"] == (str(OVERDRIVE).encode() + b"\0", "http://lv2plug.in/ns/ext/atom#Path")
    with playing() as host:
        host.plugin.controls["knob_1"].value = 0.75
        host.plugin.controls["knob_2"].value = 0.125
        host.restore(saved)
        host.run()
        assert host.told() == str(OVERDRIVE)
        got = host.plugin.play(sound, (64,))
        np.testing.assert_allclose(got, board_plays("overdrive", sound, 48000), rtol=0, atol=1e-5)
        assert host.save() == saved
    with playing() as host:
        host.restore({f"{host.uri}#artifact": saved[f"{host.uri}#artifact"]})
        got = host.plugin.play(sound, (64,))
        np.testing.assert_allclose(got, board_plays("overdrive", sound, 48000), rtol=0, atol=1e-5)
        host.restore({})
        assert host.save()[f"{host.uri}#artifact"] == saved[f"{host.uri}#artifact"]


def test_a_host_that_has_none_of_it() -> None:
    host = Lv2Instance(player("lv2"), "#mono", 48000)
    sound = noise(4, 500)[:1]
    np.testing.assert_array_equal(host.play(sound, (64,)), sound)
    host.close()


def test_lv2s_own_tools_take_the_bundle() -> None:
    if shutil.which("lv2_validate") is None or shutil.which("sord_validate") is None:
        pytest.skip("no lv2_validate (Debian: apt-get install lv2-dev sordi)")
    command = ["lv2_validate", *player("lv2").glob("*.ttl")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
