"""The command line's verb that plays on a sound card."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from neutone_like.cli import playing
from neutone_like.runtime.live import midi, round_trip
from support.cli_runner import FELL_SHORT, GOOD, WRONG_USE, Run, runner
from support.fake_portaudio import fake_portaudio, read_wave
from support.places import PROJECT

OVERDRIVE = PROJECT / "exported" / "overdrive"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    call = runner(capsys)
    return lambda *arguments: call("play", *arguments, "--portaudio", fake_portaudio())


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where to write what somebody types."""
    reader, writer = os.pipe()
    with os.fdopen(reader) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield writer


def test_lines_set_parameters(run: Run, typed: int, tmp_path: Path) -> None:
    """While it plays, with and without units; what is wrong is told, and ends nothing. The last line needs no end."""
    os.write(typed, b"drive=24\ndrive 6 dB\ndrive\nwarmth=3\ndrive=99\nstatus\n\nreset\nknobs\nhelp\n\xff\xfe\nquit")
    os.close(typed)
    path = tmp_path / "take.wav"
    code, out, err = run(OVERDRIVE, "--param", "drive=18", "--record-input", path)
    assert code == GOOD
    assert "Overdrive plays on one (Fake), hears one (Fake): 48000 Hz, blocks of 128; compiled, inline" in err
    told = ["drive = 18 dB (0..36)", "drive = 24 dB", "drive = 6 dB", "drive = 6 dB", "no parameter 'warmth'"]
    told += ["allowed is 0.0..36.0 dB, got 99.0", "xruns 0 underruns 0", "drive = 6 dB", "NAME=VALUE", "no parameter"]
    position = 0
    for words in told:
        position = err.find(words, position)
        assert position >= 0, f"{words!r} is not in its place in {err}"
        position += len(words)
    assert f"recorded {path}: " in out
    assert "0 xruns of the device, 0 underruns of the model" in out
    assert read_wave(path).shape[0] == 2


