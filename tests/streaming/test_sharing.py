"""A streaming network that several threads call: the samples of one that plays alone, or a refusal."""

import copy
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import pytest
import torch
from torch import Tensor, nn

from neutone_like.errors import ModelError
from neutone_like.streaming import Conv1d, Sequential, StreamingLayer, reset_streaming, to_streaming


class Waits(StreamingLayer):
    """Gives the sample before, and lets a test decide when."""

    def __init__(self) -> None:
        super().__init__()
        self.register_state("past", torch.zeros(1, 1, 1))
        self.comes_in, self.goes_on = threading.Event(), threading.Event()

    def forward(self, x: Tensor) -> Tensor:
        joined = torch.cat((self.past, x), 2)
        self.comes_in.set()
        assert self.goes_on.wait(600)
        self.past = joined[:, :, -1:]
        return joined[:, :, :-1]


def test_a_second_thread_is_refused_and_the_first_plays_on() -> None:
    layer = Waits()
    network = Sequential(layer)
    sound = torch.arange(1.0, 9.0).reshape(1, 1, 8)
    with ThreadPoolExecutor(1) as pool:
        playing = pool.submit(network, sound[:, :, :4])
        assert layer.comes_in.wait(600)
        for shared in (network, layer):
            with pytest.raises(ModelError, match=r"Another thread is in this (Sequential|Waits), which keeps state"):
                shared(-sound)
        with pytest.raises(ModelError, match="Another thread is in this Sequential, which would go on with half"):
            reset_streaming(network)
        layer.goes_on.set()
        first = playing.result(600)
    torch.testing.assert_close(torch.cat((first, network(sound[:, :, 4:])), 2).flatten(), torch.arange(8.0))


def test_threads_get_the_right_samples_or_none() -> None:
    torch.manual_seed(0)
    network = to_streaming(nn.Sequential(nn.Conv1d(1, 4, 9), nn.Tanh(), nn.Conv1d(4, 1, 9)), torch.zeros(1, 1, 64))
    sounds = torch.randn(2, 1, 1, 6400)
    alone = [copy.deepcopy(network)(sound) for sound in sounds]
    both = threading.Barrier(2)

    def play(number: int) -> bool:
        both.wait()
        try:
            return torch.equal(network(sounds[number]), alone[number])
        except ModelError:
            return True

    with torch.no_grad(), ThreadPoolExecutor(2) as pool:
        for _ in range(20):
            reset_streaming(network)
            assert sum(pool.map(play, range(2))) >= 1  # one that comes after the other goes on where that ended


def test_an_error_lets_others_in() -> None:
    layer = Conv1d(1, 1, 3)
    with pytest.raises(ModelError, match="Conv1d"):
        layer(torch.zeros(1, 2, 64))
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(layer, torch.zeros(1, 1, 64)).result(600).shape == (1, 1, 64)


class CallsItself(StreamingLayer):
    def __init__(self) -> None:
        super().__init__()
        self.is_inside = False
        self.heard: list[BaseException | None] = []

    def forward(self, x: Tensor) -> Tensor:
        if not self.is_inside:
            self.is_inside = True
            self(x)
            with ThreadPoolExecutor(1) as pool:
                self.heard.append(pool.submit(self, x).exception(60))
            self.is_inside = False
        return x


def test_a_layer_that_calls_itself_stays_shut_until_the_first_call_ends() -> None:
    layer, x = CallsItself(), torch.zeros(1, 1, 4)
    layer(x)
    assert isinstance(layer.heard[0], ModelError)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(layer, x).result(600) is not None


def test_ctrl_c_at_any_point_lets_others_in() -> None:
    """As Python sees to it: behind a call of C, a function's first step. One after the other is interrupted."""
    layer, x = Conv1d(1, 1, 3), torch.zeros(1, 1, 4)
    code = StreamingLayer.__call__.__code__
    own, points = {code}, 0

    def interrupt(at: int) -> bool:
        seen = 0

        def profile(frame: FrameType, event: str, argument: object) -> None:
            nonlocal seen
            if frame.f_code in own and event in ("c_return", "call"):
                seen += 1
                if seen == at:
                    sys.setprofile(None)
                    raise KeyboardInterrupt

        sys.setprofile(profile)
        try:
            layer(x)
        except KeyboardInterrupt:
            return True
        finally:
            sys.setprofile(None)
        return False

    with ThreadPoolExecutor(1) as pool:
        while interrupt(points + 1):
            points += 1
            assert pool.submit(layer, x).result(600).shape == x.shape, f"interrupted at point {points}"
    assert points > 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_is_let_in() -> None:
    layer = Waits()
    with ThreadPoolExecutor(1) as pool:
        playing = pool.submit(layer, torch.ones(1, 1, 4))
        assert layer.comes_in.wait(600)
        child = os.fork()
        if child == 0:
            try:
                layer.goes_on = threading.Event()
                layer.goes_on.set()
                os._exit(0 if layer(torch.ones(1, 1, 4)).flatten().tolist() == [0.0, 1.0, 1.0, 1.0] else 1)
            finally:
                os._exit(2)
        _, status = os.waitpid(child, 0)
        layer.goes_on.set()
        playing.result(600)
    assert status == 0


def test_copies_and_compilers_know_nothing_of_it() -> None:
    layer = Conv1d(2, 2, 3)
    x = torch.randn(1, 2, 64)
    with torch.no_grad():
        y = copy.deepcopy(layer)(x)
        torch.testing.assert_close(torch.compile(copy.deepcopy(layer), backend="eager", fullgraph=True)(x), y)
        torch.testing.assert_close(torch.jit.script(copy.deepcopy(layer))(x), y)
