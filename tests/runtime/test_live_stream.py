"""A model on a sound card: what goes out is what the model makes of what comes in, and what is lost is counted."""

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from neutone_like import ContinuousParameter, NeutoneLikeError
from neutone_like.errors import RuntimeEngineError
from neutone_like.runtime import BuiltinBackend, Engine, HostConfig, PythonBackend
from neutone_like.runtime.live import LiveReport, LiveStream, portaudio_library, stream
from neutone_like.runtime.native_module import native_module
from support.fake_portaudio import Audio, fake_portaudio, heard, played, read_wave, step, vanished
from support.places import PROJECT

OVERDRIVE = PROJECT / "exported" / "overdrive"
GAIN = PythonBackend(
    lambda x, parameters: x, parameters=(ContinuousParameter("drive", default=0.0, maximum=36.0, unit="dB"),)
)
Open = Callable[..., LiveStream]


@pytest.fixture
def open_live(monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens on a device that is made of a thread, which variables describe."""

    def open_it(model: Any = OVERDRIVE, *, fake: dict[str, int] | None = None, **chosen: Any) -> LiveStream:
        for name, value in (fake or {}).items():
            monkeypatch.setenv(f"FAKE_{name.upper()}", str(value))
        return LiveStream(model, portaudio=fake_portaudio(), **chosen)

    return open_it


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that is driven by hand isn't gone because the test is slow."""
    monkeypatch.setattr(stream, "_SILENCE_LIMIT_SECONDS", 3600.0)


def play_for(live: LiveStream, seconds: float) -> LiveReport:
    """Until the model has played so long, however long that takes."""
    while live.status().seconds < seconds:
        assert live.wait(0.005)
    return live.close()


class LastSamples:
    """Adds what came 37 samples ago: a sample that is lost or doubled is heard for ever."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.past = np.zeros((2, 37), np.float32)

    def __call__(self, x: Audio, parameters: dict[str, Audio]) -> Audio:
        joined = np.concatenate([self.past, x], axis=1)
        self.past = joined[:, -37:].copy()
        return parameters["gain"] * (x + np.float32(0.5) * joined[:, : x.shape[1]])


def alone(model: Any, x: Audio, host: HostConfig, values: dict[str, float | str] | None = None) -> Audio:
    """What a session of its own makes of a whole signal."""
    with Engine() as engine:
        return engine.open(model, host, mode="inline").process_offline(x, values)


@pytest.mark.parametrize("model", ["overdrive", "echo", "lstm_amp"])
def test_output_is_the_models(open_live: Open, tmp_path: Path, model: str) -> None:
    """Sample for sample what ``process_offline`` makes of the input that was recorded; one model is converted."""
    path, rate = PROJECT / "exported" / model, 44100 if model == "overdrive" else 48000
    recorded = {"record_input": tmp_path / "in.wav", "record_output": tmp_path / "out.wav"}
    with open_live(path, mode="inline", fake={"rate": rate}, **recorded) as live:
        latency, host = live.session.latency_samples, live.session.host
        report = play_for(live, 0.1)
    x, y = read_wave(tmp_path / "in.wav"), read_wave(tmp_path / "out.wav")
    assert x.shape == y.shape == (2, round(report.seconds * rate))
    assert (report.backend_name, report.mode, host.block_size, host.sample_rate) == ("compiled", "inline", 128, rate)
    wanted = alone(path, x, host)
    assert np.abs(wanted).max() > 0.01
    np.testing.assert_array_equal(y[:, latency:], wanted[:, : y.shape[1] - latency])


@pytest.mark.usefixtures("patient")
def test_output_on_a_worker(open_live: Open, tmp_path: Path) -> None:
    """Asynchronously too, where the worker is given all the time it needs; the input is what the card has."""
    model = PythonBackend(LastSamples(), parameters=(ContinuousParameter("gain", default=1.0, maximum=4.0),))
    recorded = {"record_input": tmp_path / "in.wav", "record_output": tmp_path / "out.wav"}
    with open_live(model, mode="async", parameters={"gain": 2.0}, fake={"hold_after": 8}, **recorded) as live:
        latency, host = live.session.latency_samples, live.session.host
        for _ in range(100):
            step(128)
            live.session.wait_idle()
        report = live.close()
    assert (report.underruns, report.missing_samples, report.mode) == (0, 0, "async")
    assert 0 < latency < 12000
    x, y = read_wave(tmp_path / "in.wav"), read_wave(tmp_path / "out.wav")
    np.testing.assert_array_equal(x, heard(8 * 128, 100 * 128))
    np.testing.assert_array_equal(y[:, latency:], alone(model, x, host, {"gain": 2.0})[:, : y.shape[1] - latency])


@pytest.mark.usefixtures("patient")
def test_blocks_of_any_length(open_live: Open, tmp_path: Path) -> None:
    """A server that changes its period, sends one sample or many more than before: nothing is lost or moved."""
    recorded = {"record_input": tmp_path / "in.wav", "record_output": tmp_path / "out.wav"}
    sizes = (128, 512, 512, 8192, 128, 0, 64, 1, 17, 128, 300)
    with open_live(BuiltinBackend("identity"), mode="inline", fake={"hold_after": 8}, **recorded) as live:
        for size in sizes:
            step(size)
        stats = live.session.stats()
        report = live.close()
    x, y = read_wave(tmp_path / "in.wav"), read_wave(tmp_path / "out.wav")
    np.testing.assert_array_equal(x, heard(8 * 128, sum(sizes)))
    np.testing.assert_array_equal(y, x)
    assert (stats.samples, report.block_size) == (sum(sizes), 8192)


def test_blocks_that_vary_from_the_start(open_live: Open) -> None:
    with open_live(BuiltinBackend("identity"), fake={"alternate": 96}) as live:
        assert (live.session.host.block_size, live.session.host.varying_blocks) == (128, True)


def test_a_block_that_was_asked_for(open_live: Open) -> None:
    with open_live(BuiltinBackend("identity"), block_size=64) as live:
        assert live.session.host == HostConfig(48000, 64)


@pytest.mark.usefixtures("patient")
def test_mono_input_feeds_both_channels(open_live: Open, tmp_path: Path) -> None:
    """The second input of a card, as where a guitar is plugged in; what is recorded is that one."""
    recorded = {"record_input": tmp_path / "in.wav", "record_output": tmp_path / "out.wav"}
    chosen = {"inputs": (2,), "outputs": (4, 1), "fake": {"channels": 4, "hold_after": 8}}
    with open_live(BuiltinBackend("identity"), mode="inline", **chosen, **recorded) as live:
        step(128)
        live.close()
    wanted = heard(8 * 128, 128, channels=4)[1:2]
    np.testing.assert_array_equal(read_wave(tmp_path / "in.wav"), wanted)
    np.testing.assert_array_equal(read_wave(tmp_path / "out.wav"), np.repeat(wanted, 2, axis=0))
    np.testing.assert_array_equal(played(4, 128), np.concatenate([wanted, np.zeros((2, 128), np.float32), wanted]))


@pytest.mark.usefixtures("patient")
def test_a_model_of_many_channels(open_live: Open, tmp_path: Path) -> None:
    model = PythonBackend(lambda x, parameters: x[:2] + x[2:3], in_channels=3, out_channels=2)
    with open_live(
        model, mode="inline", fake={"channels": 4, "hold_after": 8}, record_output=tmp_path / "y.wav"
    ) as live:
        step(128)
        live.close()
    x = heard(8 * 128, 128, channels=3)
    np.testing.assert_array_equal(read_wave(tmp_path / "y.wav"), x[:2] + x[2:3])
    with pytest.raises(RuntimeEngineError, match="The model has 3 inputs, and of one .Fake. 2 are used"):
        open_live(model, fake={"channels": 2})


@pytest.mark.usefixtures("patient")
def test_a_device_that_gives_no_input_gives_silence(open_live: Open, tmp_path: Path) -> None:
    with open_live(
        BuiltinBackend("identity"),
        mode="inline",
        record_output=tmp_path / "y.wav",
        fake={"no_input": 1, "hold_after": 8},
    ) as live:
        step(300)
        live.close()
    assert not read_wave(tmp_path / "y.wav").any()


@pytest.mark.usefixtures("patient")
def test_xruns_are_those_of_the_device(open_live: Open) -> None:
    """A callback that loses input and output is one xrun; its flags are counted each."""
    with open_live(BuiltinBackend("identity"), fake={"hold_after": 8}) as live:
        for flags in (0x02 | 0x04, 0, 0x01, 0x08, 0x10, 0x04):  # 0x10: the device fills its buffers at the start
            step(128, flags)
        assert live.status().device_xruns == 4
        report = live.close()
    flags = (report.input_overflows, report.input_underflows, report.output_underflows, report.output_overflows)
    assert (report.device_xruns, flags) == (4, (1, 1, 2, 1))


@pytest.mark.usefixtures("patient")
def test_a_model_that_is_too_slow_is_seen(open_live: Open) -> None:
    """In the callback it takes longer than the block lasts; on a worker its samples are missing."""
    slow = PythonBackend(lambda x, parameters: (time.sleep(0.02), x)[1])
    with open_live(slow, mode="inline", fake={"hold_after": 8}) as live:
        for _ in range(3):
            step(128)
        report = live.close()
    assert report.overloads == 3
    assert report.callback_time.max_us >= 20000
    with open_live(slow, mode="async") as live:
        for _ in range(400):
            step(128)
        report = live.close()
    assert report.underruns > 0
    assert report.missing_samples > 0


@pytest.mark.usefixtures("patient")
def test_levels(open_live: Open) -> None:
    model = PythonBackend(lambda x, parameters: np.full_like(x, 0.1))
    with open_live(model, mode="inline", fake={"hold_after": 8}) as live:
        step(128)
        status = live.status()
        assert status.output_peak_db == pytest.approx(-20.0, abs=1e-4)
        loudest = float(np.abs(heard(8 * 128, 128)).max())
        assert status.input_peak_db == pytest.approx(20.0 * math.log10(loudest), abs=1e-4)
        assert (live.status().input_peak_db, live.status().load) == (-120.0, 0.0)


def test_it_prints_itself(open_live: Open) -> None:
    with open_live(BuiltinBackend("identity")) as live:
        assert repr(live) == "LiveStream('identity', one (Fake), 48000 Hz / 128, playing)"
        assert "Session(" in cast(Any, live)._repr_html_()
        live.close()
        assert repr(live).endswith("closed)")


def test_automatic_mode(open_live: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled and fast enough goes into the callback; all else onto a worker."""
    monkeypatch.setattr(stream, "_INLINE_SHARE", 1000.0)  # another process may run in the midst of what is measured
    with open_live() as live:
        assert (live.session.backend_name, live.session.settings.mode) == ("compiled", "inline")
    with open_live(BuiltinBackend("identity")) as live:
        assert live.session.settings.mode == "async"
    monkeypatch.setattr(stream, "_INLINE_SHARE", 0.0)
    with open_live() as live:
        assert (live.session.backend_name, live.session.settings.mode) == ("compiled", "async")


def test_a_device_that_goes_away(open_live: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says nothing, and stopping it would hang for ever. The recording is whole, and the rest of the process too."""
    path = tmp_path / "kept.wav"
    with open_live(BuiltinBackend("identity"), mode="inline", record_output=path) as live:
        while live.status().seconds < 0.05:
            assert live.wait(0.005)
        monkeypatch.setenv("FAKE_VANISH_AFTER", "1")
        assert not live.wait()
        assert live.is_lost
        kept = read_wave(path).shape[1]
        report = live.close()
    assert report.is_lost
    assert report.recordings[0].samples == kept == round(report.seconds * 48000) >= 0.05 * 48000
    assert "went away" in repr(report)
    with open_live(BuiltinBackend("identity"), fake={"vanish_after": 0}) as live:  # it was plugged in again
        assert live.wait(0.01)


def test_a_device_that_hangs_when_it_is_stopped(open_live: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """As above, but nobody has noticed yet that it is gone."""
    monkeypatch.setattr(stream, "_SILENCE_LIMIT_SECONDS", 3600.0)
    monkeypatch.setattr(stream, "_CLOSE_LIMIT_SECONDS", 0.2)
    with open_live(BuiltinBackend("identity"), fake={"vanish_after": 20}) as live:
        while not vanished():
            assert live.wait(0.005)
        assert not live.is_lost
        assert live.close().is_lost


def test_a_device_that_never_begins(open_live: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_SECONDS_TO_BEGIN", 0.1)
    with pytest.raises(RuntimeEngineError, match="does not ask for sound: 3 callbacks came"):
        open_live(fake={"hold_after": 3})


def test_a_session_plays_on_one_device(open_live: Open) -> None:
    with (
        open_live(BuiltinBackend("identity")) as live,
        pytest.raises(RuntimeEngineError, match="plays this session"),
    ):
        live.session.process(np.zeros((2, 128), np.float32))


REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"sample_rate": 44100},
        r"one can't be opened: Invalid sample rate .PortAudio -9997.. .* its own rate is 48000 Hz",
    ),
    ({"sample_rate": 10}, "sample_rate must be an integer in 1000..384000 Hz, got 10"),
    ({"block_size": 0}, "block_size must be an integer in 1..8192 samples, got 0"),
    ({"latency_seconds": math.nan}, "latency_seconds must lie in 0.0..2.0, got nan"),
    ({"device": "nothing"}, "There is no device 'nothing' with inputs. There is 0: one .Fake.."),
    ({"device": 7}, "There is no device 7 with inputs"),
    ({"inputs": (3,)}, r"inputs: expected at most 2 different channels in 1..2, which one .Fake. has, got .3."),
    ({"outputs": (1, 1)}, "outputs: expected at most 2 different channels"),
    ({"outputs": ()}, "outputs: expected at most 2 different channels"),
    ({"inputs": (1, 2), "outputs": (1,)}, "2 are chosen, but with 1 output of one .Fake. the model hears one input"),
    ({"mode": "fast"}, "mode must be one of"),
    ({"parameters": {"drive": 99.0}}, "allowed is 0.0..36.0 dB, got 99.0"),
    ({"fake": {"devices": 0}}, "No audio device with inputs was found. Plug one in, or start a sound server"),
    ({"fake": {"devices": 2}, "device": "Fake"}, "fits several devices: 0: one .Fake.; 1: two .Fake.. Name one"),
    ({"fake": {"open_error": -9992}}, "Insufficient memory .* the sound server is gone"),
    ({"fake": {"open_error": -9985}}, "Device unavailable .* Another program has it"),
    ({"fake": {"open_error": -9998}}, "Invalid number of channels .* It does not have 2 inputs and 2 outputs"),
]


@pytest.mark.parametrize(("chosen", "message"), REFUSED, ids=[str(next(iter(each))) for each, _ in REFUSED])
def test_what_is_refused(open_live: Open, tmp_path: Path, chosen: dict[str, Any], message: str) -> None:
    """In words, and without a file left behind."""
    with pytest.raises(NeutoneLikeError, match=message):
        open_live(GAIN, record_output=tmp_path / "never.wav", **chosen)
    assert not list(tmp_path.iterdir())


def test_no_action_closes_what_calls_it(open_live: Open) -> None:
    """It would wait for itself, or for who waits for it."""
    said: list[str] = []
    done = threading.Event()
    with open_live(BuiltinBackend("identity")) as live:

        def act() -> None:
            try:
                live.close()
            except RuntimeEngineError as error:
                said.append(str(error))
            done.set()

        live.every_tick(act)
        assert done.wait(600)
        report = live.close()
    assert said
    assert "none of them can call it" in said[0]
    assert not report.is_lost


def test_a_failing_action_is_told_in_the_end(open_live: Open) -> None:
    """Once, and the report is there all the same."""
    live = open_live(BuiltinBackend("identity"))
    failed = threading.Event()

    def act() -> None:
        failed.set()
        raise ValueError("mine")

    live.every_tick(act)
    assert failed.wait(600)
    with pytest.raises(RuntimeEngineError, match="An action of every_tick.. failed") as caught:
        live.close()
    assert repr(caught.value.__cause__) == "ValueError('mine')"
    assert live.close().callbacks > 0


def test_portaudio_is_called_by_one_at_a_time(open_live: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps its streams in a list without a lock, and programs open and close theirs on several threads."""
    inside: list[bool] = []
    native = native_module()

    class Watched:
        def __init__(self, plan: Any) -> None:
            inside.append(portaudio_library.ONE_AT_A_TIME.locked())
            self.stream = native.LiveStream(plan)

        def start(self) -> None:
            inside.append(portaudio_library.ONE_AT_A_TIME.locked())
            self.stream.start()

        def close(self) -> None:
            inside.append(portaudio_library.ONE_AT_A_TIME.locked())
            self.stream.close()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.stream, name)

    watched = SimpleNamespace(LiveStream=Watched, LivePlan=native.LivePlan)
    monkeypatch.setattr(stream, "native_module", lambda: watched)
    open_live(BuiltinBackend("identity")).close()
    with pytest.raises(NeutoneLikeError, match="allowed is"):
        open_live(GAIN, parameters={"drive": 99.0})
    assert inside == [True] * 6
    assert not portaudio_library.ONE_AT_A_TIME.locked()
