"""How long hosts are told that a plugin sounds on, beside how long the board's render of the same model does."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neutone_like.plugin import PluginTail, build_plugin, tail
from neutone_like.plugin.lv2 import Layout
from neutone_like.plugin.tail import MOST_SECONDS, measure_tail
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


RATE, LATE = 8000, 5
Values = Sequence[float]
Knobs = list[dict[str, float]]


class Imagined:
    """A plugin in NumPy: what it gives for a block, from its knobs, its state and what it heard."""

    latency_samples = LATE

    def __init__(self, plays: Callable[[Values, dict[str, Any], Audio], Audio], block: int) -> None:
        self._plays = plays
        self._state: dict[str, Any] = {}
        self._values: Values = ()
        self.inputs, self.outputs = np.zeros((2, block), np.float32), np.zeros((2, block), np.float32)

    def begin(self, values: Values) -> None:
        self._values, self._state = values, {}

    def turn(self, values: Values) -> None:
        self._values = values

    def run(self, samples: int) -> None:
        late = np.concatenate([self._state.get("late", np.zeros((2, LATE))), self.inputs[:, :samples]], axis=1)
        self._state["late"] = late[:, samples:]
        self.outputs[:, :samples] = self._plays(self._values, self._state, late[:, :samples])


def passes(_values: Values, _state: dict[str, Any], sound: Audio) -> Audio:
    return sound


def holds(values: Values, state: dict[str, Any], sound: Audio) -> Audio:
    """Held, it plays the last 100 samples again and again."""
    if values[0] < 0.5:
        state["held"] = np.concatenate([state.get("held", np.zeros((2, 100))), sound], axis=1)[:, -100:]
        return sound
    rounds = np.tile(state.get("held", np.zeros((2, 100))), 1 + sound.shape[1] // 100)[:, : sound.shape[1]]
    state["held"] = np.roll(state.get("held", np.zeros((2, 100))), -(sound.shape[1] % 100), axis=1)
    return rounds


def ticks(values: Values, state: dict[str, Any], sound: Audio) -> Audio:
    """A click every second, as loud as its knob says."""
    at = state.get("at", 0) + np.arange(sound.shape[1])
    state["at"] = int(at[-1]) + 1
    return sound + values[0] * (at % RATE == 0)


def hums(_values: Values, state: dict[str, Any], sound: Audio) -> Audio:
    """A constant and, three million times softer than the burst's loudest, noise."""
    random = state.setdefault("random", np.random.default_rng(1))
    return 0.2 + sound + 3e-7 * random.uniform(-1.0, 1.0, sound.shape)


def rings(values: Values, state: dict[str, Any], sound: Audio) -> Audio:
    """After a sound it gives as much of a tone as two gains together ask for, and none where one of them is at rest."""
    out = sound.copy()
    loud = np.flatnonzero(sound.any(axis=0))
    begin = int(loud[-1]) + 1 if len(loud) else 0
    left = int(1000 * values[0] * values[1]) if len(loud) else state.get("left", 0)
    given = min(sound.shape[1] - begin, left)
    state["left"] = left - given
    out[:, begin : begin + given] = (-1.0) ** np.arange(given)
    return out


def measured(
    monkeypatch: pytest.MonkeyPatch, plays: Callable[[Values, dict[str, Any], Audio], Audio], knobs: Knobs
) -> int | None:
    @contextmanager
    def playing(_binary: Path, _rate: float, _parameters: int, _layout: Layout, block: int) -> Iterator[Imagined]:
        yield Imagined(plays, block)

    monkeypatch.setattr(tail, "playing", playing)
    found = measure_tail(Path(), knobs, Layout("", "", 2, 2), RATE, 1, 800)
    return None if found is None else found.samples


def knob(default: float = 0.0, minimum: float = 0.0, maximum: float = 1.0) -> dict[str, float]:
    return {"default": default, "minimum": minimum, "maximum": maximum}


def test_a_constant_and_what_is_below_120_db_are_no_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    assert measured(monkeypatch, passes, []) == 0
    assert measured(monkeypatch, hums, []) == 0


def test_what_can_be_held_by_a_knob_is_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Held from the beginning, it has nothing to hold."""
    assert measured(monkeypatch, holds, [knob()]) is None
    assert measured(monkeypatch, holds, [knob(maximum=0.4)]) == 0


def test_a_clock_is_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little it remembers, and where it has to be turned up first."""
    assert measured(monkeypatch, ticks, [knob()]) is None
    assert measured(monkeypatch, ticks, [knob(maximum=0.0)]) == 0


def test_knobs_that_are_alike_are_turned_together_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of them does anything alone."""
    assert measured(monkeypatch, rings, [knob(), knob()]) == 1000
    assert measured(monkeypatch, rings, [knob(), knob(maximum=0.5)]) == 0


def test_what_takes_too_long_to_find_out_is_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "MOST_PROCESSOR_SECONDS", 0.0)
    assert measured(monkeypatch, passes, []) is None
