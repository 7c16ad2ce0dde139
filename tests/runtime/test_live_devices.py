"""Where PortAudio is looked for, and what it lists."""

import subprocess
import sys
from pathlib import Path

import pytest

from neutone_like.errors import RuntimeEngineError
from neutone_like.runtime.live import Device, devices
from neutone_like.runtime.live.device import choose_device
from neutone_like.runtime.live.portaudio_library import find_portaudio
from support.fake_portaudio import fake_portaudio


def test_devices_are_listed(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """Names that are no text are no reason to fail; what sound systems write to the terminal is not seen."""
    monkeypatch.setenv("FAKE_DEVICES", "4")
    found = devices(portaudio=fake_portaudio())
    assert found[0] == Device(0, "one", "Fake", 2, 2, 48000.0, True, True)
    assert [each.name for each in found[1:]] == ["two", "three \x1b[31m", "\ufffd\ufffd"]
    assert not any(each.is_default_input or each.is_default_output for each in found[1:])
    assert capfd.readouterr() == ("", "")


def device(index: int, name: str, inputs: int, outputs: int, default: bool = False) -> Device:
    return Device(index, name, "ALSA", inputs, outputs, 48000.0, default, default)


FOUND = (device(0, "HDMI", 0, 2), device(1, "USB Audio", 2, 2), device(2, "USB Audio 2", 2, 2, True))


@pytest.mark.parametrize(
    ("wanted", "inputs", "index"),
    [
        (None, True, 2),
        (None, False, 2),
        ("usb audio", True, 1),  # the whole name of one, though two begin so
        ("audio 2", False, 2),
        ("hdmi (alsa)", False, 0),
        (1, True, 1),
        ("1", True, 1),
    ],
)
def test_a_device_is_chosen(wanted: object, inputs: bool, index: int) -> None:
    assert choose_device(FOUND, wanted, inputs=inputs).index == index


@pytest.mark.parametrize(
    ("wanted", "inputs", "message"),
    [
        ("usb", True, "'usb' fits several devices: 1: USB Audio .ALSA.; 2: USB Audio 2 .ALSA.. Name one"),
        ("HDMI", True, "There is no device 'HDMI' with inputs. There is 1: USB Audio"),
        (5, False, "There is no device 5 with outputs"),
        (2.5, False, "There is no device 2.5 with outputs"),
    ],
)
def test_a_device_is_not_guessed(wanted: object, inputs: bool, message: str) -> None:
    with pytest.raises(RuntimeEngineError, match=message):
        choose_device(FOUND, wanted, inputs=inputs)


def test_without_a_default_the_first_that_fits_is_taken() -> None:
    assert choose_device(FOUND[:2], None, inputs=True).index == 1


def test_no_portaudio(tmp_path: Path) -> None:
    with pytest.raises(RuntimeEngineError, match="expected the file of PortAudio's shared library, got 'nowhere.so'"):
        devices(portaudio="nowhere.so")
    (tmp_path / "text.so").write_text("no library")
    with pytest.raises(RuntimeEngineError, match=r"PortAudio can't be loaded .*text.so.* Install PortAudio"):
        devices(portaudio=tmp_path / "text.so")


def test_another_library() -> None:
    from neutone_like.runtime import _native

    with pytest.raises(RuntimeEngineError, match="is not PortAudio 19: it has no function Pa_GetVersion. Install"):
        devices(portaudio=_native.__file__)


@pytest.mark.parametrize(("version", "words"), [("0x00140000", "20.0.0"), ("1899", "1899")])
def test_another_version(version: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_VERSION", version)
    copy = tmp_path / "another.so"
    copy.write_bytes(fake_portaudio().read_bytes())
    with pytest.raises(
        RuntimeEngineError, match=f"another.so is PortAudio {words}, expected version 19.6 or a later 19"
    ):
        devices(portaudio=copy)


def test_the_library_in_sounddevice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found on macOS, where its wheels bring one, and never imported."""
    folder = tmp_path / "_sounddevice_data"
    (folder / "portaudio-binaries").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    library = folder / "portaudio-binaries" / "libportaudio.dylib"
    library.touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert find_portaudio() == str(library)
    library.unlink()
    assert find_portaudio() == "libportaudio.2.dylib"
    monkeypatch.setattr(sys, "platform", "linux")
    assert find_portaudio() == "libportaudio.so.2"
    assert "_sounddevice_data" not in sys.modules


def test_a_process_that_played_ends_in_order(tmp_path: Path, subprocess_environment: dict[str, str]) -> None:
    """Nobody closes the stream, whose device is gone: the recording is finished, and nothing hangs."""
    program = (
        "from neutone_like.runtime import BuiltinBackend; from neutone_like.runtime.live import LiveStream\n"
        f"live = LiveStream(BuiltinBackend('identity'), portaudio={str(fake_portaudio())!r}, record_input='in.wav')\n"
        "while live.status().seconds < 0.05: assert live.wait(0.005)\n"
        "import os; os.environ['FAKE_VANISH_AFTER'] = '1'\n"
    )
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, cwd=tmp_path, env=subprocess_environment, capture_output=True, text=True, timeout=600)
    assert (run.returncode, run.stderr) == (0, "")
    import soundfile

    assert soundfile.info(tmp_path / "in.wav").frames >= 0.05 * 48000
