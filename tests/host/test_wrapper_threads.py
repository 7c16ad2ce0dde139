"""A wrapper that several threads are in: the result of one alone, or a refusal; in Python and in TorchScript."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like import ModelError, NonRealtimeSampleQueueWrapper, SampleQueueWrapper
from support.offline_models import WholeDelay, without_the_optimiser
from support.render_models import Failing, PureDelay, Volume

__all__ = ["without_the_optimiser"]
SOUNDS = [torch.rand(2, 30_000, generator=torch.Generator().manual_seed(seed)) for seed in range(3)]


def live(module: Any) -> Callable[[Tensor], Tensor]:
    return module.forward_offline


def offline(module: Any) -> Callable[[Tensor], Tensor]:
    return lambda x: module.forward([x])[0]


@pytest.mark.parametrize("script", [False, True])
@pytest.mark.parametrize(
    ("wrapper", "playing"),
    [
        (lambda: SampleQueueWrapper(PureDelay((44100,))), live),
        (lambda: NonRealtimeSampleQueueWrapper(WholeDelay(delay=37, block_sizes=(64,))), offline),
    ],
)
def test_right_or_refused(wrapper: Callable[[], Any], playing: Callable[..., Any], script: bool) -> None:
    module = torch.jit.script(wrapper()) if script else wrapper()
    module.set_daw_sample_rate_and_buffer_size(48000, 64)
    play = playing(module)
    alone = [play(x) for x in SOUNDS]
    barrier = threading.Barrier(len(SOUNDS))

    def run(index: int) -> str:
        barrier.wait()
        try:
            return "right" if torch.equal(play(SOUNDS[index]), alone[index]) else "wrong"
        except Exception as error:  # TorchScript has a class of its own
            return "refused" if "thread" in str(error) else str(error)

    with ThreadPoolExecutor(len(SOUNDS)) as pool:
        outcomes = [outcome for _ in range(3) for outcome in pool.map(run, range(len(SOUNDS)))]
    assert set(outcomes) <= {"right", "refused"}
    assert torch.equal(play(SOUNDS[0]), alone[0])  # nothing is left behind


def test_who_comes_while_another_is_inside_is_refused() -> None:
    wrapper = SampleQueueWrapper(Volume(nn.Identity()))
    with wrapper.turn:  # as another thread is
        for call in (wrapper.forward, wrapper.forward_bt, wrapper.forward_offline, lambda x: wrapper.reset()):
            with pytest.raises(ModelError, match="Another thread is in this wrapper, which keeps state"):
                call(torch.zeros(2, 64))
    wrapper.turn.begin()
    wrapper.forward(torch.zeros(2, 64))  # who was interrupted on the threshold is not inside
    wrapper.forward(torch.zeros(2, 64))


@pytest.mark.parametrize("script", [False, True])
def test_a_model_that_fails_leaves_nobody_inside(script: bool) -> None:
    wrapper = SampleQueueWrapper(Failing(nn.Identity()))
    module: Any = torch.jit.script(wrapper) if script else wrapper
    with pytest.raises(Exception, match="too loud for me"):
        module.forward(torch.ones(2, 512))
    module.reset()
    assert module.forward(torch.zeros(2, 512)).shape == (2, 512)
