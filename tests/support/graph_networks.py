"""Networks that keep state in every way that people write it, none of which TorchScript has to know."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class InBuffer(nn.Module):
    """A causal convolution whose past is a buffer that is written in place."""

    past: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(1, 1, 4)
        self.register_buffer("past", torch.full((1, 1, 3), 0.25))

    def forward(self, x: Tensor, *, scale: float = 1.0) -> Tensor:
        whole = torch.cat((self.past, x), -1)
        self.past.copy_(whole[..., -3:])
        return self.convolution(whole) * scale


class InTuple(nn.Module):
    """An LSTM's state, which is None before the first call."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, 3, batch_first=True)
        self.state: Any = None

    def forward(self, x: Tensor) -> Tensor:
        y, self.state = self.lstm(x.transpose(1, 2), self.state)
        return y.transpose(1, 2)[:, :1]


class InList(nn.Module):
    """Several pasts in one list, in a dictionary beside a number that stays."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv1d(1, 1, 3, dilation=d) for d in (1, 2))
        self.held: dict[str, Any] = {"pasts": [torch.zeros(1, 1, 2), torch.zeros(1, 1, 4)], "gain": 0.5}

    def forward(self, x: Tensor) -> Tensor:
        for index, convolution in enumerate(self.convolutions):
            whole = torch.cat((self.held["pasts"][index], x), -1)
            self.held["pasts"][index] = whole[..., -self.held["pasts"][index].shape[-1] :]
            x = torch.tanh(convolution(whole)) * self.held["gain"]
        return x


@dataclass
class Memory:
    level: Tensor = field(default_factory=lambda: torch.zeros(1, 1, 1))


class InObject(nn.Module):
    """An object with a tensor in it, and old weight norm."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.utils.parametrizations.weight_norm(nn.Conv1d(1, 1, 1))
        self.memory = Memory()

    def forward(self, x: Tensor) -> Tensor:
        self.memory.level = 0.9 * self.memory.level + 0.1 * x.abs().mean(-1, keepdim=True)
        return self.convolution(x) - self.memory.level


class Counting(nn.Module):
    """The phase of an oscillator, counted in Python."""

    def __init__(self) -> None:
        super().__init__()
        self.position = 0

    def forward(self, x: Tensor) -> Tensor:
        time = torch.arange(self.position, self.position + x.shape[-1])
        self.position += x.shape[-1]
        return x * torch.cos(time * 0.01)


class Strided(nn.Module):
    """Takes multiples of four; its length is halved by code that TorchScript refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv1d(1, 2, 8, 4, padding=2)
        self.up = nn.ConvTranspose1d(2, 1, 4, 4)

    def forward(self, x: Tensor, **unused: Any) -> Tensor:
        frames = self.down(x)
        return self.up(frames.view(1, 2, x.shape[-1] // 4))


class Attending(nn.Module):
    """Attention, a reflecting pad and a spectrum, over one block."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        window = torch.hann_window(16)
        spectrum = torch.stft(x[:, 0], 16, 4, window=window, return_complex=True)
        frames = F.pad(x, (2, 1), mode="reflect").unfold(-1, 4, 4)[:, 0]
        attended = self.attention(frames, frames, frames)[0].flatten(1)[..., None].mean(1, keepdim=True)
        return torch.istft(spectrum * 0.5, 16, 4, window=window, length=x.shape[-1])[:, None] + attended


KEEPING = (InBuffer, InTuple, InList, InObject, Counting)
REPLAYED = (*KEEPING, Strided, Attending)
