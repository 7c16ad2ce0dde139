"""Biases beside weights that are rounded: they take up what rounding leaves on average, in 16 bits where that saves.

M. Nagel et al., "Data-free quantization through weight equalization and bias correction", 2019.
"""

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from neutone_like.optimise.quantising.weights import Weight


def biases_of(weights: Sequence[Weight]) -> dict[str, Tensor]:
    """By a weight's name the bias beside it, float32, of a number for each output; only what one weight alone has."""
    found: dict[str, Tensor] = {}
    for weight in weights:
        bias = _beside(weight)
        if bias is not None and bias.dtype == torch.float32 and bias.shape == (weight.value.shape[weight.channel_dim],):
            found[weight.name] = bias
    owners = Counter(id(each) for each in found.values())
    return {name: bias for name, bias in found.items() if owners[id(bias)] == 1}


def _beside(weight: Weight) -> Tensor | None:
    if isinstance(weight.module, torch.jit.ScriptModule) or not weight.own_name.startswith("weight"):
        return None
    own = dict(nn.Module.named_parameters(weight.module, recurse=False))
    return own.get(weight.own_name.replace("weight", "bias", 1))


def halved(bias: Tensor) -> Tensor:
    """The nearest half-precision numbers, as float32; what is too large for them stays."""
    half = bias.half().float()
    return torch.where(half.isfinite(), half, bias)


@torch.no_grad()
def round_biases(weights: Sequence[Weight]) -> None:
    """Put the biases of convolutions and linear layers among half-precision numbers.

    Those of recurrent layers stay: files hold sums of two of them.
    """
    for bias in _storable(weights):
        bias.copy_(halved(bias))


def bytes_saved(weights: Sequence[Weight]) -> int:
    """By biases that are half-precision numbers."""
    return sum(2 * bias.numel() for bias in _storable(weights) if torch.equal(bias.half().float(), bias))


def _storable(weights: Sequence[Weight]) -> list[Tensor]:
    return list(biases_of([each for each in weights if each.own_name == "weight"]).values())
