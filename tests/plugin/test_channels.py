"""Plugins of a model of two channels in and six out, in hosts of three formats, beside what the board renders."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pytest

from neutone_like.errors import CompileError
from neutone_like.plugin.building import require_playable
from neutone_like.runtime.compiled_model import CompiledModel
from support.clap_host import opened
from support.lv2_host import Lv2Instance
from support.plugin_tools import board_plays, built, late, needs_plugin, noise
from support.vst3_host import Vst3Instance

pytestmark = needs_plugin
NAME = "crossover"
MONO, STEREO, SIX = 1 << 19, 0b11, 0b111111


@pytest.mark.parametrize("worker", [False, True])
@pytest.mark.parametrize("rate", [44100, 48000])
def test_a_clap_host_hears_all_six_channels(rate: int, worker: bool) -> None:
    sound = noise(rate, 4000)
    wanted = board_plays(NAME, sound, rate)
    assert len(wanted) == 6
    with opened(built("clap", NAME, worker=worker)) as host:
        assert host.ports() == (2, 6)
        host.choose((2, 6), 0)
        for blocks in ((64,), (1, 700, 3, 129)):
            host.activate(rate, max(blocks))
            latency = host.latency()
            got = host.play(late(sound, latency), blocks)
            np.testing.assert_allclose(got[:, latency:], wanted, rtol=0, atol=1e-5)
            host.deactivate()
        assert not host.offers(1), "there is one layout alone"


def test_bypass_gives_the_inputs_in_step_on_the_first_outputs() -> None:
    sound = noise(3, 3000)
    with opened(built("clap", NAME)) as host:
        host.choose((2, 6), 0)
        host.set("Bypass", 1.0)
        host.activate(44100, 256)
        latency = host.latency()
        got = host.play(late(sound, latency), (256,))[:, latency:]
    np.testing.assert_array_equal(got[:2], sound)
    np.testing.assert_array_equal(got[2:], np.zeros_like(got[2:]))


def test_a_vst3_host_is_told_of_six_speakers_and_hears_them() -> None:
    sound = noise(5, 3000)
    host = Vst3Instance(built("vst3", NAME), outputs=6)
    assert (host.arrangement(is_output=False), host.arrangement(is_output=True)) == (STEREO, SIX)
    assert not host.arrange(STEREO, STEREO)
    assert not host.arrange(MONO, MONO)
    assert host.arrange(STEREO, SIX)
    host.prepare(44100, 128)
    latency = host.latency()
    got = host.play(late(sound, latency), 128)
    np.testing.assert_allclose(got[:, latency:], board_plays(NAME, sound, 44100), rtol=0, atol=1e-5)
    host.close()


def test_a_stereo_plugin_has_the_arrangements_that_it_had() -> None:
    host = Vst3Instance(built("vst3", "overdrive"))
    taken = [host.arrange(*each) for each in ((STEREO, STEREO), (MONO, MONO), (MONO, STEREO), (STEREO, SIX))]
    assert taken == [True, True, True, False]
    host.close()


def test_an_lv2_bundle_has_one_plugin_of_eight_audio_ports() -> None:
    sound = noise(7, 3000)
    wanted = board_plays(NAME, sound, 44100)
    host = Lv2Instance(built("lv2", NAME), "", 44100)
    assert len(host.descriptors) == 1
    assert [len(host.rows[kind]) for kind in ("input_", "output_")] == [2, 6]
    host.activate()
    latency = host.latency()
    got = host.play(late(sound, latency), (100, 17))
    np.testing.assert_allclose(got[:, latency:], wanted, rtol=0, atol=1e-5)
    host.close()


@dataclass(frozen=True)
class Nine:
    in_channels: int = 2
    out_channels: int = 9
    metadata: Any = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "metadata", {"native_sample_rates": []})


def test_more_than_eight_are_refused() -> None:
    with pytest.raises(CompileError, match=r"at most 8 channels on a side, and this model takes 2 and gives 9"):
        require_playable(cast(CompiledModel, Nine()))
