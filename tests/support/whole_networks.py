"""Small networks of whole signals, each with something that a conversion to blocks must get right."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Built(nn.Module):
    """A network of a function and its layers."""

    def __init__(self, play: Callable[[Any, Tensor], Tensor], **layers: nn.Module) -> None:
        super().__init__()
        self.play = play
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x: Tensor) -> Tensor:
        return self.play(self, x)


def conv(channels: int = 4, size: int = 5, **options: Any) -> nn.Conv1d:
    given: Any = {"padding": size // 2, **options}
    return nn.Conv1d(1, channels, size, **given)


def frames_last(layer: Callable[[Tensor], Any], x: Tensor) -> Tensor:
    """A layer that takes ``[batch, time, channels]``."""
    y = layer(x.transpose(1, 2))
    return (y[0] if isinstance(y, tuple) else y).transpose(1, 2)


WINDOW = torch.hann_window(32)


def _masked_spectrum(s: Any, x: Tensor) -> Tensor:
    spectrum = torch.stft(x[:, 0], 32, 8, window=WINDOW, pad_mode="constant", return_complex=True)
    mask = torch.sigmoid(s.a(spectrum.abs()))
    return torch.istft(spectrum * mask, 32, 8, window=WINDOW).unsqueeze(1)


def _frames_added(s: Any, x: Tensor) -> Tensor:
    frames = torch.tanh(s.a(x).unfold(2, 32, 8)[:, 0].transpose(1, 2)) * WINDOW.unsqueeze(1)
    return F.fold(frames, (1, x.shape[-1]), (1, 32), stride=(1, 8))[:, :, 0]


def _attention(s: Any, x: Tensor) -> Tensor:
    def attend(q: Tensor) -> Tensor:
        mask = torch.ones(x.shape[-1], x.shape[-1], dtype=torch.bool).tril().triu(-9)
        return F.scaled_dot_product_attention(q, q, q, attn_mask=mask)

    return frames_last(attend, s.a(x))


def _with_weights(s: Any, x: Tensor) -> Tensor:
    hidden = torch.ones(x.shape[-1], x.shape[-1], dtype=torch.bool).triu(1)
    return frames_last(lambda q: s.b(q, q, q, attn_mask=hidden | hidden.t().tril(-10)), s.a(x))


def _written_out(s: Any, x: Tensor) -> Tensor:
    """Attention as many write it themselves: heads, a scale, a mask with -inf, softmax."""
    samples = x.shape[-1]
    frames = s.a(x).transpose(1, 2).reshape(1, samples, 2, 2).transpose(1, 2)
    times = torch.arange(samples)
    distance = times.unsqueeze(1) - times.unsqueeze(0)
    scores = frames @ frames.transpose(-2, -1) / 2.0**0.5
    scores = scores.masked_fill((distance < 0) | (distance > 7), float("-inf"))
    heard = F.dropout(scores.softmax(-1), 0.1, s.training) @ frames
    return heard.transpose(1, 2).reshape(1, samples, 4).transpose(1, 2)


def _wave_u_net(s: Any, x: Tensor) -> Tensor:
    """Every other sample on the way down, held on the way up."""
    y = F.leaky_relu(s.a(x), 0.1)
    z = F.leaky_relu(s.b(y[:, :, ::2]), 0.1)
    return s.c(torch.cat([F.interpolate(z, scale_factor=2), y, x], 1))


def _columns(s: Any, x: Tensor) -> Tensor:
    """F.unfold as F.fold's counterpart."""
    frames = torch.tanh(F.unfold(s.a(x).unsqueeze(2), (1, 16), stride=(1, 8)))
    return F.fold(frames, (1, x.shape[-1]), (1, 16), stride=(1, 8))[:, :, 0]


def _both_ways_in_frames(s: Any, x: Tensor) -> Tensor:
    frames = s.a(x).reshape(1, 1, -1, 8).flatten(0, 2)
    return s.b(frames.unsqueeze(2))[0].mean(2).reshape(1, 1, -1)


