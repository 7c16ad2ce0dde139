"""The activations of `.nam` files by their names there, as modules that TorchScript takes."""

from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.errors import ModelFileError
from neutone_like.importers.fields import Fields, is_finite


class FastTanh(nn.Module):
    """The rational approximation of tanh that players of the format use under this name."""

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        size, square = x.abs(), x * x
        top = x * (2.45550750702956 + 2.45550750702956 * size + (0.893229853513558 + 0.821226666969744 * size) * square)
        return top / (2.44506634652299 + (2.44506634652299 + square) * (x + 0.814642734961073 * x * size).abs())


class LeakyHardtanh(nn.Module):
    """Straight between two values, and on with other slopes beyond them."""

    def __init__(self, low: float, high: float, low_slope: float, high_slope: float) -> None:
        super().__init__()
        self.low, self.high, self.low_slope, self.high_slope = low, high, low_slope, high_slope

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        below = torch.where(x < self.low, (x - self.low) * self.low_slope + self.low, x)
        return torch.where(x > self.high, (x - self.high) * self.high_slope + self.high, below)


class Softsigmoid(nn.Module):
    """``(1 + x / (1 + |x|)) / 2``."""

    def forward(self, x: Tensor) -> Tensor:
        """Element by element."""
        return 0.5 * (1.0 + x / (1.0 + x.abs()))


PLAIN: dict[str, type[nn.Module]] = {
    "Tanh": nn.Tanh,
    "Fasttanh": FastTanh,
    "ReLU": nn.ReLU,
    "Sigmoid": nn.Sigmoid,
    "SiLU": nn.SiLU,
    "Hardswish": nn.Hardswish,
    "Softsign": nn.Softsign,
    "Softsigmoid": Softsigmoid,
    "Identity": nn.Identity,
}
WITH_NUMBERS = ("Hardtanh", "LeakyReLU", "LeakyHardtanh", "LeakyHardTanh", "PReLU")


def activation(value: object, where: str, channels: int) -> nn.Module:
    """What a file calls an activation: its name, or an object with its ``type`` and numbers.

    Raises:
        ModelFileError: It is not known; the known ones are named.
    """
    name = value if isinstance(value, str) else None
    fields = Fields({"type": name} if name is not None else value, where)
    # Trainers write "type"; what they read, and put back for a head, says "name".
    kind = fields.get("name") if "name" in fields.values else fields.need("type")
    if not isinstance(kind, str) or kind not in (*PLAIN, *WITH_NUMBERS):
        known = ", ".join((*PLAIN, *WITH_NUMBERS))
        raise ModelFileError(f"{where} is {kind!r:.60}, which is not known here. Known are {known}.")
    made = PLAIN[kind]() if kind in PLAIN else _with_numbers(kind, fields, channels)
    fields.done()
    return made


def _with_numbers(kind: str, fields: Fields, channels: int) -> nn.Module:
    if kind == "Hardtanh":
        return nn.Hardtanh(_number(fields, "min_val", -1.0), _number(fields, "max_val", 1.0))
    if kind == "LeakyReLU":
        return nn.LeakyReLU(_number(fields, "negative_slope", 0.01))
    if kind == "PReLU":
        return _prelu(fields, channels)
    limits = (_number(fields, "min_val", -1.0), _number(fields, "max_val", 1.0))
    return LeakyHardtanh(*limits, _number(fields, "min_slope", 0.01), _number(fields, "max_slope", 0.01))


def _prelu(fields: Fields, channels: int) -> nn.Module:
    if "negative_slopes" not in fields.values:
        slopes = [_number(fields, "negative_slope", 0.01)]
    else:
        slopes = [_finite(value, f"{fields.where}.negative_slopes") for value in fields.items("negative_slopes")]
        if len(slopes) not in (1, channels):
            raise ModelFileError(f"{fields.where}.negative_slopes: expected {channels} numbers, got {len(slopes)}.")
    made = nn.PReLU(len(slopes))
    with torch.no_grad():
        made.weight.copy_(torch.tensor(slopes))
    return made


def _number(fields: Fields, key: str, default: float) -> float:
    return _finite(fields.get(key, default), f"{fields.where}.{key}")


def _finite(value: Any, what: str) -> float:
    if not is_finite(value):
        raise ModelFileError(f"{what} must be a finite number, got {value!r:.60}.")
    return float(value)
