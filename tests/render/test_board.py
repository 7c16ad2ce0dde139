"""Boards: pedalboard's plugins and our models in one chain, called as pedalboard's users know."""

import re
import sys
from typing import Any

import numpy as np
import pedalboard
import pytest
import torch
from torch import nn

from neutone_like import AudioError, MissingExtraError, ModelError, ParameterError
from neutone_like.host import SampleQueueWrapper
from neutone_like.render import Board
from support.absent_package import Absent
from support.board_tools import RATE, noise, streamed, volume
from support.render_models import Downmix, Echo, PureDelay, Spread, Volume

# ---------------------------------------------------------------------- what comes out


def test_any_order_equals_one_after_the_other() -> None:
    x = noise()
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        effects: list[Any] = [pedalboard.Compressor(threshold_db=-30), volume(gain=2.0), pedalboard.Reverb()]
        expected = x
        for position in order:
            effect = effects[position]
            expected = 2.0 * expected if position == 1 else effect(expected, RATE)
        y = Board([effects[position] for position in order])(x, RATE)
        assert y.dtype == np.float32
        np.testing.assert_allclose(y, expected, atol=1e-6)


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_latency_is_removed_wherever_it_comes_from(rate: int) -> None:
    x = np.zeros((2, 20_000), dtype=np.float32)
    x[0, 12_345] = x[1, 777] = 0.5
    board = Board([PureDelay((48000,), (512,)), pedalboard.Resample(rate), PureDelay((44100,)), pedalboard.Gain(6.0)])
    y = board(x, rate)
    assert y.shape == x.shape
    assert np.abs(y).argmax(axis=1).tolist() == [12_345, 777]


def test_pedalboards_keywords() -> None:
    x = noise()
    given: dict[str, Any] = {"input_array": x, "sample_rate": RATE, "buffer_size": 512, "reset": True}
    expected = pedalboard.Gain(6.0)(**given)
    np.testing.assert_array_equal(Board([pedalboard.Gain(6.0)])(**given), expected)
    np.testing.assert_array_equal(Board([pedalboard.Gain(6.0)]).process(**given), expected)


def test_the_buffer_size_changes_nothing() -> None:
    x = noise(samples=3000)
    whole = Board([Echo()])(x, RATE)
    for buffer_size in (1, 77, 512, 100_000):
        np.testing.assert_allclose(Board([Echo()])(x, RATE, buffer_size), whole, atol=1e-6)
        np.testing.assert_allclose(Board([Echo()])(x, RATE, buffer_size=buffer_size), whole, atol=1e-6)


def test_every_call_starts_afresh() -> None:
    board, x = Board([Echo(), pedalboard.Reverb()]), noise()
    np.testing.assert_array_equal(board(x, RATE), board(x, RATE))
    np.testing.assert_array_equal(board(x, RATE), board.process(x, RATE))


def test_without_effects() -> None:
    x = noise()
    np.testing.assert_array_equal(Board()(x, RATE), x)
    np.testing.assert_array_equal(streamed(Board(), x, [100]), x)


def test_containers_and_boards_on_a_board() -> None:
    x = noise()
    inner = Board([volume(gain=0.5), pedalboard.Chain([pedalboard.Gain(6.0), pedalboard.Chain([pedalboard.Invert()])])])
    y = Board([inner, volume(gain=2.0)])(x, RATE)
    np.testing.assert_allclose(y, -x * 10 ** (6 / 20), rtol=1e-5)


def test_channels_follow_the_models() -> None:
    y = Board([pedalboard.Gain(0.0), Spread(nn.Identity()), pedalboard.Gain(0.0)])(noise(1), RATE)
    assert y.shape == (2, 24_000)
    assert Board([Downmix(nn.Identity())])(noise(5), RATE).shape == (3, 24_000)
    with pytest.raises(AudioError, match=re.escape("Downmix takes 5 channels, got 2 channels.")):
        Board([Downmix(nn.Identity())])(noise(2), RATE)


