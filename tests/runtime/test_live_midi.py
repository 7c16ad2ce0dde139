"""Knobs of a MIDI controller: learnt by moving them, of 7 and 14 bits, kept in a file."""

import json
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from neutone_like import ContinuousParameter, MissingExtraError, ParameterError
from neutone_like.errors import RuntimeEngineError
from neutone_like.model import CategoricalParameter
from neutone_like.runtime import PythonBackend
from neutone_like.runtime.live import LiveStream, MidiControl, MidiKnobs, midi
from neutone_like.runtime.live.midi_map import MidiMap, read_controls, usual_file, write_controls
from support.absent_package import Absent
from support.fake_portaudio import fake_portaudio

MODEL = PythonBackend(
    lambda x, parameters: x,
    parameters=(
        ContinuousParameter("drive", default=0.0, maximum=36.0, unit="dB"),
        CategoricalParameter("voice", labels=("clean", "crunch", "lead")),
    ),
)


def change(control: int, value: int, channel: int = 0) -> SimpleNamespace:
    """A control change as mido gives it, whose channels begin at 0."""
    return SimpleNamespace(type="control_change", channel=channel, control=control, value=value)


def bend(pitch: int, channel: int = 0) -> SimpleNamespace:
    return SimpleNamespace(type="pitchwheel", channel=channel, pitch=pitch)


class Port:
    """An input that gives what it was given."""

    name = "Port"

    def __init__(self) -> None:
        self.messages: deque[Any] = deque()
        self.closed = False

    def iter_pending(self) -> Iterator[Any]:
        while self.messages:
            message = self.messages.popleft()
            if isinstance(message, OSError):
                raise message
            yield message

    def close(self) -> None:
        self.closed = True


def learnt(*messages: SimpleNamespace) -> tuple[MidiControl, ...]:
    controls = MidiMap(["drive", "voice"])
    controls.learn("drive")
    for message in messages:
        controls.handle(message)
    return controls.controls


def test_the_control_that_moves_first_is_learnt() -> None:
    notes = SimpleNamespace(type="note_on", channel=0, note=60, velocity=64)
    assert learnt(notes, change(74, 5, channel=2), change(7, 5)) == (MidiControl("drive", "cc", 3, 74),)
    assert learnt(bend(100, channel=15), change(7, 5)) == (MidiControl("drive", "pitch_bend", 16, 0),)
    assert learnt(change(123, 0)) == ()  # all notes off: no knob
    assert str(MidiControl("drive", "cc", 3, 74)) == "control 74 of channel 3"


@pytest.mark.parametrize("order", [(7, 39), (39, 7)])
def test_two_halves_are_one_control(order: tuple[int, int]) -> None:
    """MIDI 1.0: control n has its fine part in n + 32. Whichever is sent first, and only of the same channel."""
    pair = tuple(change(each, 1) for each in order)
    assert learnt(*pair) == (MidiControl("drive", "cc14", 1, 7),)
    assert learnt(pair[0], change(order[1], 1, channel=1)) == (MidiControl("drive", "cc", 1, order[0]),)
    assert learnt(change(64, 1), change(96, 1)) == (MidiControl("drive", "cc", 1, 64),)  # no halves: 64 has none
    late = [change(order[0], each) for each in range(9)]
    assert learnt(*late, change(order[1], 1)) == (MidiControl("drive", "cc", 1, order[0]),)


def test_values() -> None:
    """The whole range, ends included; the fine half counts from the last coarse one, which sets it to 0."""
    controls = MidiMap(
        ["a", "b", "c"],
        [MidiControl("a", "cc", 1, 7), MidiControl("b", "cc14", 1, 1), MidiControl("c", "pitch_bend", 2, 0)],
    )
    assert controls.handle(change(33, 5)) == ()  # a fine half without a coarse one says nothing
    for message, wanted in [
        (change(7, 0), ("a", 0.0)),
        (change(7, 127), ("a", 1.0)),
        (change(1, 64), ("b", 64 * 128 / 16383)),
        (change(33, 3), ("b", (64 * 128 + 3) / 16383)),
        (change(33, 4), ("b", (64 * 128 + 4) / 16383)),
        (change(1, 127), ("b", 127 * 128 / 16383)),
        (change(33, 127), ("b", 1.0)),
        (change(1, 0), ("b", 0.0)),
        (bend(-8192, 1), ("c", 0.0)),
        (bend(8191, 1), ("c", 1.0)),
    ]:
        assert controls.handle(message) == (wanted,)
    assert controls.handle(change(7, 5, channel=1)) == controls.handle(bend(0)) == ()


def test_one_control_moves_several_and_one_parameter_has_one() -> None:
    controls = MidiMap(["a", "b"], [MidiControl("a", "cc", 1, 7)])
    controls.learn("b")
    assert controls.handle(change(7, 127)) == (("a", 1.0), ("b", 1.0))
    controls.forget("a")
    assert controls.handle(change(7, 127)) == (("b", 1.0),)
    with pytest.raises(ParameterError, match="The model has no parameter 'c'; it has .'a', 'b'."):
        controls.learn("c")


