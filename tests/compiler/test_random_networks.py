"""Networks drawn at random, of 3 to 12 operations, against PyTorch in float64."""

from collections.abc import Callable

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from support.compiled_networks import captured, noise, play_beside

CHANNELS = 4
_UNARY: tuple[Callable[[Tensor], Tensor], ...] = (
    torch.tanh,
    torch.sigmoid,
    torch.relu,
    torch.sin,
    lambda x: x * 0.7 + 0.1,
    lambda x: x.flip(1),
    lambda x: x - x.mean(1, keepdim=True),
    lambda x: torch.cat([x[:, 2:], x[:, :2]], 1),
    lambda x: x.transpose(1, 2).contiguous().transpose(1, 2),
    lambda x: torch.softmax(x, 1),
)
_BINARY: tuple[Callable[[Tensor, Tensor], Tensor], ...] = (
    torch.add,
    torch.mul,
    torch.sub,
    torch.maximum,
    lambda a, b: torch.cat([a[:, :2], b[:, 2:]], 1),
    lambda a, b: torch.where(a > b, a, 0.5 * b),
)


class Drawn(nn.Module):
    """Operations in a row, each on results before it; some are convolutions that keep their past."""

    def __init__(self, choices: list[tuple[int, int, int]]) -> None:
        super().__init__()
        self.choices = choices
        self.convolutions = nn.ModuleList(
            nn.Conv1d(CHANNELS, CHANNELS, 3, dilation=1 + first) for _, first, _ in choices
        )
        self.pasts = [torch.zeros(1, CHANNELS, 2 * (1 + first)) for _, first, _ in choices]

    def forward(self, x: Tensor) -> Tensor:
        values = [x]
        for index, (kind, first, second) in enumerate(self.choices):
            a, b = values[first % len(values)], values[second % len(values)]
            if kind < len(_UNARY):
                values.append(_UNARY[kind](a))
            elif kind < len(_UNARY) + len(_BINARY):
                values.append(_BINARY[kind - len(_UNARY)](a, b))
            else:
                whole = torch.cat((self.pasts[index], a), -1)
                self.pasts[index] = whole[..., x.size(-1) :]
                values.append(self.convolutions[index](whole))
        return values[-1] + values[-2]


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=(HealthCheck.too_slow,))
@given(
    st.lists(
        st.tuples(st.integers(0, len(_UNARY) + len(_BINARY) + 3), st.integers(0, 11), st.integers(0, 11)),
        min_size=3,
        max_size=12,
    ),
    st.lists(st.integers(1, 130), min_size=3, max_size=6),
)
def test_a_network_drawn_at_random_gives_what_float64_does(
    choices: list[tuple[int, int, int]], sizes: list[int]
) -> None:
    torch.manual_seed(len(choices))
    found = play_beside(captured(Drawn(choices), CHANNELS), noise(CHANNELS, sizes))
    assert found.good, found
