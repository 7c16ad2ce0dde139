"""What a `.nam` file of WaveNet or LSTM plays, computed at once from the published layout of its weights.

Nothing of it is the package's: convolutions run over the whole signal without padding, the LSTM sample by sample.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


class Deal:
    """The flat list, from the front."""

    def __init__(self, values: list[float], kind: torch.dtype) -> None:
        self.values, self.at = torch.tensor(values, dtype=torch.float64).to(kind), 0

    def next(self, *shape: int) -> Tensor:
        count = int(torch.Size(shape).numel())
        self.at += count
        return self.values[self.at - count : self.at].reshape(shape)


def play(file: dict[str, Any], sound: Tensor, kind: torch.dtype) -> Tensor:
    """``sound``, ``[samples]``, after silence that lets it settle, in this precision."""
    silent = torch.zeros(4000 if file["architecture"] == "LSTM" else 9000)
    x = torch.cat([silent, sound]).to(kind)
    deal = Deal(file["weights"], kind)
    out = (_lstm if file["architecture"] == "LSTM" else _wavenet)(file["config"], deal, x)
    assert deal.at == len(deal.values)
    return out[-len(sound) :]


def _wavenet(config: dict[str, Any], deal: Deal, sound: Tensor) -> Tensor:
    x = condition = sound[None, None]
    head: Tensor | None = None
    for array in config["layers"]:
        channels, wide = array["channels"], array["channels"] * (2 if array["gated"] else 1)
        x = F.conv1d(x, deal.next(channels, array["input_size"], 1))
        for dilation in array["dilations"]:
            weight = deal.next(wide, channels, array["kernel_size"])
            z = F.conv1d(x, weight, deal.next(wide), dilation=dilation)
            mixed = F.conv1d(condition, deal.next(wide, array["condition_size"], 1))
            z = z + mixed[:, :, -z.size(2) :]
            active = getattr(torch, array["activation"].lower())(z[:, :channels])
            if array["gated"]:
                active = active * torch.sigmoid(z[:, channels:])
            x = x[:, :, -z.size(2) :] + F.conv1d(active, deal.next(channels, channels, 1), deal.next(channels))
            head = active if head is None else head[:, :, -z.size(2) :] + active
        weight = deal.next(array["head_size"], channels, 1)
        assert head is not None
        head = F.conv1d(head, weight, deal.next(array["head_size"]) if array["head_bias"] else None)
    assert head is not None
    return (deal.next(1) * head)[0, 0]


def _lstm(config: dict[str, Any], deal: Deal, sound: Tensor) -> Tensor:
    size = config["hidden_size"]
    series = sound[:, None]
    for _ in range(config["num_layers"]):
        matrix, bias = deal.next(4 * size, series.size(1) + size), deal.next(4 * size)
        hidden, cell = deal.next(size), deal.next(size)
        outputs: list[Tensor] = []
        for x in series:
            i, f, g, o = (matrix @ torch.cat([x, hidden]) + bias).reshape(4, size)
            cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
            hidden = torch.sigmoid(o) * torch.tanh(cell)
            outputs.append(hidden)
        series = torch.stack(outputs)
    return series @ deal.next(size) + deal.next(1)
