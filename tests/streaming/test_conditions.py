"""What else a network takes and is asked for when it is converted: a condition, a checkpoint, a channel of its own."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neutone_like import ModelError, NeutoneLikeError
from neutone_like.streaming import reset_streaming, to_streaming, verify_streaming


def conv() -> nn.Conv1d:
    return nn.Conv1d(1, 4, 3, padding=1)


def noise(samples: int) -> Tensor:
    return torch.randn(1, 1, samples, generator=torch.Generator().manual_seed(0))


class Films(nn.Module):
    """A condition that is split, stretched over time, weighs channels, and is looked up."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = conv(), nn.Linear(3, 8), nn.Conv1d(7, 1, 5, padding=4)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        gain, offset = self.b(condition).unsqueeze(2).chunk(2, 1)
        y = torch.tanh(self.a(x) * gain + offset)
        over_time = condition.unsqueeze(2).expand(-1, -1, y.size(2))
        return self.c(torch.cat((y, over_time), 1))[..., : x.size(2)]


class Speakers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(), nn.Embedding(3, 4)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        return self.a(x) * self.b(condition).unsqueeze(-1)


@pytest.mark.parametrize(
    ("network", "first", "second"),
    [(Films(), torch.rand(1, 3), torch.rand(1, 3)), (Speakers(), torch.tensor([2]), torch.tensor([1]))],
    ids=["knobs", "a speaker"],
)
@torch.no_grad()
def test_a_condition_comes_with_every_block(network: nn.Module, first: Tensor, second: Tensor) -> None:
    streaming, x = to_streaming(network.eval(), noise(64), condition=first), noise(96)
    scripted = torch.jit.script(streaming)
    for condition in (first, second):
        expected = network(x, condition)
        for player in (streaming, scripted):
            reset_streaming(player)
            y = torch.cat([player(block, condition) for block in x.split([1, 30, 7, 58], 2)], 2)
            y = y[..., streaming.delay_samples :]
            torch.testing.assert_close(y, expected[..., : y.size(2)], rtol=0, atol=1e-5)
    reset_streaming(streaming)
    without = streaming(x)
    reset_streaming(streaming)
    assert torch.equal(without, streaming(x, first))
    assert verify_streaming(streaming, chunkings=3).passed
    for other in (torch.zeros(1, 9), first.to(torch.float64), first.to(torch.int32)):
        with pytest.raises(ModelError, match=r"a condition of shape \[1.*converted for one of shape \[1"):
            streaming(x, other)
    for wrong in (3, [0.5], "x", np.zeros((1, 3))):
        with pytest.raises(ModelError, match="condition must be a tensor, got"):
            streaming(x, wrong)


class PaddedBefore(nn.Module):
    """What it is padded with is the condition."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv1d(1, 4, 5)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        return self.a(F.pad(x, (4, 0)) + condition.unsqueeze(2))


def test_a_condition_that_a_stream_begins_with_is_refused_and_so_is_one_that_says_nothing() -> None:
    with pytest.raises(ModelError, match=r"With another condition.*padded with.*Apply the condition after the padding"):
        to_streaming(PaddedBefore().eval(), noise(64), condition=torch.ones(1, 1))
    with pytest.raises(ModelError, match=r"condition is 0"):
        to_streaming(Speakers().eval(), noise(64), condition=torch.tensor([0]))
    with pytest.raises(ModelError, match=r"example's length \(64\) as its last dimension"):
        to_streaming(Films().eval(), noise(64), condition=torch.rand(1, 64))
    wrong: Any = 0.5
    with pytest.raises(ModelError, match=r"condition must be a tensor, got float"):
        to_streaming(Films().eval(), noise(64), condition=wrong)
    for wrong in ("x", 1.5, 0, -1, [3]):
        with pytest.raises(ModelError, match="attention_window_samples must be"):
            to_streaming(conv(), noise(64), attention_window_samples=wrong)


def test_a_checkpoint_of_the_ordinary_network_is_refused_with_the_way_to_load_it() -> None:
    network = nn.Sequential(conv(), nn.Tanh(), nn.Conv1d(4, 1, 3, padding=1)).eval()
    streaming, other = to_streaming(network), to_streaming(copy.deepcopy(network))
    with pytest.raises(ModelError, match=r"whose names are other ones.*into the ordinary network, and convert that"):
        streaming.load_state_dict(network.state_dict())
    with torch.no_grad():
        for value in other.state_dict().values():
            if value.is_floating_point():
                value.mul_(0.5)
    streaming.load_state_dict(other.state_dict())
    assert torch.equal(streaming(noise(64)), other(noise(64)))


class Flat(nn.Module):
    """``[batch, samples]``."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv1d(1, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.a(x.unsqueeze(1))[:, 0]


def test_a_network_without_channels_is_told_to_add_one() -> None:
    flat = Flat().eval()
    for example in (None, torch.randn(1, 64)):
        with pytest.raises(NeutoneLikeError, match=r"network\(x\[:, 0\]\)\.unsqueeze\(1\)"):
            to_streaming(flat, example)
