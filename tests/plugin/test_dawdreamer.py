"""Plugins in DawDreamer, a VST3 host that others wrote; tried where it is installed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.plugin_tools import Audio, board_plays, built, file_plays, needs_plugin, noise

pytestmark = needs_plugin
dawdreamer: Any = pytest.importorskip("dawdreamer", reason="DawDreamer is another VST3 host: pip install dawdreamer")
_MORE = 8192  # samples beyond the sound: no latency here is longer


class Chain:
    """A sound through plugins, one after the other."""

    def __init__(self, sound: Audio, rate: int, block: int, *names: str) -> None:
        self.engine = dawdreamer.RenderEngine(rate, block)
        self.seconds = (sound.shape[1] + _MORE) / rate
        self.samples = sound.shape[1]
        self.plugins = [self.engine.make_plugin_processor(name, str(built("vst3", name))) for name in names]
        before = ["sound", *names]
        graph: list[tuple[Any, list[str]]] = [(self.engine.make_playback_processor("sound", sound), [])]
        graph += [(plugin, [before[index]]) for index, plugin in enumerate(self.plugins)]
        self.engine.load_graph(graph)

    def play(self) -> Audio:
        """In step with the sound: DawDreamer takes no latency off."""
        self.engine.render(self.seconds)
        return self.heard()[:, self.latency() :][:, : self.samples]

    def latency(self) -> int:
        return sum(plugin.get_latency_samples() for plugin in self.plugins)

    def heard(self) -> Audio:
        return np.asarray(self.engine.get_audio(), np.float32)


def index_of(plugin: Any, name: str) -> int:
    return next(each["index"] for each in plugin.get_parameters_description() if each["name"] == name)


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("name", ["overdrive", "speech_denoiser"])
def test_it_hears_what_a_file_is_rendered_to(tmp_path: Path, name: str, rate: int) -> None:
    sound = noise(rate, 9000)
    wanted = file_plays(tmp_path, name, sound, rate)
    for block in (1, 17, 64, 100, 512, 4096):
        chain = Chain(sound, rate, block, name)
        np.testing.assert_allclose(chain.play(), wanted, rtol=0, atol=1e-5)
        np.testing.assert_allclose(chain.play(), wanted, rtol=0, atol=1e-5)  # from the start again


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_two_models_in_a_chain(rate: int) -> None:
    """The second one hears the first one's latency as silence, which moves its own blocks against the sound."""
    sound = noise(3, 9000)
    first = Chain(sound, rate, 128, "overdrive")
    first.play()
    wanted = board_plays("speech_denoiser", first.heard(), rate)
    got = Chain(sound, rate, 128, "overdrive", "speech_denoiser").play()
    np.testing.assert_allclose(got[:, :9000], wanted[:, first.latency() :][:, :9000], rtol=0, atol=1e-5)


@pytest.mark.parametrize("block", [1, 64, 512])
def test_automation(block: int) -> None:
    """A value for each sample, of which DawDreamer passes on the one at the start of each block."""
    sound = noise(11, 6000)
    tone = np.zeros(6000 + _MORE, np.float32)
    for when, value in ((1000, 12.0), (1001, -12.0), (2500, 6.0), (4095, 0.0)):
        tone[when:] = value
    chain = Chain(sound, 48000, block, "tone_control")
    (plugin,) = chain.plugins
    plugin.set_automation(index_of(plugin, "tone"), (tone + 12.0) / 24.0)
    heard = tone[np.arange(6000) // block * block]
    np.testing.assert_allclose(
        chain.play(), board_plays("tone_control", sound, 48000, {"tone": heard}), rtol=0, atol=2e-5
    )


def test_state_comes_back(tmp_path: Path) -> None:
    sound = noise(6, 5000)
    first, second = (Chain(sound, 44100, 512, "overdrive") for _ in range(2))
    drive = index_of(first.plugins[0], "drive")
    assert first.plugins[0].get_parameter(drive) == pytest.approx(12.0 / 36.0)
    first.plugins[0].set_parameter(drive, 0.75)
    wanted = first.play()
    np.testing.assert_allclose(wanted, board_plays("overdrive", sound, 44100, {"drive": 27.0}), rtol=0, atol=1e-5)
    assert np.abs(second.play() - wanted).max() > 1e-3
    first.plugins[0].save_state(str(tmp_path / "state"))
    with pytest.raises(RuntimeError, match="no available editor UI"):  # said when the state is there already
        second.plugins[0].load_state(str(tmp_path / "state"))
    assert second.plugins[0].get_parameter(drive) == pytest.approx(0.75)
    np.testing.assert_array_equal(second.play(), wanted)


def test_bypass_keeps_time() -> None:
    sound = noise(7, 5000)
    chain = Chain(sound, 44100, 256, "speech_denoiser")
    chain.plugins[0].set_parameter(index_of(chain.plugins[0], "Bypass"), 1.0)
    np.testing.assert_array_equal(chain.play()[:, 1000:], sound[:, 1000:])
