"""How long hosts are told that a plugin sounds on, beside how long the board's render of the same model does."""

import json
from pathlib import Path

import numpy as np
import pytest

from neutone_like.plugin import PluginTail, build_plugin
from neutone_like.plugin.tail import MOST_SECONDS
from support.clap_host import Audio, opened
from support.places import EXPORTED
from support.plugin_tools import board_plays, built, needs_plugin, noise
from support.vst3_host import Vst3Instance

pytestmark = needs_plugin
ENDLESS_IN_CLAP, ENDLESS_IN_VST3 = 2**31 - 1, 2**32 - 1
QUIET = 1e-5


def tail_of(name: str, folder: Path) -> PluginTail | None:
    return build_plugin(EXPORTED / name, folder, ["clap"], worker=False).tail


def last_heard(sound: Audio) -> int:
    """The index of the last sample that is less than 100 dB below the loudest, but for the constant that it ends in."""
    moving = np.abs(sound - sound[:, -1:]).max(axis=0)
    return int(np.flatnonzero(moving > QUIET * np.abs(sound).max())[-1])


def test_a_delay_lines_tail_is_its_length(tmp_path: Path) -> None:
    """A filter of 511 taps that is 255 late; five layers of nine taps that reach 8 * (1 + 4 + 16 + 64 + 256) back."""
    for name, most in (("linear_phase_shelf", 255), ("tcn_amp", 2728)):
        tail = tail_of(name, tmp_path)
        assert tail is not None
        assert tail.sample_rate == 48000
        assert 0.9 * most <= tail.samples <= most


@pytest.mark.parametrize("name", ["tone_control", "overdrive", "lstm_amp"])
def test_the_boards_render_ends_no_later(name: str, tmp_path: Path) -> None:
    """PyTorch plays it, with other sounds, at every setting that the first knob has."""
    tail = tail_of(name, tmp_path)
    assert tail is not None
    parameters = json.loads((EXPORTED / name / "metadata.json").read_text("utf-8"))["neutone_like"]["parameters"]
    sound = np.pad(noise(3, 6000), ((0, 0), (0, tail.samples + 24000)))
    settings = [{}] + [{each["name"]: each[end]} for each in parameters for end in ("minimum", "maximum")]
    heard = [last_heard(board_plays(name, sound, tail.sample_rate, setting)) - 5999 for setting in settings]
    assert 0.5 * tail.samples <= max(heard) <= tail.samples


def test_hosts_are_told(tmp_path: Path) -> None:
    """The latency with it, so that one which counts from the end of the input loses nothing, at every rate."""
    tail = tail_of("tone_control", tmp_path)
    assert tail is not None
    with opened(built("clap", "tone_control")) as host:
        for rate in (tail.sample_rate, 44100, 96000):
            host.activate(rate, 64)
            told = host.tail()
            if rate == tail.sample_rate:
                assert told == host.latency() + tail.samples
            assert told >= host.latency() + tail.seconds * rate
            assert told <= 2 * host.latency() + max(tail.samples, tail.seconds * rate + 1)
            for value in (-12.0, 12.0):
                host.set("tone", value)
                host.reset()
                out = host.play(np.pad(noise(3, 6000), ((0, 0), (0, told + 4000))), (64,))
                assert last_heard(out) < 6000 + told
            host.deactivate()
    other = Vst3Instance(built("vst3", "tone_control"))
    other.prepare(tail.sample_rate, 64)
    assert other.tail() == other.latency() + tail.samples
    other.close()


def test_a_host_may_let_it_sleep_where_the_tail_is_known() -> None:
    """CLAP's status is then that of the tail, and where it is endless to go on."""
    for name, status in (("tone_control", 3), ("live_texture", 1)):
        with opened(built("clap", name)) as host:
            host.activate(48000, 64)
            host.block(noise(1, 64))
            assert host.status == status


def test_what_never_ends_is_endless(tmp_path: Path) -> None:
    """A generator, and an echo whose feedback outlasts what is measured."""
    assert 0.95**MOST_SECONDS > QUIET, "the echo's longest, a second apart"
    for name in ("live_texture", "echo"):
        assert tail_of(name, tmp_path) is None
        with opened(built("clap", name)) as host:
            host.activate(48000, 64)
            assert host.tail() == ENDLESS_IN_CLAP
        other = Vst3Instance(built("vst3", name))
        other.prepare(48000, 64)
        assert other.tail() == ENDLESS_IN_VST3
        other.close()
