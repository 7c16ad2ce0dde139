"""What a render refuses, with which words, and that it leaves nothing half done."""

import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard.io
import pytest
import soundfile
from torch import nn

from neutone_like import AudioError, MissingExtraError, ModelError, NeutoneLikeError, ParameterError
from neutone_like.render import Board, ModelPlugin, render_file
from support.absent_package import Absent
from support.render_models import Downmix, Poison, PureDelay, Spread, Volume

RATE = 48000


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "in.wav", np.random.default_rng(0).uniform(-0.5, 0.5, (2, 20_000)))


def write(path: Path, x: Any, rate: int = RATE, **options: Any) -> Path:
    soundfile.write(path, np.asarray(x, dtype=np.float32).T, rate, **(options or {"subtype": "FLOAT"}))
    return path


def refused(error: type[NeutoneLikeError], message: str, model: Any, source: Any, target: Path, **options: Any) -> None:
    """The message, and a folder with nothing new in it."""
    before = sorted(target.parent.iterdir()) if target.parent.is_dir() else None
    with pytest.raises(error, match=re.escape(message)):
        render_file(model, source, target, **options)
    assert before is None or sorted(target.parent.iterdir()) == before


# ---------------------------------------------------------------------- the input


def test_no_such_file(tmp_path: Path) -> None:
    refused(
        AudioError, f"There is no file {tmp_path}/none.wav.", PureDelay(), tmp_path / "none.wav", tmp_path / "o.wav"
    )


def test_a_folder(tmp_path: Path) -> None:
    refused(AudioError, f"got {tmp_path}, which is not a file.", PureDelay(), tmp_path, tmp_path / "o.wav")


def test_an_empty_file(tmp_path: Path) -> None:
    empty = tmp_path / "empty.wav"
    empty.touch()
    refused(AudioError, "is an empty file: there is no audio in it.", PureDelay(), empty, tmp_path / "o.wav")


@pytest.mark.parametrize("name", ["text.wav", "text.txt", "text.mp3", "text"])
def test_no_audio(tmp_path: Path, name: str) -> None:
    text = tmp_path / name
    text.write_text("no audio at all\n" * 1000)
    refused(AudioError, f"{text} can't be read as audio: ", PureDelay(), text, tmp_path / "o.wav")
    refused(AudioError, "Formats read here: .aif,", PureDelay(), text, tmp_path / "o.wav")


def test_no_samples(tmp_path: Path) -> None:
    silent = write(tmp_path / "none.wav", np.zeros((2, 0)))
    refused(AudioError, f"{silent} holds no audio: it is 0 samples long.", PureDelay(), silent, tmp_path / "o.wav")


def made_with_pedalboard(path: Path) -> Path:
    with pedalboard.io.AudioFile(str(path), "w", 44100, 2) as file:
        file.write(np.random.default_rng(0).uniform(-0.5, 0.5, (2, 100_000)).astype(np.float32))
    return path


@pytest.mark.parametrize("extension", ["wav", "aiff", "flac", "mp3"])
@pytest.mark.parametrize("part", [0.99, 0.5])
def test_a_file_that_was_cut_off(tmp_path: Path, extension: str, part: float) -> None:
    file = made_with_pedalboard(tmp_path / f"cut.{extension}")
    whole = render_file(PureDelay(), file, tmp_path / "out.wav")  # the check passes what is good
    assert whole.samples == 100_000
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(AudioError, match=r"is cut off|is damaged"):
        render_file(PureDelay(), file, tmp_path / "out.wav")


def test_a_file_with_damage_in_it(tmp_path: Path) -> None:
    file = made_with_pedalboard(tmp_path / "bad.flac")
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = np.random.default_rng(1).bytes(2000)
    file.write_bytes(data)
    refused(AudioError, f"{file} is damaged", PureDelay(), file, tmp_path / "o.wav")


