"""Rendering models with more than the format has room for: offline ones, and files that can't have so many channels."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from torch import nn

from neutone_like import AudioError, render_file
from neutone_like.artifact import write_artifact
from neutone_like.render import Board
from support.render_models import Volume
from support.wide_models import Wide, WideOffline


def test_an_offline_model_by_the_names_of_all_its_parameters(tmp_path: Path) -> None:
    write_artifact(WideOffline(), tmp_path / "model", render_samples=False)
    x = np.random.default_rng(0).uniform(-1e-3, 1e-3, (1000, 3)).astype(np.float32)
    soundfile.write(tmp_path / "x.wav", x, 48000, subtype="FLOAT")
    values = {"knob 1": 1.0, "knob 4": 0.0, "sign": "minus", "two": "abcd", "four": [1, 2, 3]}
    result = render_file(tmp_path / "model", tmp_path / "x.wav", tmp_path / "y.wav", params=values)
    first, second = (soundfile.read(path, dtype="float32", always_2d=True)[0] for path in result.out_paths)
    np.testing.assert_allclose(first, -x[:, [0, 1, 2, 0]], atol=1e-9)
    np.testing.assert_allclose(second, x[:, :1] * (2.0 + 40.0 + 200.0 + 3000.0), rtol=1e-6)


def test_boards_of_models_with_many_channels() -> None:
    x = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 1000)).astype(np.float32)
    board = Board([Volume(nn.Identity()), Wide(2, 6), Wide(6, 3), Wide(3, 1), Wide(1, 2)])
    y = board(x, 48000)
    np.testing.assert_allclose(y, np.repeat(Board([Volume(nn.Identity())])(x, 48000)[:1], 2, 0), atol=1e-7)
    with pytest.raises(AudioError, match="Wide takes 6 channels, got 3 channels"):
        Board([Wide(2, 3), Wide(6, 6)])(x, 48000)


def test_a_file_that_can_not_have_six_channels(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", np.zeros((1000, 2)), 48000)
    write_artifact(Wide(2, 6), tmp_path / "model", render_samples=False)
    with pytest.raises(AudioError, match=r"y\.mp3 can't be written at 48000 Hz with 6 channels"):
        render_file(tmp_path / "model", tmp_path / "x.wav", tmp_path / "y.mp3")
    assert not (tmp_path / "y.mp3").exists()