def test_a_file_keeps_what_other_models_have(tmp_path: Path) -> None:
    path = tmp_path / "new" / "midi.json"
    assert read_controls(path, "Amp") == ()
    amp, echo = MidiControl("drive", "cc14", 1, 7), MidiControl("time", "pitch_bend", 16, 0)
    write_controls(path, "Amp", [amp])
    write_controls(path, "Echo <ö>", [echo])
    write_controls(path, "Amp", [amp, amp])
    assert read_controls(path, "Amp") == (amp, amp)
    assert read_controls(path, "Echo <ö>") == (echo,)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"version": 2, "models": {}}',
        '{"version": 1, "models": []}',
        '{"version": 1, "models": {"Amp": [{"parameter": "drive", "kind": "cc", "channel": 0, "control": 7}]}}',
        '{"version": 1, "models": {"Amp": [{"parameter": "drive", "kind": "nrpn", "channel": 1, "control": 7}]}}',
        '{"version": 1, "models": {"Amp": [{"parameter": "drive"}]}}',
    ],
)
def test_a_damaged_file_is_refused_and_stays(tmp_path: Path, content: str) -> None:
    path = tmp_path / "midi.json"
    path.write_text(content)
    with pytest.raises(RuntimeEngineError, match="midi.json is no map of MIDI controls .*Correct it, or remove it"):
        write_controls(path, "Amp", [])
    assert path.read_text() == content


def test_where_maps_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/config")
    assert usual_file() == Path("/config/neutone-like/midi.json")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "/home/ada")
    assert usual_file() == Path("/home/ada/.config/neutone-like/midi.json")


def wait_for(live: LiveStream, done: Any) -> None:
    while not done():
        assert live.wait(0.002)


def test_while_a_model_plays(tmp_path: Path) -> None:
    """Learnt, moved, kept, and there again the next time; a port that goes away is told, and the rest plays on."""
    path, port = tmp_path / "midi.json", Port()
    with LiveStream(MODEL, portaudio=fake_portaudio()) as live, MidiKnobs(live, port, file=path) as knobs:
        port.messages.append(change(7, 127))
        wait_for(live, lambda: not port.messages)
        assert live.parameter("drive") == 0.0
        knobs.learn("drive")
        port.messages.append(change(7, 64))
        wait_for(live, lambda: live.parameter("drive") != 0.0)
        assert live.parameter("drive") == pytest.approx(36.0 * 64 / 127, abs=1e-5)
        knobs.learn("voice")
        port.messages += [bend(8191)]
        wait_for(live, lambda: live.parameter("voice") == "lead")
        assert knobs.news() == ["drive is moved by control 7 of channel 1", "voice is moved by pitch bend of channel 1"]
        assert "drive: control 7 of channel 1" in repr(knobs)
        knobs.forget("drive")
        port.messages.append(OSError("unplugged"))
        wait_for(live, lambda: not port.messages)
        assert knobs.news() == ["The MIDI input Port is gone: unplugged"]
    assert json.loads(path.read_text())["models"] == {
        MODEL.facts.name: [{"parameter": "voice", "kind": "pitch_bend", "channel": 1, "control": 0}]
    }
    again = Port()
    with LiveStream(MODEL, portaudio=fake_portaudio()) as live, MidiKnobs(live, again, file=path) as knobs:
        again.messages.append(bend(8191))
        wait_for(live, lambda: live.parameter("voice") == "lead")
    assert again.closed


def test_controls_of_parameters_that_are_gone_are_kept(tmp_path: Path) -> None:
    path, port = tmp_path / "midi.json", Port()
    old = MidiControl("warmth", "cc", 1, 9)
    write_controls(path, MODEL.facts.name, [old])
    with LiveStream(MODEL, portaudio=fake_portaudio()) as live, MidiKnobs(live, port, file=path) as knobs:
        assert knobs.controls == ()
        knobs.learn("drive")
        port.messages.append(change(7, 64))
        wait_for(live, knobs.news)
    assert set(read_controls(path, MODEL.facts.name)) == {old, MidiControl("drive", "cc", 1, 7)}


def test_an_action_that_fails_is_told_in_the_end() -> None:
    """And called no more; the device plays on."""

    def fail() -> None:
        raise ValueError("mine")

    live = LiveStream(MODEL, portaudio=fake_portaudio())
    live.every_tick(fail)
    assert live.wait(0.05)
    with pytest.raises(RuntimeEngineError, match="An action of every_tick.. failed") as caught:
        live.close()
    assert str(caught.value.__cause__) == "mine"
    assert not live.close().is_lost


def test_ports_are_chosen_by_name_or_number(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[Any, ...]] = []

    class Backend:
        def get_input_names(self) -> list[str]:
            return ["Keys 20:0", "Pads 24:0", "Pads 24:1"]

        def open_input(self, *arguments: Any, **options: Any) -> Port:
            opened.append((*arguments, options))
            return Port()

    monkeypatch.setattr(midi, "_backend", Backend)
    with LiveStream(MODEL, portaudio=fake_portaudio()) as live:
        for wanted in ("keys", 1, "2", "virtual"):
            MidiKnobs(live, wanted, file="none.json").close()
        with pytest.raises(RuntimeEngineError, match="'pads' fits several MIDI inputs. There is 0: Keys 20:0; 1: Pads"):
            MidiKnobs(live, "pads", file="none.json")
        with pytest.raises(RuntimeEngineError, match="7 is no MIDI input. There is 0: Keys"):
            MidiKnobs(live, 7, file="none.json")
    assert opened == [("Keys 20:0", {}), ("Pads 24:0", {}), ("Pads 24:1", {}), ("neutone-like", {"virtual": True})]


def test_without_mido(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "mido", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Absent("mido"), *sys.meta_path])
    with pytest.raises(MissingExtraError, match=r'pip install "neutone-like\[live\]"'):
        midi.midi_inputs()


def test_midos_own_messages() -> None:
    """Bytes as they come over a cable, read by mido."""
    mido: Any = pytest.importorskip("mido")
    parser = mido.Parser()
    parser.feed([0xB2, 74, 64, 0xE0, 0x7F, 0x7F, 0x90, 60, 64])
    controls = MidiMap(["a", "b"], [MidiControl("a", "cc", 3, 74), MidiControl("b", "pitch_bend", 1, 0)])
    assert [controls.handle(each) for each in parser] == [(("a", 64 / 127),), (("b", 1.0),), ()]