def test_a_stream_whose_header_knows_no_length_is_read(tmp_path: Path, source: Path) -> None:
    soundfile.write(source, np.zeros((1000, 2)), RATE, subtype="PCM_16")
    data = bytearray(source.read_bytes())
    at = data.find(b"data") + 4
    data[4:8] = data[at : at + 4] = b"\xff\xff\xff\xff"
    source.write_bytes(data)
    assert render_file(PureDelay(), source, tmp_path / "out.wav").samples == 1000


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_no_number(tmp_path: Path, value: float) -> None:
    x = np.zeros((2, 100_000))
    x[1, 70_000] = x[0, 70_001] = value
    bad = write(tmp_path / "bad.wav", x)
    message = f"got {value} at sample 70000 (1.458333 s) of channel 2. Repair the file before rendering it."
    refused(AudioError, message, PureDelay(), bad, tmp_path / "o.wav")


@pytest.mark.parametrize(
    ("model", "channels", "message"),
    [
        (PureDelay(), 3, "Pure delay takes mono or stereo (1 or 2 channels), got 3 channels."),
        (Spread(nn.Identity()), 6, "Spread takes mono or stereo (1 or 2 channels), got 6 channels."),
        (Downmix(nn.Identity()), 2, "Downmix takes 5 channels, got 2 channels."),
    ],
)
def test_channels(tmp_path: Path, model: Any, channels: int, message: str) -> None:
    refused(AudioError, message, model, write(tmp_path / "in.wav", np.zeros((channels, 100))), tmp_path / "o.wav")


# ---------------------------------------------------------------------- the output


def test_extension(tmp_path: Path, source: Path) -> None:
    message = "The output's extension must be one of .aiff, .flac, .mp3, .ogg, .wav, got 'out.wma'."
    refused(AudioError, message, PureDelay(), source, tmp_path / "out.wma")


