"""The player: artifacts that are chosen in the host, in a CLAP host and a VST3 host of our own."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neutone_like.errors import ArtifactError, CompileError
from neutone_like.plugin import build_player_plugin
from support.clap_host import ClapInstance, opened
from support.places import EXPORTED
from support.plugin_tools import board_plays, hand_made, late, needs_plugin, noise, player
from support.vst3_host import LATENCY_CHANGED, Vst3Instance, utf16

pytestmark = needs_plugin
PARAMETERS_CHANGED, TITLES_CHANGED = 1 << 2, 1 << 4
HIDDEN_IN_CLAP, HIDDEN_IN_VST3 = 1 << 2, 1 << 4
CHOSEN = "NEUTONE_LIKE_PLAYER_ARTIFACT"


@contextmanager
def playing(artifact: Path | str = "", rate: float = 44100, longest: int = 128) -> Iterator[ClapInstance]:
    with opened(player("clap")) as host:
        if artifact:
            assert host.open_artifact(artifact), host.calls.log
        host.activate(rate, longest)
        yield host


def copy_of(name: str, folder: Path) -> Path:
    shutil.copytree(EXPORTED / name, folder / name, ignore=shutil.ignore_patterns("samples", "report.html"))
    return folder / name


def test_without_an_artifact_sound_passes_through() -> None:
    sound = noise(1, 1000)
    with playing() as host:
        assert list(host.parameters) == [*(f"Knob {number}" for number in range(1, 33)), "Bypass"]
        assert "No artifact is chosen" in host.calls.log[0]
        np.testing.assert_array_equal(host.play(sound, (64,)), sound)
        assert host.latency() == 0


@pytest.mark.parametrize("name", ["overdrive", "speech_denoiser"])
def test_it_sounds_as_the_board_renders(name: str) -> None:
    sound = noise(3, 6000)
    with playing(EXPORTED / name) as host:
        latency = host.latency()
        got = host.play(late(sound, latency), (100, 1, 128))
        np.testing.assert_allclose(got[:, latency:], board_plays(name, sound, 44100), rtol=0, atol=1e-5)
        assert host.calls.log == []


def test_knobs_follow_the_artifact() -> None:
    with opened(player("clap")) as host:
        ids = [each.id for each in host.parameters.values()]
        assert host.open_artifact(EXPORTED / "overdrive" / "model.nm")
        assert {("params.rescan", True), ("preset.loaded", True)} <= set(host.calls.made)
        assert [each.id for each in host.parameters.values()] == ids
        drive = host.parameters["drive"]
        assert (drive.minimum, drive.maximum, drive.default_value) == (0.0, 1.0, pytest.approx(12 / 36))
        assert host.value("drive") == pytest.approx(12 / 36)
        assert host.text("drive", 0.5) == "18 dB"
        assert host.value_of("drive", "9 dB") == 0.25
        assert host.value_of("drive", "99 dB") is None
        hidden = [name for name, each in host.parameters.items() if each.flags & HIDDEN_IN_CLAP]
        assert hidden == [f"Knob {number}" for number in range(2, 33)]


def test_a_knob_is_heard_in_the_models_range() -> None:
    sound = noise(11, 4000)
    wanted = board_plays("overdrive", sound, 48000, {"drive": 27.0})
    assert np.abs(wanted - board_plays("overdrive", sound, 48000)).max() > 0.01
    with playing(EXPORTED / "overdrive", 48000) as host:
        host.set("drive", 0.75)
        host.reset()
        np.testing.assert_allclose(host.play(sound, (128,)), wanted, rtol=0, atol=1e-5)


def test_another_artifact_while_it_plays() -> None:
    """From the next block on, with its own defaults; a host hears that the latency is another."""
    sound = noise(5, 4096)
    with playing(rate=48000) as host:
        np.testing.assert_array_equal(host.play(sound, (64,)), sound)
        assert host.open_artifact(EXPORTED / "overdrive")
        assert ("request_restart", True) not in host.calls.made
        np.testing.assert_allclose(host.play(sound, (64,)), board_plays("overdrive", sound, 48000), rtol=0, atol=1e-5)
        host.set("drive", 1.0)
        assert host.open_artifact(EXPORTED / "speech_denoiser")
        assert ("request_restart", True) in host.calls.made
        latency = host.latency()
        assert latency > 0
        wanted = board_plays("speech_denoiser", sound, 48000)
        got = host.play(late(sound, latency), (64,))[:, latency:]
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5)
        assert not host.open_artifact("/nowhere")
        np.testing.assert_array_equal(host.play(sound, (64,)), sound)


def test_the_tail_is_endless_where_there_is_a_model() -> None:
    with playing() as host:
        assert host.tail() == 0
        assert host.open_artifact(EXPORTED / "overdrive")
        assert host.tail() == 2**31 - 1
        host.play(noise(1, 128), (64,))
        assert host.calls.made.count(("tail.changed", False)) == 1
        state = host.save()
    host = Vst3Instance(player("vst3"))
    host.prepare(48000, 64)
    assert host.tail() == 0
    assert host.load(state)
    assert host.tail() == 2**32 - 1
    host.close()


def test_many_artifacts_one_after_the_other_while_sound_plays() -> None:
    """Each that came and went was whole: no block is wrong, and nothing is left of it."""
    from threading import Thread

    sound = noise(6, 64)
    with playing(EXPORTED / "overdrive", 48000, 64) as host:
        stop: list[bool] = []
        wrong: list[float] = []

        def audio() -> None:
            while not stop:
                got = host.block(sound)
                wrong.append(float(np.abs(got).max()))

        thread = Thread(target=audio)
        thread.start()
        for turn in range(60):
            assert host.open_artifact(EXPORTED / ("lstm_amp" if turn % 2 else "overdrive"))
        stop.append(True)
        thread.join()
        assert np.isfinite(wrong).all()
        assert max(wrong) < 10.0
        assert host.open_artifact(EXPORTED / "lstm_amp")
        sound = noise(7, 3000)
        np.testing.assert_allclose(host.play(sound, (64,)), board_plays("lstm_amp", sound, 48000), rtol=0, atol=1e-5)


def test_a_session_comes_back(tmp_path: Path) -> None:
    sound = noise(2, 3000)
    with playing(EXPORTED / "overdrive", 48000) as host:
        host.set("drive", 0.9)
        host.set("Bypass", 0.0)
        state = host.save()
    told = json.loads(state)
    assert told["artifact"] == str(EXPORTED / "overdrive")
    assert told["parameters"] == {"drive": pytest.approx(32.4)}
    wanted = board_plays("overdrive", sound, 48000, {"drive": 32.4})
    with playing("", 48000) as host:
        assert host.load(state)
        host.read_again()
        assert host.value("drive") == pytest.approx(0.9)
        np.testing.assert_allclose(host.play(sound, (64,)), wanted, rtol=0, atol=1e-5)
        assert json.loads(host.save()) == told
        assert [line for line in host.calls.log if "not the model" in line] == []


def test_another_artifact_at_the_path_is_told(tmp_path: Path) -> None:
    folder = copy_of("overdrive", tmp_path)
    with playing(folder, 48000) as host:
        host.set("drive", 0.9)
        state = host.save()
    shutil.rmtree(folder)
    shutil.copytree(EXPORTED / "lstm_amp", folder)
    with playing("", 48000) as host:
        assert host.load(state)
        assert "is not the model that was saved here" in host.calls.log[-1]
        sound = noise(2, 2000)
        np.testing.assert_allclose(host.play(sound, (64,)), board_plays("lstm_amp", sound, 48000), rtol=0, atol=1e-5)


def _missing(folder: Path) -> None:
    shutil.rmtree(folder)


def _cut_off(folder: Path) -> None:
    data = (folder / "model.nlc").read_bytes()
    (folder / "model.nlc").write_bytes(data[:-100])


def _edited(folder: Path) -> None:
    data = bytearray((folder / "model.nlc").read_bytes())
    data[-200] ^= 1
    (folder / "model.nlc").write_bytes(data)


def _not_compiled(folder: Path) -> None:
    (folder / "model.nlc").unlink()


def _of_another_model(folder: Path) -> None:
    (folder / "model.nm").write_bytes((folder / "model.nm").read_bytes() + b"x")


def _offline(folder: Path) -> None:
    shutil.copyfile(EXPORTED / "stem_separator" / "model.nlc", folder / "model.nlc")


def _many_channels(folder: Path) -> None:
    shutil.copyfile(EXPORTED / "crossover" / "model.nlc", folder / "model.nlc")


BAD = {
    _missing: "There is no compiled model",
    _cut_off: "is no compiled model that can be played",
    _edited: "is no compiled model that can be played",
    _not_compiled: "Make one: neutone-like compile",
    _of_another_model: "which has changed since. Compile it again: neutone-like compile",
    _offline: "offline model",
    _many_channels: "mono and stereo",
}


@pytest.mark.parametrize("spoil", list(BAD), ids=lambda each: each.__name__)
def test_an_artifact_that_cant_be_played_passes_sound_through(tmp_path: Path, spoil: object) -> None:
    """It says why, chosen or from a session, which is saved again as it was; and plays when it is mended."""
    folder = copy_of("overdrive", tmp_path)
    with playing(folder, 48000) as host:
        host.set("drive", 0.5)
        state = host.save()
    spoil(folder)  # type: ignore[operator]
    said = BAD[spoil]  # type: ignore[index]
    sound = noise(4, 1000)
    with playing("", 48000) as host:
        assert not host.open_artifact(folder)
        assert ("preset.on_error", True) in host.calls.made
        assert said in host.calls.log[-1], host.calls.log
        assert host.load(state)
        assert said in host.calls.log[-1]
        np.testing.assert_array_equal(host.play(sound, (64,)), sound)
        assert host.save() == state
        shutil.rmtree(folder, ignore_errors=True)
        copy_of("overdrive", tmp_path)
        assert host.load(state)
        wanted = board_plays("overdrive", sound, 48000, {"drive": 18.0})
        np.testing.assert_allclose(host.play(sound, (64,)), wanted, rtol=0, atol=1e-5)


def test_more_parameters_than_knobs(tmp_path: Path) -> None:
    kinds: dict[str, Any] = {"description": "", "type": "continuous", "rate": "block", "unit": "", "default": 0.5}
    kinds |= {"minimum": 0.0, "maximum": 1.0, "smoothing_seconds": 0.02}
    most = hand_made(tmp_path, parameters=[{**kinds, "name": f"p{number}"} for number in range(32)])
    with playing(most) as host:
        assert [name for name in host.parameters if name.startswith("Knob")] == []
    many = hand_made(tmp_path, parameters=[{**kinds, "name": f"p{number}"} for number in range(33)])
    with playing() as host:
        assert not host.open_artifact(many)
        assert "has 33 parameters. Make a plugin of its own of it" in host.calls.log[-1]
    with pytest.raises(CompileError, match="has 33 parameters"):
        build_player_plugin(tmp_path / "out", artifact=many)


def test_a_choice_is_a_knob_with_its_labels(tmp_path: Path) -> None:
    kinds = {"description": "", "type": "categorical", "rate": "block", "labels": ["a", "b", "c"], "default": 1}
    with playing(hand_made(tmp_path, parameters=[{**kinds, "name": "mode"}])) as host:
        assert [host.text("mode", value) for value in (0.0, 0.2, 0.3, 0.5, 1.0)] == ["a", "a", "b", "b", "c"]
        assert host.value_of("mode", "c") == 1.0
        assert host.value("mode") == 0.5
        assert json.loads(host.save())["parameters"] == {"mode": 1}


def test_what_the_bundle_begins_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it was made with; the environment goes before it, and a session before both."""
    result = build_player_plugin(tmp_path / "out", ["clap"], artifact=EXPORTED / "overdrive")
    assert result.artifact == EXPORTED / "overdrive"
    assert "begins with" in str(result)
    with opened(result.files[0].path) as host:
        assert "drive" in host.parameters
        state = host.save()
        monkeypatch.setenv(CHOSEN, str(EXPORTED / "tone_control" / "model.nlc"))
        other = ClapInstance(host.file)
        assert "tone" in other.parameters
        assert other.load(state)
        other.read_again()
        assert "drive" in other.parameters
        other.close()


