"""Small networks, each with a way to depend on channels that pruning must follow."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from neutone_like import streaming


class Built(nn.Module):
    """A network of a function and its layers."""

    def __init__(self, play: Callable[[Any, Tensor], Tensor], **layers: nn.Module) -> None:
        super().__init__()
        self.play = play
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x: Tensor) -> Tensor:
        return self.play(self, x)


def conv(given: int, made: int, size: int = 3, **options: Any) -> nn.Conv1d:
    named: Any = {"padding": size // 2, **options}
    return nn.Conv1d(given, made, size, **named)


class WaveNetLike(nn.Module):
    """Gated layers with a last residual that nobody reads, halves taken in one of four ways."""

    def __init__(self, halves: str, channels: int = 8, layers: int = 3) -> None:
        super().__init__()
        self.halves, self.channels = halves, channels
        self.first = nn.Conv1d(1, channels, 1)
        self.gates = nn.ModuleList(nn.Conv1d(channels, 2 * channels, 3, dilation=2**i) for i in range(layers))
        self.residuals = nn.ModuleList(nn.Conv1d(channels, channels, 1) for _ in range(layers))
        self.skips = nn.ModuleList(nn.Conv1d(channels, channels, 1) for _ in range(layers))
        self.last = nn.Conv1d(channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        total = torch.zeros(())
        for gate, residual, skip in zip(self.gates, self.residuals, self.skips, strict=True):
            z = gate(x)
            if self.halves == "chunk":
                a, b = z.chunk(2, 1)
            elif self.halves == "split":
                a, b = z.split(self.channels, 1)
            else:
                a, b = z[:, : self.channels], z[:, self.channels :]
            z = torch.tanh(a) * torch.sigmoid(b)
            x = x[..., -z.shape[-1] :] + residual(z)
            made = skip(z)
            total = made if total.dim() == 0 else total[..., -made.shape[-1] :] + made
        return self.last(F.relu(total))


class GanLike(nn.Module):
    """Up-sampling by transposed convolutions, each with residual blocks of several kernels that are added."""

    def __init__(self, channels: int = 16, bands: int = 5, normed: bool = False) -> None:
        super().__init__()
        norm = weight_norm if normed else (lambda layer: layer)
        self.first = norm(conv(bands, channels, 7))
        self.ups, self.blocks = nn.ModuleList(), nn.ModuleList()
        for stage in range(2):
            wide, narrow = channels >> stage, channels >> (stage + 1)
            self.ups.append(norm(nn.ConvTranspose1d(wide, narrow, 8, 4, padding=2)))
            for size in (3, 5):
                self.blocks.append(norm(conv(narrow, narrow, size)))
        self.last = norm(conv(channels >> 2, 1, 7))

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for stage, up in enumerate(self.ups):
            x = up(F.leaky_relu(x, 0.1))
            first, second = (x + block(F.leaky_relu(x, 0.1)) for block in self.blocks[2 * stage : 2 * stage + 2])
            x = (first + second) / 2
        return torch.tanh(self.last(F.leaky_relu(x)))


class DemucsLike(nn.Module):
    """Strided convolutions with gates, an LSTM, and a decoder that adds what the encoder left."""

    def __init__(self, channels: int = 8, depth: int = 2) -> None:
        super().__init__()
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        given = 1
        for level in range(depth):
            wide = channels << level
            self.down.append(
                nn.Sequential(nn.Conv1d(given, wide, 8, 4, 2), nn.ReLU(), nn.Conv1d(wide, 2 * wide, 1), nn.GLU(1))
            )
            back = nn.ConvTranspose1d(wide, given, 8, 4, 2)
            self.up.insert(
                0, nn.Sequential(nn.Conv1d(wide, 2 * wide, 1), nn.GLU(1), back, *([nn.ReLU()] if level else []))
            )
            given = wide
        self.lstm = nn.LSTM(given, given, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for layer in self.down:
            x = layer(x)
            skips.append(x)
        x = self.lstm(x.transpose(1, 2))[0].transpose(1, 2)
        for layer in self.up:
            x = layer(x + skips.pop())
        return x


class Ring(nn.Module):
    """A past that is written into, in place."""

    past: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv1d(1, 8, 1), nn.Conv1d(8, 1, 4)
        self.register_buffer("past", torch.zeros(1, 8, 3))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.cat([self.past, torch.tanh(self.a(x))], 2)
        self.past[:] = y[:, :, -3:]
        return self.b(y)


def _film(s: Any, x: Tensor) -> Tensor:
    gain, offset = s.film(x.mean(-1, keepdim=True)).chunk(2, 1)
    return s.b(torch.tanh(s.a(x)) * gain + offset)


def _lstm(s: Any, x: Tensor) -> Tensor:
    y = s.lstm(torch.tanh(s.a(x)).transpose(1, 2))[0]
    return s.b(y).transpose(1, 2)


def _heads(s: Any, x: Tensor) -> Tensor:
    y = s.a(x).transpose(1, 2)
    parts = s.qkv(y).unflatten(-1, (3, -1, 4)).permute(2, 0, 3, 1, 4)
    y = y + s.out(F.scaled_dot_product_attention(parts[0], parts[1], parts[2]).transpose(1, 2).flatten(2))
    return s.b(y.transpose(1, 2))


def networks() -> dict[str, nn.Module]:
    """By what each is about. They take ``[1, 1, 96]``, up-samplers ``[1, 5, 12]``."""
    return {
        "residuals of a time slice": Built(
            lambda s, x: s.c(s.a(x)[..., 4:] + s.b(torch.tanh(s.a(x)))),
            a=conv(1, 8),
            b=nn.Conv1d(8, 8, 3, dilation=2),
            c=conv(8, 1),
        ),
        "gates by chunk": WaveNetLike("chunk"),
        "gates by split": WaveNetLike("split"),
        "gates by slice": WaveNetLike("slice"),
        "transposed, sums": GanLike(),
        "transposed, sums, weight norm": GanLike(normed=True),
        "U-Net with gates and an LSTM": DemucsLike(),
        "an LSTM of two layers": Built(_lstm, a=conv(1, 6), lstm=nn.LSTM(6, 8, 2, batch_first=True), b=nn.Linear(8, 1)),
        "a GRU both ways": Built(
            _lstm, a=conv(1, 6), lstm=nn.GRU(6, 6, batch_first=True, bidirectional=True), b=nn.Linear(12, 1)
        ),
        "an LSTM with a projection": Built(
            _lstm, a=conv(1, 6), lstm=nn.LSTM(6, 8, proj_size=4, batch_first=True), b=nn.Linear(4, 1)
        ),
        "concatenation": Built(
            lambda s, x: s.c(torch.cat([F.relu(s.a(x)), torch.tanh(s.b(x)), x], 1)),
            a=conv(1, 6),
            b=conv(1, 4),
            c=conv(11, 1),
        ),
        "depthwise and batch norm": Built(
            lambda s, x: s.c(F.relu(s.n(s.b(torch.sigmoid(s.a(x)))))),
            a=conv(1, 8),
            b=conv(8, 16, groups=8),
            n=nn.BatchNorm1d(16),
            c=conv(16, 1),
        ),
        "wide": Built(
            lambda s, x: s.c(torch.tanh(s.b(torch.tanh(s.a(x))))), a=conv(1, 96), b=conv(96, 96, 1), c=conv(96, 1)
        ),
        "groups": Built(
            lambda s, x: s.c(torch.tanh(s.b(torch.tanh(s.a(x))))), a=conv(1, 8), b=conv(8, 12, groups=2), c=conv(12, 1)
        ),
        "a norm of groups": Built(
            lambda s, x: s.b(F.silu(s.n(s.a(x)))), a=conv(1, 8), n=nn.GroupNorm(4, 8), b=conv(8, 1)
        ),
        "FiLM": Built(_film, a=conv(1, 8), film=nn.Conv1d(1, 16, 1), b=conv(8, 1)),
        "a convolution twice": Built(
            lambda s, x: s.c(s.b(F.relu(s.b(F.relu(s.a(x)))))), a=conv(1, 8), b=conv(8, 8), c=conv(8, 1)
        ),
        "attention": Built(_heads, a=conv(1, 8), qkv=nn.Linear(8, 48), out=nn.Linear(16, 8), b=conv(8, 1)),
        "slopes and pooling": Built(
            lambda s, x: s.b(F.interpolate(F.max_pool1d(s.p(s.a(x)), 2), scale_factor=2)),
            a=conv(1, 8),
            p=nn.PReLU(8),
            b=conv(8, 1),
        ),
        "a past written in place": Ring(),
        "layers that stream": nn.Sequential(
            streaming.Conv1d(1, 8, 3, dilation=2),
            nn.Tanh(),
            streaming.Residual(streaming.Sequential(streaming.Conv1d(8, 8, 5, dilation=3), nn.Tanh())),
            streaming.GRU(8, 6),
            streaming.Conv1d(6, 6, 4, groups=6),
            streaming.Conv1d(6, 1, 1),
        ),
    }


def example_for(network: nn.Module) -> Tensor:
    """What it is captured with."""
    return torch.randn(1, 5, 12) if isinstance(network, GanLike) else torch.randn(1, 1, 96)