@pytest.mark.parametrize(("channels", "samples"), [(1, 1), (2, 1), (2, 2), (2, 3), (1, 2)])
def test_very_short_audio(channels: int, samples: int) -> None:
    x = noise(channels, samples)
    y = Board([pedalboard.Gain(0.0), PureDelay(), pedalboard.Gain(0.0)])(x, RATE)
    np.testing.assert_allclose(y, x, atol=1e-7)


# ---------------------------------------------------------------------- what goes in


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_arrays_of_any_floating_type(dtype: Any) -> None:
    x = noise().astype(dtype)
    y = Board([volume(gain=1.0)])(x, RATE)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, x.astype(np.float32))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_tensors_come_back_as_tensors(dtype: torch.dtype) -> None:
    x = torch.from_numpy(noise()).to(dtype).requires_grad_()
    y = Board([volume(gain=1.0), pedalboard.Gain(0.0)])(x, RATE)
    assert isinstance(y, torch.Tensor)
    assert y.dtype == torch.float32
    assert not y.requires_grad
    torch.testing.assert_close(y, x.detach().float())


def test_one_dimension() -> None:
    x = noise(1)[0]
    y = Board([PureDelay(), pedalboard.Gain(0.0)])(x, RATE)
    assert y.shape == x.shape
    np.testing.assert_allclose(y, x, atol=1e-7)
    assert Board([PureDelay()])(torch.from_numpy(x), RATE).shape == x.shape
    assert Board([Spread(nn.Identity())])(x, RATE).shape == (2, len(x))


@pytest.mark.parametrize("layout", ["read-only", "reversed", "transposed"])
def test_the_input_is_left_as_it_is(layout: str) -> None:
    x = {"read-only": noise(), "reversed": noise()[:, ::-1], "transposed": noise().T.copy().T}[layout]
    x.flags.writeable = False
    before = x.copy()
    y = Board([volume(gain=2.0), pedalboard.Gain(0.0), PureDelay()])(x, RATE)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_allclose(y, 2 * before, atol=1e-6)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            np.zeros((2, 100), dtype=np.int16),
            "Expected audio of a floating-point type with full scale at 1.0, got int16.",
        ),
        (torch.zeros((2, 100), dtype=torch.int32), "got torch.int32. Integers are divided by their full scale first"),
        (np.zeros((2, 100), dtype=np.complex64), "got complex64."),
        (np.zeros((2, 2, 100)), "Expected audio of shape (channels, samples) or (samples,), got (2, 2, 100)."),
        (np.zeros(()), "got ()."),
        (np.zeros((48000, 2)), "got (48000, 2). Audio of shape (samples, channels) is passed as x.T."),
        ([0.0, 1.0], "Expected audio as a NumPy array or a torch.Tensor, got list."),
        (np.zeros((2, 0)), "Expected at least one sample of audio, got shape (2, 0)."),
        (np.zeros((0, 2)), "got (0, 2)."),
        (np.array([[0.0, 0.5, np.nan]]), "The audio: every sample must be a finite number, got nan at sample 2 ("),
        (np.zeros((3, 100)), "Pure delay takes mono or stereo (1 or 2 channels), got 3 channels."),
    ],
)
def test_audio_that_is_refused(x: Any, message: str) -> None:
    with pytest.raises(AudioError, match=re.escape(message)):
        Board([PureDelay()])(x, RATE)


@pytest.mark.parametrize("rate", [0, -48000, 44100.5, float("nan"), "48000", True])
def test_sample_rates_that_are_refused(rate: Any) -> None:
    with pytest.raises(AudioError, match=re.escape("sample_rate must be a whole number of Hz above 0, got")):
        Board([PureDelay()])(noise(), rate)


def test_a_plugin_that_gives_no_numbers() -> None:
    board = Board([pedalboard.Gain(1000.0), pedalboard.Gain(1000.0), PureDelay()])
    with pytest.raises(AudioError, match=r"Gain: every sample must be a finite number, got -?inf at sample \d+"):
        board(noise(), RATE)


# ---------------------------------------------------------------------- a list


