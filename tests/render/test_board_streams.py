"""Boards called piece by piece, with reset=False."""

import re
from typing import Any

import numpy as np
import pedalboard
import pytest
from torch import nn

from neutone_like import AudioError, ModelError
from neutone_like.render import Board
from support.board_tools import RATE, noise, streamed, volume
from support.render_models import Echo, Failing, PureDelay


@pytest.mark.parametrize("sizes", [[512], [1], [1000, 1, 3, 77, 5000], [7]])
def test_pieces_join_to_the_whole(sizes: list[int]) -> None:
    x = noise(samples=6000)
    effects = [
        pedalboard.Compressor(),
        Echo(),
        pedalboard.Resample(22050),
        PureDelay((44100,), (256,)),
        pedalboard.Reverb(),
    ]
    whole = Board(effects)(x, RATE)
    y = streamed(Board(effects), x, sizes)
    assert y.shape == x.shape
    np.testing.assert_allclose(y, whole, atol=2e-6)


def test_nothing_waits_in_a_board_without_latency() -> None:
    board, x = Board([pedalboard.Reverb(), volume(gain=2.0)]), noise(samples=4096)
    for start in range(0, 4096, 512):
        assert board(x[:, start : start + 512], RATE, reset=False).shape == (2, 512)
    assert board.flush().shape == (2, 0)


def test_knobs_in_a_stream() -> None:
    board, x = Board([volume(gain=2.0)]), noise(samples=2048)
    np.testing.assert_allclose(board(x[:, :1024], RATE, reset=False), 2 * x[:, :1024])
    board[0].params["gain"] = 3.0
    np.testing.assert_allclose(board(x[:, 1024:], RATE, reset=False), 3 * x[:, 1024:], rtol=1e-6)


def test_a_tail_after_a_whole_call() -> None:
    """As with pedalboard: silence after the audio brings the echo that still rings."""
    x = np.zeros((2, 1000), dtype=np.float32)
    x[:, 950] = 1.0
    long = np.concatenate((x, np.zeros_like(x)), axis=1)
    expected = Board([Echo(), pedalboard.Delay(0.005)])(long, RATE)[:, 1000:]
    board = Board([Echo(), pedalboard.Delay(0.005)])
    board(x, RATE, 100)
    tail = board(np.zeros_like(x), RATE, 100, reset=False)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(tail, expected, atol=1e-6)


def test_reset_in_a_stream() -> None:
    board, x = Board([Echo(), PureDelay((44100,))]), noise(samples=2000)
    first = streamed(board, x, [500])
    board.reset()
    np.testing.assert_array_equal(streamed(board, x, [500]), first)


def test_empty_pieces() -> None:
    board, x = Board([PureDelay(), pedalboard.Gain(0.0)]), noise(samples=100)
    assert board(x[:, :0], RATE, reset=False).shape == (2, 0)
    parts = [board(x, RATE, reset=False), board(x[:, :0], RATE, reset=False), board.flush()]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), x, atol=1e-7)


def test_what_must_stay_in_a_stream() -> None:
    board, x = Board([PureDelay()]), noise(samples=100)
    board(x, RATE, reset=False)
    for change in (
        lambda: board(x, 44100, reset=False),
        lambda: board(x[:1], RATE, reset=False),
        lambda: board(x, RATE, 64, reset=False),
    ):
        with pytest.raises(
            AudioError, match=re.escape("must stay as they are in a stream (reset=False): it began with")
        ):
            change()
    board.append(pedalboard.Gain(0.0))
    with pytest.raises(AudioError, match="must stay as they are in a stream"):
        board(x, RATE, reset=False)
    board(x, 44100)


def test_flush_needs_a_stream() -> None:
    with pytest.raises(AudioError, match="There is no stream to end"):
        Board([PureDelay()]).flush()


def test_positions_count_from_the_start_of_the_stream() -> None:
    board, x = Board([PureDelay()]), noise(samples=1000)
    board(x, RATE, reset=False)
    x[0, 7] = np.nan
    with pytest.raises(AudioError, match=re.escape("at sample 1007 (0.020979 s) of channel 1.")):
        board(x, RATE, reset=False)


UNSTREAMABLE = [
    lambda: pedalboard.PitchShift(3),
    lambda: pedalboard.GSMFullRateCompressor(),
    lambda: pedalboard.Chain([pedalboard.Gain(0.0), pedalboard.PitchShift(3)]),
]


@pytest.mark.parametrize("make", UNSTREAMABLE)
def test_what_pedalboard_can_t_stream_is_given_the_whole(make: Any) -> None:
    x = noise()
    y = Board([volume(gain=2.0), make()])(x, RATE)
    np.testing.assert_allclose(y, make()(2 * x, RATE), atol=1e-6)


@pytest.mark.parametrize(
    "make", [*UNSTREAMABLE, lambda: pedalboard.Mix([pedalboard.Gain(0.0), pedalboard.Resample(22050)])]
)
def test_what_pedalboard_can_t_stream_is_refused_in_streams(make: Any) -> None:
    x = noise()
    with pytest.raises(AudioError, match=r"gives wrong audio when it is called block by block"):
        Board([make()])(x, RATE, reset=False)


def test_a_failing_model_says_where() -> None:
    x = np.zeros((2, 48_000), dtype=np.float32)
    x[:, 40_000] = 1.0
    board = Board([Failing(nn.Identity())])
    with pytest.raises(ModelError, match=re.escape("Failing failed at 0.832 s of the audio: too loud for me")):
        board(x, RATE, buffer_size=512)
    assert board(x[:, :100], RATE).shape == (2, 100)