def test_the_input_itself(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link, hard = tmp_path / "link.wav", tmp_path / "hard.wav"
    link.symlink_to(source)
    hard.hardlink_to(source)
    monkeypatch.chdir(tmp_path)
    for spelling in (hard, Path("in.wav"), Path("..", tmp_path.name, "in.wav")):
        refused(AudioError, "Input and output must be different files", PureDelay(), source, spelling)
    before = source.read_bytes()
    refused(AudioError, f"Input and output must be different files, got {source}", PureDelay(), source, source)
    refused(AudioError, "Input and output must be different files", PureDelay(), source, link)
    assert source.read_bytes() == before


def test_aif_is_aiff(tmp_path: Path, source: Path) -> None:
    render_file(PureDelay(), source, tmp_path / "out.aif")
    render_file(PureDelay(), source, tmp_path / "out.aiff")
    assert (tmp_path / "out.aif").read_bytes() == (tmp_path / "out.aiff").read_bytes()


@pytest.mark.parametrize("name", ["n" * 251 + ".wav", "ä" * 125 + ".wav", "-o.wav", "new\nline.wav", ". .wav"])
def test_any_name(tmp_path: Path, source: Path, name: str) -> None:
    render_file(PureDelay(), source, tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted((source.name, name))
    render_file(PureDelay(), tmp_path / name, tmp_path / "o.wav")
    assert (tmp_path / "o.wav").read_bytes() == (tmp_path / name).read_bytes()


def test_a_name_that_can_t_be(tmp_path: Path, source: Path) -> None:
    long = tmp_path / ("n" * 256 + ".wav")
    refused(AudioError, "can't be written: File name too long.", PureDelay(), source, long)
    refused(AudioError, "can't be opened: File name too long.", PureDelay(), long, tmp_path / "o.wav")


def test_folders(tmp_path: Path, source: Path) -> None:
    refused(
        AudioError, f"There is no folder {tmp_path}/none to write", PureDelay(), source, tmp_path / "none" / "o.wav"
    )
    (tmp_path / "folder.wav").mkdir()
    refused(AudioError, "folder.wav, which is a folder.", PureDelay(), source, tmp_path / "folder.wav")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="an administrator may write anywhere")
def test_a_folder_without_permission(tmp_path: Path, source: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    refused(AudioError, f"The folder {locked} can't be written to.", PureDelay(), source, locked / "o.wav")


def test_what_a_format_can_t_hold(tmp_path: Path, source: Path) -> None:
    high = write(tmp_path / "high.wav", np.zeros((2, 1000)), 96000)
    refused(AudioError, "o.mp3 can't be written at 96000 Hz with 2 channels: ", PureDelay(), high, tmp_path / "o.mp3")
    refused(AudioError, "Supported bit depths: 16, 24", PureDelay(), source, tmp_path / "o.flac", bit_depth=32)
    refused(AudioError, "o.ogg can't be written", PureDelay(), source, tmp_path / "o.ogg", quality="golden ears")


def test_parameters(tmp_path: Path, source: Path) -> None:
    model, target = Volume(nn.Identity()), tmp_path / "o.wav"
    refused(
        ParameterError,
        "The model has no parameter 'drive'; it has ['gain', 'polarity'].",
        model,
        source,
        target,
        params={"drive": 1.0},
    )
    refused(ParameterError, "allowed is 0.0..4.0, got 9.0", model, source, target, params={"gain": 9.0})
    wrong = np.ones(100)
    message = "Parameter 'gain': an array holds one value for each of the 20000 samples of the audio, got 100."
    refused(ParameterError, message, model, source, target, params={"gain": wrong})


@pytest.mark.parametrize(
    ("knob", "message"),
    [
        ({"wet": 1.5}, "wet: allowed is 0..1, got 1.5."),
        ({"dry": -0.1}, "dry: allowed is 0..1, got -0.1."),
        ({"dry": "much"}, "dry: allowed is 0..1, got 'much'."),
        ({"input_gain_db": 31.0}, "input_gain_db: allowed is -30..30 dB, got 31.0."),
        ({"output_gain_db": float("nan")}, "output_gain_db: allowed is -30..30 dB, got nan."),
    ],
)
def test_knobs(tmp_path: Path, source: Path, knob: dict[str, Any], message: str) -> None:
    refused(ParameterError, message, PureDelay(), source, tmp_path / "o.wav", **knob)


def test_settings_beside_a_board(tmp_path: Path, source: Path) -> None:
    plugin = ModelPlugin(Volume(nn.Identity()))
    message = "params, wet: a ModelPlugin has its own settings."
    refused(ParameterError, message, plugin, source, tmp_path / "o.wav", params={"gain": 1.0}, wet=0.5)
    message = "output_gain_db: a Board has its own settings."
    refused(ParameterError, message, Board([plugin]), source, tmp_path / "o.wav", output_gain_db=0.0)


def test_numbers(tmp_path: Path, source: Path) -> None:
    message = "block_size must be a whole number of samples above 0, got 0."
    refused(AudioError, message, PureDelay(), source, tmp_path / "o.wav", block_size=0)
    message = "out_sample_rate must be a whole number of Hz above 0, got 44100.5."
    refused(AudioError, message, PureDelay(), source, tmp_path / "o.wav", out_sample_rate=44100.5)


def test_nothing_left_at_a_lower_rate(tmp_path: Path) -> None:
    short = write(tmp_path / "short.wav", np.zeros((2, 1)))
    message = "The input is so short that no sample is left at out_sample_rate."
    refused(AudioError, message, PureDelay(), short, tmp_path / "o.wav", out_sample_rate=16000)


def test_not_a_model(tmp_path: Path, source: Path) -> None:
    message = (
        "Expected an artifact, the path of a .nm file, a WaveformToWaveformBase or a SampleQueueWrapper, got Identity."
    )
    refused(ModelError, message, nn.Identity(), source, tmp_path / "o.wav")


def test_nan_from_a_model_is_counted(tmp_path: Path) -> None:
    x = np.full((2, 1000), 0.5)
    x[0, 500] = 1.0
    source = write(tmp_path / "in.wav", x)
    result = render_file(Poison(nn.Identity()), source, tmp_path / "out.wav", block_size=100)
    assert result.nonfinite_samples > 0
    assert np.isfinite(soundfile.read(tmp_path / "out.wav")[0]).all()
    assert render_file(PureDelay(), source, tmp_path / "out.wav").nonfinite_samples == 0


@pytest.mark.parametrize("missing", ["pedalboard", "soxr"])
def test_missing_extras(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    for name in list(sys.modules):
        if name == missing or name.startswith(f"{missing}."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Absent(missing), *sys.meta_path])
    with pytest.raises(MissingExtraError, match=re.escape('pip install "neutone-like[render]"')):
        render_file(PureDelay(), source, tmp_path / "o.wav", out_sample_rate=44100)
    assert sorted(tmp_path.iterdir()) == [source]