def _mixed(s: Any, x: Tensor) -> Tensor:
    y = F.channel_shuffle(F.hardswish(s.a(x)), 2).repeat_interleave(2, 1)
    return torch.einsum("...ct,cd->...dt", y, s.b.weight)


def _positions(s: Any, x: Tensor) -> Tensor:
    return s.a(x) + torch.sin(torch.arange(x.shape[-1], dtype=torch.float32) * 0.1)


def _sub_bands(s: Any, x: Tensor) -> Tensor:
    bands = s.a(x).reshape(1, 1, -1, 4).transpose(2, 3).flatten(1, 2)
    return torch.tanh(s.b(bands)).view(1, 4, 1, -1).transpose(1, 3).reshape(1, 1, -1)


def _u_net(s: Any, x: Tensor) -> Tensor:
    y = F.relu(s.a(x))
    z = F.relu(s.b(y), inplace=True)
    y = s.d(torch.cat([s.c(z), y], 1))
    return y + x


def networks() -> dict[str, nn.Module]:
    """By what each is about. All take ``[1, 1, samples]``."""
    norm = nn.utils.parametrizations.weight_norm
    named: dict[str, nn.Module] = {
        "as much padding on both sides": Built(lambda s, x: s.a(x), a=conv()),
        "padding by its name": Built(lambda s, x: s.a(x), a=nn.Conv1d(1, 4, 5, dilation=3, padding="same")),
        "F.pad before": Built(lambda s, x: s.a(F.pad(x, (8, 0))), a=conv(padding=0, dilation=2)),
        "a slice after": Built(lambda s, x: s.a(x)[..., :-8], a=conv(padding=8, dilation=2)),
        "known samples before": Built(
            lambda s, x: s.a(torch.cat([torch.full((1, 1, 4), 0.5), x], 2)), a=conv(padding=0)
        ),
        "no padding": Built(lambda s, x: s.a(x), a=conv(padding=0)),
        "a cut shortcut": Built(lambda s, x: s.a(x) + x[..., 2:-2], a=conv(1, padding=0)),
        "what padding becomes in between": Built(
            lambda s, x: s.b(F.pad(torch.cos(s.a(F.pad(x, (30, 0)))), (1, 0))),
            a=conv(padding=0),
            b=nn.Conv1d(4, 1, 3),
        ),
        "weight norm and a shortcut": Built(
            lambda s, x: x + s.b(torch.relu(s.a(x))), a=norm(conv()), b=nn.Conv1d(4, 1, 3, padding=1)
        ),
        "gates of two delays": Built(lambda s, x: F.glu(torch.cat([s.a(x), s.b(x)], 1), 1), a=conv(), b=conv(size=9)),
        "U-Net": Built(
            _u_net,
            a=nn.Conv1d(1, 4, 8, stride=4, padding=2),
            b=nn.Conv1d(4, 4, 4, stride=2, padding=1),
            c=nn.ConvTranspose1d(4, 4, 4, stride=2, padding=1),
            d=nn.ConvTranspose1d(8, 1, 8, stride=4, padding=2),
        ),
        "norms of each time": Built(
            lambda s, x: frames_last(s.c, s.p(s.b(s.a(x)))),
            a=conv(),
            b=nn.BatchNorm1d(4),
            c=nn.LayerNorm(4),
            p=nn.PReLU(4),
        ),
        "pooling": Built(lambda s, x: s.b(s.a(x)), a=nn.AvgPool1d(4, 2, 1), b=nn.MaxPool1d(3, 1, 1, dilation=1)),
        "samples held": Built(
            lambda s, x: F.interpolate(s.a(x), scale_factor=3), a=nn.Conv1d(1, 4, 8, stride=4, padding=2)
        ),
        "lines between samples": Built(
            lambda s, x: F.interpolate(s.a(x), scale_factor=4, mode="linear"),
            a=nn.Conv1d(1, 4, 8, stride=4, padding=2),
        ),
        "every third sample": Built(lambda s, x: s.a(x)[..., 1::3], a=conv()),
        "sub-bands by reshape": Built(_sub_bands, a=conv(1), b=nn.Conv1d(4, 4, 3, padding=1)),
        "two dimensions": Built(
            lambda s, x: s.b(s.a(x).unsqueeze(1)).flatten(1, 2), a=conv(6), b=nn.Conv2d(1, 2, 3, padding=1)
        ),
        "a GRU": Built(lambda s, x: frames_last(s.a, x), a=nn.GRU(1, 4, batch_first=True)),
        "GRUs after a delay": Built(
            lambda s, x: frames_last(s.b, s.a(x)), a=conv(3), b=nn.GRU(3, 4, 2, batch_first=True)
        ),
        "LSTMs after a delay": Built(
            lambda s, x: frames_last(s.b, s.a(x)), a=conv(3), b=nn.LSTM(3, 4, 2, batch_first=True)
        ),
        "an LSTM with a projection, time first": Built(
            lambda s, x: s.b(s.a(x).permute(2, 0, 1))[0].permute(1, 2, 0), a=conv(3), b=nn.LSTM(3, 4, proj_size=2)
        ),
        "an RNN after a delay": Built(
            lambda s, x: frames_last(s.b, s.a(x)), a=conv(3), b=nn.RNN(3, 4, 2, batch_first=True)
        ),
        "a GRU that hears padding": Built(
            lambda s, x: frames_last(s.b, s.a(F.pad(x, (20, 0)))),
            a=conv(3, padding=0),
            b=nn.GRU(3, 4, batch_first=True),
        ),
        "a running sum": Built(lambda s, x: 0.1 * torch.cumsum(s.a(x), 2), a=conv()),
        "positions": Built(_positions, a=conv(1)),
        "attention": Built(_attention, a=conv()),
        "attention written out": Built(_written_out, a=conv()),
        "MultiheadAttention that gives its weights": Built(
            _with_weights, a=conv(), b=nn.MultiheadAttention(4, 2, batch_first=True)
        ),
        "every other sample, and held": Built(
            _wave_u_net, a=conv(), b=nn.Conv1d(4, 4, 5, padding=2), c=nn.Conv1d(9, 1, 3)
        ),
        "frames by F.unfold": Built(_columns, a=conv(1)),
        "a GRU both ways in each frame": Built(
            _both_ways_in_frames, a=conv(1), b=nn.GRU(1, 3, batch_first=True, bidirectional=True)
        ),
        "channels mixed by name": Built(_mixed, a=conv(), b=nn.Linear(3, 8)),
        "the nearest, downwards": Built(lambda s, x: F.interpolate(s.a(x), scale_factor=0.25), a=conv()),
        "differences": Built(lambda s, x: s.a(x).diff(n=2).diff(dim=1), a=conv()),
        "spectra": Built(_masked_spectrum, a=nn.Conv1d(17, 17, 3, padding=1)),
        "frames added": Built(_frames_added, a=conv(1)),
    }
    return {name: network.eval() for name, network in named.items()}


def random_convolutions(rng: random.Random, count: int) -> Iterator[tuple[nn.Module, int]]:
    """Networks of two convolutions drawn at random, and the product of their strides."""
    for _ in range(count):
        groups, strides = rng.choice((1, 2)), (rng.choice((1, 2, 3)), rng.choice((1, 2, 4)))
        sizes = [rng.randint(stride, stride + 5) for stride in strides]
        dilations = [rng.randint(1, 3), rng.randint(1, 3)]
        paddings = [rng.randint(0, dilation * (size - 1)) for size, dilation in zip(sizes, dilations, strict=True)]
        first = nn.Conv1d(1, 4, sizes[0], strides[0], paddings[0], dilations[0])
        second = nn.Conv1d(4, 4, sizes[1], strides[1], paddings[1], dilations[1], groups)
        up = strides[0] * strides[1]
        trimmed = rng.randint(0, up)
        third = nn.ConvTranspose1d(4, 2, up + rng.randint(0, 5), up, trimmed, groups=groups)
        yield nn.Sequential(first, nn.Tanh(), second, nn.Tanh(), third).eval(), up