def test_midi_controls_are_learnt(run: Run, typed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A controller that sends one message when it is to be learnt."""

    class Port:
        def __init__(self) -> None:
            self.messages: list[SimpleNamespace] = []

        def iter_pending(self) -> Iterator[SimpleNamespace]:
            while self.messages:
                yield self.messages.pop()

    port = Port()

    def change(console: playing.Console, knobs: playing.MidiKnobs | None, verb: str, name: str) -> None:
        original(console, knobs, verb, name)
        port.messages.append(SimpleNamespace(type="control_change", channel=0, control=7, value=127))
        while knobs is not None and not knobs.controls:
            assert len(threading.enumerate()) > 1

    original = vars(playing)["_change_midi"]
    monkeypatch.setattr(playing, "_change_midi", change)
    monkeypatch.setattr(playing, "open_port", lambda _: port)
    os.write(typed, b"learn drive\n")
    kept = tmp_path / "midi.json"
    code, _, err = run(OVERDRIVE, "--midi", "any", "--midi-map", kept, "--seconds", "0.3")
    assert code == GOOD
    assert "learn NAME gives it the next MIDI control" in err
    assert "Move a control for drive. drive is moved by control 7 of channel 1" in err
    assert json.loads(kept.read_text())["models"]["Overdrive"][0]["control"] == 7
    kept.write_text("damaged")
    code, _, err = run(OVERDRIVE, "--midi", "any", "--midi-map", kept, "--record-output", tmp_path / "take.wav")
    assert (code, "is no map of MIDI controls" in err) == (FELL_SHORT, True)
    monkeypatch.setattr(playing, "open_port", midi.open_port)
    monkeypatch.setitem(sys.modules, "mido", None)
    code, _, err = run(OVERDRIVE, "--midi", "any", "--record-output", tmp_path / "take.wav")
    assert (code, "MIDI needs the package 'mido'" in err) == (FELL_SHORT, True)
    assert not (tmp_path / "take.wav").exists()  # where the next try would find it in its way
    os.write(typed, b"learn drive\nforget x\n")
    _, _, err = run(OVERDRIVE, "--seconds", "0.1")
    assert err.count("Error: There is no MIDI input. Start again with --midi") == 2
    os.close(typed)


def test_the_way_round(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_LOOP_BACK", "300")
    monkeypatch.setattr(round_trip, "_LONGEST_SECONDS", 0.05)
    code, out, err = run("--measure-latency", "--json", "--inputs", "1")
    assert (code, err) == (GOOD, "")
    assert json.loads(out)["every_samples"] == [300, 300, 300]
    code, out, _ = run("--measure-latency")
    assert out.startswith("300 samples (6.2 ms) from output to input; it says 128\n")
    code, _, err = run(OVERDRIVE, "--measure-latency")
    assert code == WRONG_USE
    assert "the device alone is measured, without a model" in err


def test_json(run: Run, typed: int) -> None:
    """For a given time, whatever happens to stdin."""
    os.close(typed)
    code, out, _ = run(OVERDRIVE, "--seconds", "0.1", "--json", "--mode", "async", "--outputs", "2", "--block", "64")
    told = json.loads(out)
    assert code == GOOD
    assert (told["report_version"], told["name"], told["mode"], told["block_size"]) == (1, "Overdrive", "async", 64)
    assert told["callbacks"] == told["callback_time"]["count"] > 0
    assert (told["device_xruns"], told["is_lost"], told["recordings"]) == (0, False, [])


def test_devices_are_listed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_DEVICES", "3")
    code, out, _ = run("--list-devices")
    assert code == GOOD
    assert out.splitlines() == [
        "0: one (Fake), 2 in, 2 out, 48000 Hz, default input default output",
        "1: two (Fake), 2 in, 2 out, 48000 Hz",
        "2: three \\x1b[31m (Fake), 2 in, 2 out, 48000 Hz",
    ]
    code, out, _ = run("--list-devices", "--json")
    assert [each["name"] for each in json.loads(out)] == ["one", "two", "three \x1b[31m"]
    monkeypatch.setenv("FAKE_DEVICES", "0")
    code, out, _ = run("--list-devices")
    assert (code, out) == (GOOD, "There is no audio device. Plug one in, or start a sound server (JACK, PipeWire).\n")


def test_a_device_that_goes_away(run: Run, typed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.write(typed, b"status\n")
    original = playing.status_line

    def vanish(status: playing.LiveStatus) -> str:
        monkeypatch.setenv("FAKE_VANISH_AFTER", "1")
        return original(status)

    monkeypatch.setattr(playing, "status_line", vanish)
    code, out, _ = run(OVERDRIVE, "--record-output", tmp_path / "kept.wav")
    assert code == FELL_SHORT
    assert out.startswith("The device went away.\n")
    assert f"recorded {tmp_path / 'kept.wav'}" in out
    os.close(typed)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_a_request_to_end(
    run: Run, typed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: signal.Signals
) -> None:
    """Also a terminal that is closed ends it with its own exit code, and the recording is whole."""
    os.write(typed, b"status\n")
    path = tmp_path / "kept.wav"

    def end(status: playing.LiveStatus) -> str:
        while not path.stat().st_size > 1000:
            assert len(threading.enumerate()) > 1
        signal.raise_signal(sent)
        return ""

    monkeypatch.setattr(playing, "status_line", end)
    before = signal.getsignal(sent)
    code, _, _ = run(OVERDRIVE, "--record-output", path)
    assert code == 128 + sent
    assert signal.getsignal(sent) == before
    assert 44 < path.stat().st_size - read_wave(path).size * 4 < 200  # all of the file is sound
    os.close(typed)


def test_ctrl_c_is_how_it_ends(tmp_path: Path, subprocess_environment: dict[str, str]) -> None:
    words = ["play", OVERDRIVE, "--portaudio", fake_portaudio(), "--record-output", "take.wav", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "neutone_like", *map(str, words)],
        cwd=tmp_path,
        env=subprocess_environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    while "drive = " not in process.stderr.readline():  # it plays
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=600)
    assert (process.returncode, err) == (GOOD, "")
    told = json.loads(out)
    assert told["recordings"][0]["samples"] == read_wave(tmp_path / "take.wav").shape[1]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], WRONG_USE, "a model to play, or --list-devices, is missing"),
        ([OVERDRIVE, "--param", "drive"], WRONG_USE, "--param: expected name=value, got 'drive'"),
        ([OVERDRIVE, "--inputs", "1,x"], WRONG_USE, "--inputs: expected whole numbers with commas between them"),
        ([OVERDRIVE, "--midi-map", "a.json"], WRONG_USE, "it belongs to --midi, which is not given"),
        (["--measure-latency", "--latency-ms", "3"], WRONG_USE, "--measure-latency plays no model and does not use it"),
        (
            ["--measure-latency", "--seconds", "3"],
            WRONG_USE,
            "Invalid value for --seconds: --measure-latency plays no model",
        ),
        (["--list-devices", "--record-output", "a.wav"], WRONG_USE, "--list-devices plays no model"),
        (["--list-midi", OVERDRIVE], WRONG_USE, "--list-midi plays no model"),
        ([OVERDRIVE, "--rate", "44100"], FELL_SHORT, "Invalid sample rate (PortAudio -9997)"),
        ([OVERDRIVE, "--param", "drive=99"], FELL_SHORT, "allowed is 0.0..36.0"),
        ([PROJECT / "tests"], FELL_SHORT, "Error: "),
        ([PROJECT / "exported" / "stem_separator"], FELL_SHORT, "Error: "),
    ],
)
def test_what_is_refused(run: Run, arguments: list[object], code: int, message: str) -> None:
    got, out, err = run(*arguments)
    assert (got, out) == (code, "")
    assert message in err


CONSOLE = """
import fcntl, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from neutone_like.cli.console import Console
with Console() as console:
    assert console.shows_status
    console.show("level -6 dB")
    lines = []
    while "quit" not in lines:
        lines += console.lines(0.1)
    console.say(repr(lines))
"""


CLOSED = """
import fcntl, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from neutone_like.cli.common import ending_in_order
from neutone_like.cli.console import Console
with ending_in_order(), Console() as console:
    console.show("level -6 dB")
    while True:
        console.lines(0.1)
"""


def test_a_terminal_that_is_closed(subprocess_environment: dict[str, str]) -> None:
    """The exit code tells of the request to end, not of what a terminal that is gone answers."""
    terminal, other_end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", CLOSED],
        env=subprocess_environment,
        stdin=other_end,
        stdout=other_end,
        stderr=other_end,
        start_new_session=True,
    )
    os.close(other_end)
    shown = b""
    while b"level -6 dB" not in shown:
        assert select.select([terminal], [], [], 60)[0], shown
        shown += os.read(terminal, 4096)
    os.close(terminal)
    assert process.wait(600) == 128 + signal.SIGHUP


def test_without_stderr(typed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a service closes it: what is said goes nowhere."""
    monkeypatch.setattr(sys, "stderr", None)
    with playing.Console() as console:
        console.say("heard by nobody")
        assert not console.shows_status
        os.write(typed, b"quit\n")
        assert console.lines(60.0) == ["quit"]
    os.close(typed)


def test_a_terminal(subprocess_environment: dict[str, str]) -> None:
    """Typing stays visible behind the status, can be corrected, and the terminal is as it was afterwards."""
    import termios

    terminal, other_end = pty.openpty()
    command = [sys.executable, "-c", CONSOLE]
    process = subprocess.Popen(
        command, env=subprocess_environment, stdin=other_end, stdout=other_end, stderr=other_end, start_new_session=True
    )
    before = termios.tcgetattr(terminal)
    shown = b""
    for wanted, text in (
        (b"level -6 dB  > ", b"drive=9x\x7f9"),
        (b"> drive=99", b"\n\x15gone\x15quit\n"),
        (b"['", b""),
    ):
        while wanted not in shown:
            assert select.select([terminal], [], [], 60)[0], shown
            shown += os.read(terminal, 4096)
        os.write(terminal, text)
    assert process.wait(600) == 0
    if select.select([terminal], [], [], 0)[0]:
        shown += os.read(terminal, 4096)
    assert b"['drive=99', 'quit']" in shown
    assert termios.tcgetattr(terminal) == before
    os.close(terminal)
    os.close(other_end)
