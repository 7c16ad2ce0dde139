"""Operations, layers and convolutions with a past, which whatever plays graphs must play as PyTorch does."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from support.compiled_networks import Function

SIZES = (48, 1, 17, 64, 200, 5)
_Body = Callable[..., Tensor]

ELEMENTWISE: dict[str, _Body] = {
    "arithmetic": lambda x: (x + 1.5) * x - x / 3.0 + (2.0 - x),
    "division": lambda x: x / (x.abs() + 0.3),
    "tanh": lambda x: torch.tanh(3.0 * x),
    "quiet tanh": lambda x: torch.tanh(1e-4 * x) * 1e4,
    "sigmoid": lambda x: torch.sigmoid(4.0 * x),
    "exp, log": lambda x: torch.exp(x) + torch.log(x.abs() + 1e-3),
    "expm1, log1p": lambda x: 1e3 * (torch.expm1(1e-3 * x) + torch.log1p(1e-3 * x.abs())),
    "sine, cosine": lambda x: torch.sin(40.0 * x) + torch.cos(7.0 * x),
    "tangent": lambda x: torch.tan(x) + torch.atan(5.0 * x),
    "powers": lambda x: x**2 + (x.abs() + 0.1) ** 0.3 + 10.0 ** (x / 20.0) + (x.abs() + 0.1) ** -0.5,
    "roots": lambda x: x.abs().sqrt() + (x.abs() + 0.1).rsqrt() + (x.abs() + 1.0).reciprocal(),
    "rounding": lambda x: torch.floor(3.3 * x) + torch.ceil(2.1 * x) + torch.round(9.0 * x) + torch.trunc(5.0 * x),
    "remainders": lambda x: torch.remainder(7.0 * x, 0.8) + torch.fmod(5.0 * x, 0.6),
    "choices": lambda x: torch.where(x > 0.1, x * 2.0, x.clamp(-0.2, 0.05)),
    "extremes": lambda x: torch.maximum(x, x.flip(1)) + torch.minimum(x, 0.3 * x),
    "activations": lambda x: F.relu(x) + F.leaky_relu(x, 0.1) + F.elu(x) + F.silu(x) + F.softplus(x),
    "gelu": lambda x: F.gelu(x) + F.gelu(x, approximate="tanh") + F.hardtanh(2.0 * x) + F.relu6(9.0 * x),
    "erf": lambda x: torch.erf(2.0 * x),
    "snake": lambda x: x + torch.sin(3.0 * x) ** 2 / 3.0,
    "hyperbolic": lambda x: (
        torch.sinh(x) + torch.cosh(x) + torch.asin(x.clamp(-0.9, 0.9)) + torch.acos(x.clamp(-0.9, 0.9))
    ),
    "angles": lambda x: torch.atan2(x, x.flip(1)) + torch.hypot(x, x.flip(1)),
    "bases": lambda x: torch.log10(x.abs() + 0.1) + torch.log2(x.abs() + 0.1) + torch.exp2(x),
    "float64": lambda x: (x.double() * 1.0000001 - x.double()).float() * 1e6,
}
MOVEMENT: dict[str, _Body] = {
    "transposed": lambda x: (x.transpose(1, 2) * 2.0).transpose(1, 2),
    "halves": lambda x: torch.cat([x[:, 3:], x[:, :3] * 2.0], 1),
    "interleaved": lambda x: torch.stack([x[:, ::2], x[:, 1::2]], 2).flatten(1, 2),
    "backwards": lambda x: x.flip(1) + x,
    "chunks": lambda x: torch.mul(*x.chunk(2, 1)),
    "repeated": lambda x: x[:, :1].expand(-1, 6, -1) + x.repeat(1, 1, 1),
    "picked": lambda x: x.index_select(1, torch.tensor([4, 0, 3, 3])),
    "upsampled channels": lambda x: x.repeat_interleave(2, 1),
    "blended": lambda x: torch.lerp(x, x.flip(1), 0.3),
}
REDUCTIONS: dict[str, _Body] = {
    "sums": lambda x: x - x.sum(1, keepdim=True) + x.mean(1, keepdim=True),
    "extremes": lambda x: x / (x.amax(1, keepdim=True) - x.amin(1, keepdim=True) + 0.1),
    "variance": lambda x: x * x.var(1, keepdim=True) + x.std(1, keepdim=True),
    "variance, biased": lambda x: x * x.var(1, unbiased=False, keepdim=True) + x.var([1], True, keepdim=True),
    "deviation, biased": lambda x: x * x.std(1, unbiased=False, keepdim=True) + torch.var_mean(x, 1, False, True)[0],
    "softmax": lambda x: F.softmax(4.0 * x, 1) + F.log_softmax(x, 1),
    "product": lambda x: x.prod(1, keepdim=True) * 10.0,
    "norm": lambda x: x / (x.norm(dim=1, keepdim=True) + 0.1),
    "best": lambda x: F.embedding(x.argmax(1), torch.eye(6)).transpose(1, 2) * x,
    "running over channels": lambda x: x.cumsum(1) + 0.1 * (1.0 + x).cumprod(1),
    "pooled channels": lambda x: (
        F.max_pool1d(x.transpose(1, 2), 2).transpose(1, 2)
        + F.avg_pool1d(x.transpose(1, 2), 3, 2, padding=1).transpose(1, 2)
    ),
    "attention over channels": lambda x: (
        torch.matmul(
            F.softmax(torch.matmul(x.transpose(1, 2).unsqueeze(3), x.transpose(1, 2).unsqueeze(2)), -1),
            x.transpose(1, 2).unsqueeze(3),
        )
        .squeeze(3)
        .transpose(1, 2)
    ),
    "spectrum of channels": lambda x: torch.fft.rfft(x, dim=1).abs(),
    "there and back": lambda x: torch.fft.irfft(torch.fft.rfft(x, dim=1) * 0.5, n=6, dim=1),
}


LAYERS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "linear": (lambda: Function(lambda x, layer: layer(x.transpose(1, 2)).transpose(1, 2), nn.Linear(5, 7)), 5),
    "1x1": (lambda: nn.Conv1d(5, 9, 1), 5),
    "groups": (lambda: nn.Conv1d(6, 12, 1, groups=3), 6),
    "depthwise": (lambda: nn.Conv1d(6, 6, 1, groups=6), 6),
    "layer norm": (lambda: Function(lambda x, layer: layer(x.transpose(1, 2)).transpose(1, 2), nn.LayerNorm(5)), 5),
    "batch norm": (lambda: nn.Sequential(nn.Conv1d(5, 4, 1), nn.BatchNorm1d(4), nn.PReLU(4)), 5),
    "gated": (lambda: nn.Sequential(nn.Conv1d(5, 8, 1), nn.GLU(1)), 5),
    "two products": (
        lambda: Function(
            lambda x, a, b: torch.tanh(a(x) + b(x) + x * 0.5 - 1.0) * 2.0, nn.Conv1d(5, 5, 1), nn.Conv1d(5, 5, 1)
        ),
        5,
    ),
    "product from a number": (lambda: Function(lambda x, a: 3.0 - a(x) / 2.0, nn.Conv1d(5, 5, 1)), 5),
    "wide": (lambda: nn.Sequential(nn.Conv1d(50, 130, 1), nn.ReLU(), nn.Conv1d(130, 3, 1)), 50),
}


class Causal(nn.Module):
    """A convolution that keeps its past."""

    past: Tensor

    def __init__(self, channels: int, outputs: int, kernel: int, dilation: int, groups: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(channels, outputs, kernel, dilation=dilation, groups=groups)
        self.register_buffer("past", torch.zeros(1, channels, dilation * (kernel - 1)))

    def forward(self, x: Tensor) -> Tensor:
        whole = torch.cat((self.past, x), -1)
        self.past = whole[..., x.size(-1) :]
        return torch.relu(self.convolution(whole))