def test_artifacts_that_no_player_is_made_with(tmp_path: Path) -> None:
    folder = copy_of("overdrive", tmp_path)
    (folder / "model.nlc").unlink()
    with pytest.raises(ArtifactError, match="neutone-like compile"):
        build_player_plugin(tmp_path / "out", artifact=folder)
    with pytest.raises(CompileError, match="offline model"):
        build_player_plugin(tmp_path / "out", artifact=EXPORTED / "stem_separator")
    with pytest.raises(CompileError, match="clap, vst3, lv2, got 'au'"):
        build_player_plugin(tmp_path / "out", ["au"])
    assert not (tmp_path / "out").exists()


def test_vst3_follows_a_state_with_another_artifact() -> None:
    sound = noise(8, 3000)
    with playing(EXPORTED / "speech_denoiser", 48000) as clap:
        denoiser = clap.save()
    with playing(EXPORTED / "overdrive", 48000) as clap:
        clap.set("drive", 0.25)
        overdrive = clap.save()
    host = Vst3Instance(player("vst3"))
    try:
        assert utf16(host.parameter(0).title) == "Knob 1"
        host.prepare(48000, 64)
        np.testing.assert_array_equal(host.play(sound, 64), sound)
        assert host.load(overdrive)
        assert host.restarts == [PARAMETERS_CHANGED | TITLES_CHANGED]
        drive = host.parameter(0)
        assert (utf16(drive.title), utf16(drive.unit)) == ("drive", "dB")
        assert host.text(drive.id, 0.5) == "18"
        assert host.shown(drive.id) == 0.25
        assert host.parameter(1).flags & HIDDEN_IN_VST3
        wanted = board_plays("overdrive", sound, 48000, {"drive": 9.0})
        np.testing.assert_allclose(host.play(sound, 64), wanted, rtol=0, atol=1e-5)
        assert json.loads(host.save()) == json.loads(overdrive)
        assert host.load(denoiser)
        assert host.restarts[1] == PARAMETERS_CHANGED | TITLES_CHANGED | LATENCY_CHANGED
        latency = host.latency()
        got = host.play(late(sound, latency), 64)[:, latency:]
        np.testing.assert_allclose(got, board_plays("speech_denoiser", sound, 48000), rtol=0, atol=1e-5)
    finally:
        host.close()
