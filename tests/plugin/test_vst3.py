"""Plugins in pedalboard, a VST3 host that others wrote."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neutone_like.plugin import build_plugin
from support.places import EXPORTED
from support.plugin_tools import Audio, board_plays, built, needs_plugin, noise

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
