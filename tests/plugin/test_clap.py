"""Plugins in a CLAP host of our own, beside what the board renders."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest

from neutone_like.plugin import build_plugin
from support.clap_host import Audio, ClapFile, ClapInstance, opened
from support.places import EXPORTED
from support.plugin_tools import board_plays, built, late, needs_plugin, noise

pytestmark = needs_plugin

VARYING = (1, 700, 3, 64, 129, 512, 17)


BLOCKS = ((1,), (17,), (64,), (100,), (512,), (4096,), VARYING)
SILENCE = 4410  # whole periods of every rate's conversion


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("name", ["overdrive", "speech_denoiser"])
def test_a_host_hears_what_the_board_renders(name: str, rate: int) -> None:
    """From the first sample to the last, whatever the blocks are."""
    sound = noise(rate, 9000)
    wanted = board_plays(name, sound, rate)
    with opened(built("clap", name)) as host:
        for blocks in BLOCKS:
            host.activate(rate, max(blocks))
            latency = host.latency()
            samples = 1500 if blocks == (1,) else 9000
            got = host.play(late(sound, latency)[:, : samples + latency], blocks)
            assert np.abs(got[:, : max(latency - rate // 25, 0)]).max(initial=0.0) < 1e-6
            np.testing.assert_allclose(got[:, latency:], wanted[:, :samples], rtol=0, atol=1e-5)
            host.deactivate()


@pytest.mark.parametrize("rate", [44100, 96000])
def test_what_comes_before_the_sound_is_the_filters_own(rate: int) -> None:
    """A linear filter answers before its middle: as the board has it where silence comes first."""
    sound = noise(rate, 2000)
    wanted = board_plays("overdrive", np.pad(sound, ((0, 0), (SILENCE, 0))), rate)
    with opened(built("clap", "overdrive")) as host:
        host.activate(rate, 100)
        latency = host.latency()
        assert latency > 20
        got = host.play(sound, (100,))
        np.testing.assert_allclose(got, wanted[:, SILENCE - latency :][:, :2000], rtol=0, atol=1e-5)


def test_blocks_beyond_what_was_announced_and_in_place() -> None:
    sound = noise(5, 5000)
    wanted = board_plays("overdrive", sound, 44100)
    with opened(built("clap", "overdrive")) as host:
        host.activate(44100, 64)
        latency = host.latency()
        got = host.play(late(sound, latency), (1000, 5, 2000), in_place=True)
        np.testing.assert_allclose(got[:, latency:], wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["overdrive", "speech_denoiser", "stereo_widener"])
def test_mono_and_mono_to_stereo(name: str) -> None:
    mono = noise(8, 4000)[:1]
    with opened(built("clap", name)) as host:
        for layout in ((1, 1), (1, 2)):
            host.choose(layout)
            host.activate(44100, 256)
            latency = host.latency()
            got = host.play(late(mono, latency), (256,))
            wanted = board_plays(name, np.repeat(mono, layout[1], axis=0), 44100)
            wanted = wanted.mean(axis=0, keepdims=True) if layout == (1, 1) else wanted
            np.testing.assert_allclose(got[:, latency:], wanted, rtol=0, atol=1e-5)
            host.deactivate()


def test_parameters_land_at_their_sample() -> None:
    """Where the model has a value a sample: an event in the middle of a block, and two at once."""
    sound = noise(11, 6000)
    steps = [(1000, "tone", 12.0), (1001, "tone", -12.0), (2500, "tone", 6.0), (4095, "tone", 0.0)]
    curve = np.zeros(6000, np.float32)
    for when, _, value in steps:
        curve[when:] = value
    wanted = board_plays("tone_control", sound, 48000, {"tone": curve})
    early = board_plays("tone_control", sound, 48000, {"tone": np.roll(curve, -1)})
    assert np.abs(early - wanted).max() > 1e-3, "a sample would be heard"
    with opened(built("clap", "tone_control")) as host:
        host.set("tone", 0.0)
        for blocks in ((512,), (6000,), VARYING):
            host.activate(48000, max(blocks))
            latency = host.latency()
            got = host.play(late(sound, latency), blocks, steps)[:, latency:]
            np.testing.assert_allclose(got, wanted, rtol=0, atol=2e-5)
            host.deactivate()
            host.set("tone", 0.0)


def test_parameters_have_ranges_units_and_texts() -> None:
    with opened(built("clap", "overdrive")) as host:
        drive = host.parameters["drive"]
        assert (drive.minimum, drive.maximum, drive.default_value) == (0.0, 36.0, 12.0)
        assert host.value("drive") == 12.0
        assert host.text("drive", 24.5) == "24.5 dB"
        assert [host.value_of("drive", text) for text in ("24.5 dB", " 3", "99 dB", "loud")] == [24.5, 3.0, None, None]
        assert host.text("drive", 1e9) == "36 dB"
        assert host.text("Bypass", 1.0) == "On"
        assert host.value_of("Bypass", "Off") == 0.0
        assert host.parameters["Bypass"].flags & 1 << 4
        host.set("drive", float("nan"))
        assert host.value("drive") == 12.0
        host.set("drive", 1e9)
        assert host.value("drive") == 36.0


def test_state_comes_back() -> None:
    sound = noise(2, 3000)
    with opened(built("clap", "overdrive")) as host, opened(built("clap", "overdrive")) as other:
        host.set("drive", 30.123456789)
        state = host.save()
        assert json.loads(state)["parameters"] == {"drive": 30.123456789}
        other.activate(44100, 128)
        other.play(sound, (128,))
        assert other.load(state)
        assert other.value("drive") == 30.123456789
        assert ("params.rescan", True) in other.calls.made
        other.reset()
        host.activate(44100, 128)
        np.testing.assert_array_equal(other.play(sound, (128,)), host.play(sound, (128,)))
        for bad in (b"", b"{}", b"\xff\x00", b'{"neutone_like_plugin"', state[:-5]):
            assert not other.load(bad)
        assert other.value("drive") == 30.123456789
        assert other.load(b'{"neutone_like_plugin": 1, "parameters": {"other": 1, "drive": 99}}')
        assert other.value("drive") == 36.0


def test_a_loaded_state_is_heard_from_the_next_block_on() -> None:
    sound = noise(2, 3000)
    with opened(built("clap", "tone_control")) as host:
        host.set("tone", 12.0)
        state = host.save()
        host.set("tone", 0.0)
        host.activate(48000, 100)
        host.play(sound, (100,))
        assert host.load(state)
        got = host.play(sound, (100,))
        host.reset()
        assert np.abs(got[:, -500:] - host.play(sound, (100,))[:, -500:]).max() < 1e-3
        host.set("tone", 0.0)
        host.reset()
        assert np.abs(got[:, -500:] - host.play(sound, (100,))[:, -500:]).max() > 1e-2


def test_states_that_are_not_this_plugins() -> None:
    """Another version's, another plugin's, or none: the knobs stay."""
    with opened(built("clap", "overdrive")) as host, opened(built("clap", "lstm_amp")) as other:
        host.set("drive", 30.0)
        mine = json.loads(host.save())
        theirs = json.loads(other.save())
        assert mine["plugin"] != theirs["plugin"]
        wrong = {
            "neutone_like_plugin": [0, 2, 1.5, "1", True, None],
            "parameters": [None, [], "drive", 3],
            "plugin": [theirs["plugin"], "", None, 1],
        }
        for key, values in wrong.items():
            for value in values:
                bad = {**mine, "parameters": {"drive": 3.0}, key: value}
                assert not host.load(json.dumps(bad).encode()), bad
                assert host.value("drive") == 30.0
        for missing in ("neutone_like_plugin", "parameters"):
            assert not host.load(json.dumps({key: mine[key] for key in mine if key != missing}).encode())
        assert host.load(json.dumps({**mine, "parameters": {"drive": 3.0}, "version": "99"}).encode())
        assert host.value("drive") == 3.0


def test_bypass_keeps_time() -> None:
    sound = noise(3, 8000)
    with opened(built("clap", "speech_denoiser")) as host:
        host.set("Bypass", 1.0)
        host.activate(44100, 64)
        latency = host.latency()
        assert latency > 0
        np.testing.assert_array_equal(host.play(late(sound, latency), (64,))[:, latency:], sound)
        host.reset()
        got = host.play(late(sound, latency), (64,), [(4000, "Bypass", 0.0)])[:, latency:]
        wanted = board_plays("speech_denoiser", sound, 44100)
        np.testing.assert_array_equal(got[:, : 4000 - latency], sound[:, : 4000 - latency])
        after = 4000 - latency + 442
        np.testing.assert_allclose(got[:, after:], wanted[:, after:], rtol=0, atol=1e-5)


def test_latency_follows_the_rate_and_is_told() -> None:
    with opened(built("clap", "speech_denoiser")) as host:
        told: list[int] = []
        for rate in (44100, 48000, 96000, 96000):
            host.activate(rate, 512)
            told.append(host.latency())
            host.deactivate()
        assert len(set(told)) == 3
        assert host.calls.made == [("latency.changed", True)] * 3
        for longest in (1, 4096):
            host.activate(96000, longest)
            assert host.latency() == told[-1]
            host.deactivate()


def test_starting_again_is_a_fresh_start() -> None:
    sound = noise(4, 3000)
    with opened(built("clap", "lstm_amp")) as host:
        host.activate(44100, 100)
        first = host.play(sound, (100,))
        assert np.abs(host.play(sound, (100,)) - first).max() > 1e-4, "there is state to clear"
        host.reset()
        np.testing.assert_array_equal(host.play(sound, (100,)), first)
        host.deactivate()
        host.activate(44100, 100)
        np.testing.assert_array_equal(host.play(sound, (100,)), first)


def test_sound_that_is_none(capfd: pytest.CaptureFixture[str]) -> None:
    """NaN, infinity, denormals and blocks of nothing: what comes after is what would have come."""
    with opened(built("clap", "lstm_amp")) as host:
        host.activate(48000, 64)
        bad = np.full((2, 64), np.nan, np.float32)
        bad[1] = np.inf
        assert np.isfinite(host.play(bad, (64,))).all()
        assert host.block(np.zeros((2, 0), np.float32)).shape == (2, 0)
        tiny = np.full((2, 640), 1e-40, np.float32)
        assert np.isfinite(host.play(tiny, (64,))).all()
        host.set("Bypass", 1.0)
        assert np.isfinite(host.play(bad, (64,))).all()
        host.reset()
        host.set("Bypass", 0.0)
        sound = noise(6, 2000)
        wanted = board_plays("lstm_amp", sound, 48000)
        latency = host.latency()
        np.testing.assert_allclose(
            host.play(late(sound, latency), (64,))[:, -500:], wanted[:, -500:], rtol=0, atol=1e-4
        )


def test_two_models_in_one_host() -> None:
    """Side by side, each on a thread of its own."""
    sound = noise(7, 20000)
    got: dict[str, Audio] = {}
    with opened(built("clap", "overdrive")) as one, opened(built("clap", "lstm_amp")) as two:
        assert one.file.descriptor.id != two.file.descriptor.id
        hosts = {"overdrive": one, "lstm_amp": two}

        def play(name: str, host: ClapInstance) -> None:
            got[name] = host.play(late(sound, host.latency()), (64,))[:, host.latency() :]

        for host in hosts.values():
            host.activate(44100, 64)
        threads = [threading.Thread(target=play, args=each) for each in hosts.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for name in hosts:
        np.testing.assert_allclose(got[name], board_plays(name, sound, 44100), rtol=0, atol=1e-5)


def test_loading_it_a_hundred_times_leaves_nothing() -> None:
    path = built("clap", "tcn_amp")

    def once() -> None:
        host = ClapInstance(ClapFile(path))
        host.activate(48000, 64)
        host.play(noise(1, 64), (64,))
        host.close(unload=True)

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    for _ in range(20):
        once()
    before, threads = resident(), threading.active_count()
    for _ in range(100):
        once()
    assert "tcn_amp" not in "".join(
        line for line in Path("/proc/self/maps").read_text().splitlines() if ".clap" in line
    )
    assert resident() - before < 3 << 20
    assert threading.active_count() == threads


@pytest.mark.parametrize("left", ["no model", "half a model", "one byte less", "a changed byte"])
def test_a_plugin_without_its_model_passes_sound_through(tmp_path: Path, left: str) -> None:
    """It says why, and what was saved with the model is saved again."""
    result = build_plugin(EXPORTED / "overdrive", tmp_path, ["clap"])
    path = result.files[0].path
    data = bytearray(path.read_bytes())
    cut = {"no model": result.model_bytes, "half a model": result.model_bytes // 2, "one byte less": 1}.get(left, 0)
    if cut:
        path.write_bytes(data[:-cut])
    else:
        data[-100] ^= 0x55
        path.write_bytes(data)
    sound = noise(9, 1000)
    with opened(path) as host:
        assert host.file.descriptor.name == b"Overdrive"
        assert b"passes through" in host.file.descriptor.description
        assert list(host.parameters) == ["Bypass"]
        state = b'{"neutone_like_plugin": 1, "parameters": {"drive": 30}}'
        assert host.load(state)
        host.activate(44100, 64)
        assert host.latency() == 0
        np.testing.assert_array_equal(host.play(sound, (64,)), sound)
        np.testing.assert_array_equal(host.play(sound, (64,), in_place=True), sound)
        assert "passes through" in host.calls.log[0]
        assert ("cut off" in host.calls.log[0]) == bool(cut), host.calls.log
        assert host.save() == state


def test_a_rate_that_the_model_has_no_plan_for_passes_sound_through() -> None:
    sound = noise(9, 500)
    with opened(built("clap", "overdrive")) as host:
        host.activate(500, 64)
        assert "sample_rate" in host.calls.log[0]
        assert host.latency() == 0
        np.testing.assert_array_equal(host.play(sound, (64,)), sound)
        host.deactivate()
        host.activate(48000, 64)
        assert np.abs(host.play(sound, (64,)) - sound).max() > 0.01


def test_the_empty_binary_loads_too() -> None:
    from neutone_like.plugin.binary import BINARY
    from neutone_like.runtime.native_files import native_file

    with opened(native_file(BINARY)) as host:
        host.activate(48000, 64)
        assert "has no model" in host.calls.log[0]
        np.testing.assert_array_equal(host.play(noise(1, 64), (64,)), noise(1, 64))
