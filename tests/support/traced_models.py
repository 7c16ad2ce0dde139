"""Networks to trace: some keep state where a trace loses it, some where it doesn't, some keep none."""

from typing import Any

import torch
from torch import Tensor, nn

from neutone_like import ModelMetadata, WaveformToWaveformBase

BLOCK = 64


class Live(WaveformToWaveformBase):
    """Around a network that takes ``[1, samples]``."""

    metadata = ModelMetadata(name="Traced", authors=("Ada",), version="1.0.0", short_description="For tests")
    in_channels = 1
    out_channels = 1
    sample_rates: Any = ()
    block_sizes: Any = (BLOCK,)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x)


class KeepsHidden(nn.Module):
    """A recurrent network with its hidden state in an attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(1, 4)
        self.h = torch.zeros(1, 1, 4)

    def forward(self, x: Tensor) -> Tensor:
        y, self.h = self.gru(x.t().unsqueeze(1), self.h)
        return y.mean(2).t()


class HiddenAtFirstNone(nn.Module):
    """The same with an LSTM, whose state is not there before the first call."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, 4)
        self.state: Any = None

    def forward(self, x: Tensor) -> Tensor:
        if self.state is None:
            self.state = (torch.zeros(1, 1, 4), torch.zeros(1, 1, 4))
        y, self.state = self.lstm(x.t().unsqueeze(1), self.state)
        return y.mean(2).t()


class ReplacedBuffer(nn.Module):
    """A buffer that is set anew, not written into."""

    h: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(1, 4)
        self.register_buffer("h", torch.zeros(1, 1, 4))

    def forward(self, x: Tensor) -> Tensor:
        y, h = self.gru(x.t().unsqueeze(1), self.h)
        self.h = h
        return y.mean(2).t()


class CachedPadding(nn.Module):
    """A causal convolution whose past samples are an attribute, kept by a method."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 4)
        self.past = torch.zeros(1, 3)

    def padded(self, x: Tensor) -> Tensor:
        joined = torch.cat((self.past, x), 1)
        self.past = joined[:, -3:]
        return joined

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.padded(x))


class Counts(nn.Module):
    """A tremolo whose position is a Python number."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Linear(1, 1)
        self.position = 0

    def forward(self, x: Tensor) -> Tensor:
        n = torch.arange(x.shape[1]).to(torch.float32) + self.position
        self.position += x.shape[1]
        return x * torch.sin(n * 0.013) * self.scale.weight


class ListOfPast(nn.Module):
    """Past blocks in a list, one layer down."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))
        self.blocks: list[Tensor] = [torch.zeros(1, BLOCK)]

    def forward(self, x: Tensor) -> Tensor:
        y = x + 0.5 * self.blocks[-1] * self.gain
        self.blocks.append(x)
        return y


class RampOfNumbers(nn.Module):
    """A ramp made of Python numbers, which a trace takes for as long as its example was."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gain * torch.tensor([0.5 for _ in range(x.shape[1])])


class Inner(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.first = nn.Conv1d(1, 1, 1)
        self.memory = inner

    def forward(self, x: Tensor) -> Tensor:
        return self.memory(self.first(x))


class WritesIntoBuffer(nn.Module):
    """As state has to be kept for a trace."""

    past: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 4)
        self.register_buffer("past", torch.zeros(1, 3))

    def forward(self, x: Tensor) -> Tensor:
        joined = torch.cat((self.past, x), 1)
        self.past.copy_(joined[:, -3:])
        return self.conv(joined)


class ClearsBuffer(Live):
    def reset_model(self) -> None:
        self.model.past.zero_()  # pyright: ignore[reportCallIssue]


class StartsAfresh(nn.Module):
    """A recurrent network within each block: no state is kept, and none is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(1, 4, bidirectional=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.gru(x.t().unsqueeze(1))[0].mean(2).t()


class LearnedStart(nn.Module):
    """Begins every block at a learned place."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(1, 4)
        self.start = nn.Parameter(torch.full((1, 1, 4), 0.3))

    def forward(self, x: Tensor) -> Tensor:
        return self.gru(x.t().unsqueeze(1), self.start)[0].mean(2).t()


class Table(nn.Module):
    """A table made once for a length; and what was last heard, for whoever looks."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))
        self.table: Any = None
        self.last_seen: Any = None
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        if self.table is None or self.table.shape[0] != x.shape[1]:
            self.table = torch.linspace(0.1, 1.0, x.shape[1])
        self.last_seen = x * self.gain
        self.calls += 1
        return self.last_seen * self.table