def test_a_board_is_a_list() -> None:
    gain, reverb = pedalboard.Gain(), pedalboard.Reverb()
    model = Echo()
    board = Board([gain])
    board.append(model)
    board.insert(0, reverb)
    assert [type(each).__name__ for each in board] == ["Reverb", "Gain", "ModelPlugin"]
    assert len(board) == 3
    assert board[0] is reverb
    assert board[-1].source is model
    assert board[0:2] == [reverb, gain]
    assert board.index(model) == board.index(board[2]) == 2
    assert model in board
    assert pedalboard.Gain() not in board
    del board[0]
    board.remove(model)
    assert list(board) == [gain]
    board[0] = PureDelay()
    board[0:1] = [gain, PureDelay()]
    assert [type(each).__name__ for each in board] == ["Gain", "ModelPlugin"]
    assert repr(board).startswith("Board([<pedalboard.Gain")
    assert board.pop() not in board
    with pytest.raises(ValueError, match="is not on this board"):
        board.index(reverb)
    with pytest.raises(IndexError):
        board[7] = gain


def test_what_is_no_effect() -> None:
    for value in (3, None, nn.Identity(), pedalboard.Gain):
        with pytest.raises(ModelError, match="A Board takes pedalboard plugins, ModelPlugin, and what that takes"):
            Board([value])


def test_one_effect_in_two_places() -> None:
    gain, wrapper, plugin = pedalboard.Gain(), SampleQueueWrapper(Echo()), volume()
    for twice in (gain, wrapper, plugin):
        with pytest.raises(ModelError, match="it can stand in one place of a board only"):
            Board([twice, twice])
    model = Volume(nn.Identity())
    model.parameters  # noqa: B018  # a model may: each place gets its own copy
    np.testing.assert_array_equal(Board([model, model])(noise(), RATE), noise())


def test_two_places_of_one_model_are_independent() -> None:
    model, x = Echo(), noise(samples=1000)
    one = Board([model])
    np.testing.assert_allclose(Board([model, model])(x, RATE), one(one(x, RATE), RATE), atol=1e-6)


def test_without_pedalboard(monkeypatch: pytest.MonkeyPatch) -> None:
    gain = pedalboard.Gain()
    for name in list(sys.modules):
        if name.split(".")[0] == "pedalboard":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Absent("pedalboard"), *sys.meta_path])
    np.testing.assert_array_equal(Board([PureDelay()])(noise(), RATE), noise())  # our own models need none
    with pytest.raises(MissingExtraError, match=re.escape('pip install "neutone-like[render]"')):
        Board([gain])


# ---------------------------------------------------------------------- knobs


def test_knobs_are_turned_between_calls() -> None:
    board, x = Board([pedalboard.Gain(0.0), volume(gain=2.0)]), noise()
    np.testing.assert_allclose(board(x, RATE), 2 * x)
    board[1].params["gain"] = 3.0
    board[1].params["polarity"] = "inverted"
    np.testing.assert_allclose(board(x, RATE), -3 * x, rtol=1e-6)
    del board[1].params["gain"], board[1].params["polarity"]
    board[1].output_gain_db = -6.0
    np.testing.assert_allclose(board(x, RATE), x * 10 ** (-6 / 20), rtol=1e-5)
    board[1].wet, board[1].dry, board[1].output_gain_db = 0.0, 1.0, None
    np.testing.assert_allclose(board(x, RATE), x, rtol=1e-6)
    board[1].wet = 2.0
    with pytest.raises(ParameterError, match=re.escape("wet: allowed is 0..1, got 2.0.")):
        board(x, RATE)


def test_automation_acts_on_the_audio_it_belongs_to() -> None:
    x = noise()
    gain = np.interp(np.arange(x.shape[1]) / RATE, [0.1, 0.4], [0.0, 4.0])
    points = volume(gain=[(0.1, 0.0), (0.4, 4.0)])
    late = PureDelay((), (480,))
    np.testing.assert_allclose(Board([late, points])(x, RATE), gain * x, atol=1e-5)
    np.testing.assert_allclose(streamed(Board([late, points]), x, [1000, 1, 77]), gain * x, atol=1e-5)
    np.testing.assert_allclose(Board([volume(gain=gain)])(x, RATE), gain * x, atol=1e-5)
    with pytest.raises(ParameterError, match="one value for each of the 100 samples of the audio, got 24000"):
        Board([volume(gain=gain)])(x[:, :100], RATE)
