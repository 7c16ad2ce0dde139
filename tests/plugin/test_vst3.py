"""Plugins in pedalboard, a VST3 host that others wrote."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neutone_like.plugin import build_plugin
from support.places import EXPORTED
from support.plugin_tools import Audio, board_plays, built, hand_made, needs_plugin, noise
from support.vst3_host import LATENCY_CHANGED, Vst3Instance

pytestmark = needs_plugin
pedalboard: Any = pytest.importorskip("pedalboard", reason="pedalboard is the VST3 host")


def loaded(name: str) -> Any:
    return pedalboard.load_plugin(str(built("vst3", name)))


def played(plugin: Any, sound: Audio, rate: int, block: int) -> Audio:
    """pedalboard takes the latency off."""
    return np.asarray(plugin.process(sound, rate, buffer_size=block, reset=True), np.float32)


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("name", ["overdrive", "speech_denoiser"])
def test_pedalboard_hears_what_the_board_renders(name: str, rate: int) -> None:
    sound = noise(rate, 9000)
    wanted = board_plays(name, sound, rate)
    plugin = loaded(name)
    for block in (4096, 512, 100, 64, 17, 1):
        np.testing.assert_allclose(played(plugin, sound, rate, block), wanted, rtol=0, atol=1e-5)


def test_mono() -> None:
    sound = noise(8, 4000)[:1]
    np.testing.assert_allclose(
        played(loaded("lstm_amp"), sound, 44100, 256), board_plays("lstm_amp", sound, 44100), atol=1e-5
    )


def test_parameters_have_ranges_units_and_texts() -> None:
    plugin = loaded("overdrive")
    drive = plugin.parameters["drive_db"]
    assert (drive.min_value, drive.max_value, drive.label) == (0.0, 36.0, "dB")
    assert plugin.drive_db == 12.0
    drive.raw_value = 24.0 / 36.0
    assert plugin.drive_db == pytest.approx(24.0, abs=1e-5)
    assert (plugin.name, plugin.manufacturer_name, plugin.version) == ("Overdrive", "Ada", "1.0.0")
    sound = noise(5, 5000)
    wanted = board_plays("overdrive", sound, 44100, {"drive": 24.0})
    np.testing.assert_allclose(played(plugin, sound, 44100, 128), wanted, rtol=0, atol=1e-5)
    assert plugin.parameters["bypass"].string_value == "Off"


def test_state_comes_back() -> None:
    plugin, other = loaded("overdrive"), loaded("overdrive")
    sound = noise(6, 5000)
    plugin.parameters["drive_db"].raw_value = 0.9
    wanted = played(plugin, sound, 44100, 512)
    assert np.abs(played(other, sound, 44100, 512) - wanted).max() > 1e-3
    other.raw_state = plugin.raw_state
    assert other.parameters["drive_db"].raw_value == pytest.approx(0.9)
    np.testing.assert_array_equal(played(other, sound, 44100, 512), wanted)


def test_a_preset_of_the_hosts_comes_back_and_the_host_sees_it(tmp_path: Path) -> None:
    """The host reads its own copy of the knobs again only when it is told to."""
    plugin, other = loaded("overdrive"), loaded("overdrive")
    sound = noise(6, 5000)
    plugin.parameters["drive_db"].raw_value = 0.9
    wanted = played(plugin, sound, 44100, 512)
    (tmp_path / "mine.vstpreset").write_bytes(plugin.preset_data)
    other.load_preset(str(tmp_path / "mine.vstpreset"))
    assert other.parameters["drive_db"].raw_value == pytest.approx(0.9)
    np.testing.assert_array_equal(played(other, sound, 44100, 512), wanted)


def test_bypass_keeps_time() -> None:
    sound = noise(7, 5000)
    plugin = loaded("speech_denoiser")
    plugin.bypass = True
    np.testing.assert_array_equal(played(plugin, sound, 44100, 256)[:, 500:], sound[:, 500:])
    np.testing.assert_array_equal(played(plugin, sound, 44100, 256), sound)


def test_two_models_in_a_chain() -> None:
    sound = noise(9, 8000)
    chain = pedalboard.Pedalboard([loaded("overdrive"), loaded("speech_denoiser")])
    wanted = board_plays("speech_denoiser", board_plays("overdrive", sound, 44100), 44100)
    got = chain(sound, 44100, buffer_size=128)
    np.testing.assert_allclose(got[:, :6000], wanted[:, :6000], rtol=0, atol=1e-5)


def test_without_its_model_it_passes_sound_through(tmp_path: Path) -> None:
    result = build_plugin(EXPORTED / "overdrive", tmp_path, ["vst3"])
    (binary,) = result.files[0].path.rglob("*.so")
    binary.write_bytes(binary.read_bytes()[:-1000])
    plugin = pedalboard.load_plugin(str(result.files[0].path))
    assert plugin.name == "Overdrive"
    assert list(plugin.parameters) == ["bypass"]
    sound = noise(2, 3000)
    np.testing.assert_array_equal(played(plugin, sound, 44100, 64), sound)


@contextmanager
def hosted(plugin: str | Path) -> Iterator[Vst3Instance]:
    instance = Vst3Instance(plugin if isinstance(plugin, Path) else built("vst3", plugin))
    try:
        yield instance
    finally:
        instance.close()


def test_points_land_at_their_sample() -> None:
    """Several in a block, of two parameters at once; and one beyond the block, which is due when it ends."""
    sound = noise(11, 6000)
    curve = np.zeros(6000, np.float32)
    steps = [(1000, 12.0), (1001, -12.0), (2500, 6.0), (4095, 0.0)]
    for when, value in steps:
        curve[when:] = value
    wanted = board_plays("tone_control", sound, 48000, {"tone": curve})
    with hosted("tone_control") as host:
        tone, bypass = host.parameter_id(0), host.parameter_id(1)
        points = [(when, tone, (value + 12.0) / 24.0) for when, value in steps]
        for block in (512, 6000, 17):
            host.prepare(48000, block)
            assert host.latency() == 0
            got = host.play(sound, block, [*points, (3000, bypass, 0.0)])
            np.testing.assert_allclose(got, wanted, rtol=0, atol=2e-5)
        assert host.shown(tone) == 0.5
        host.block(sound[:, :0], [(0, tone, 1.0)])
        assert host.shown(tone) == 1.0
        host.block(sound[:, :100], [(300, tone, 0.25), (-5, bypass, 1.0)])
        assert (host.shown(tone), host.shown(bypass)) == (0.25, 1.0)


def test_a_host_hears_that_the_latency_changed() -> None:
    with hosted("overdrive") as host:
        host.prepare(48000, 64)
        assert (host.latency(), host.restarts) == (0, [])
        host.prepare(44100, 64)
        assert host.restarts == [LATENCY_CHANGED]
        latency = host.latency()
        assert latency > 0
        host.prepare(44100, 4096)
        assert (host.latency(), host.restarts) == (latency, [LATENCY_CHANGED])


def test_a_host_that_sets_up_again_when_it_hears_of_the_latency() -> None:
    with hosted("overdrive") as host:

        def again() -> None:
            if len(host.restarts) < 5:
                host.prepare(44100, 64)

        host.when_restarted = again
        host.prepare(44100, 64)
        assert host.restarts == [LATENCY_CHANGED]


def test_a_choice_is_a_list_that_is_shown(tmp_path: Path) -> None:
    can_automate, is_list, is_bypass = 1 << 0, 1 << 3, 1 << 16
    kinds = {"description": "", "type": "categorical", "rate": "block"}
    choices = [{**kinds, "name": "one", "labels": ["a", "b", "c"], "default": 1}]
    choices.append({**kinds, "name": "two", "labels": ["on", "off"], "default": 0})
    result = build_plugin(hand_made(tmp_path, parameters=choices), tmp_path, ["vst3"], worker=False)
    with hosted(result.files[0].path) as host:
        told = [host.parameter(index) for index in range(3)]
    listed = can_automate | is_list
    assert [(each.flags, each.steps) for each in told] == [(listed, 2), (listed, 1), (can_automate | is_bypass, 1)]
    with hosted("overdrive") as host:
        assert (host.parameter(0).flags, host.parameter(0).steps) == (can_automate, 0)
