"""What proofs of streaming have in common: noise that a network takes, random blocks, and how far results are apart."""

import copy
import random

import torch
from torch import Tensor, nn

from neutone_like.streaming.layer import streaming_layers


def noise_for(network: nn.Module, samples: int, seed: int = 0) -> Tensor:
    """``[batch, channels, samples]`` for the channels of the first layer that says some; 1 where none does."""
    named = ("in_channels", "num_features", "input_size")
    found = [getattr(m, name) for m in network.modules() for name in named if isinstance(getattr(m, name, None), int)]
    pasts = [getattr(module, "initial_past", None) for module in network.modules()]
    found += [past.size(1) for past in pasts if isinstance(past, Tensor) and past.dim() == 3]
    tensors = (*network.parameters(), *network.buffers())
    weight = next((each for each in tensors if each.is_floating_point()), torch.zeros(1))
    generator = torch.Generator().manual_seed(seed)
    batch = getattr(network, "batch_size", 1)
    noise = torch.randn(batch, found[0] if found else 1, samples, generator=generator)
    return noise.to(device=weight.device, dtype=weight.dtype)


def random_blocks(x: Tensor, multiple: int, rng: random.Random, *, singles: bool) -> list[Tensor]:
    """``x`` cut along time into two or more multiples of ``multiple``; ``singles``: the first as short as can be."""
    units = x.size(2) // multiple
    most = min(units - 1, 256) if singles else rng.randint(1, min(units - 1, 24))
    cuts = range(1, most + 1) if singles else sorted(rng.sample(range(1, units), most))
    sizes = torch.tensor([0, *cuts, units]).diff() * multiple
    return list(x.split([int(size) for size in sizes], 2))


def difference(a: Tensor, b: Tensor) -> float:
    """Largest difference as a part of the peak of ``b``; infinite where shapes differ, or it isn't a number."""
    if a.shape != b.shape:
        return float("inf")
    if b.numel() == 0:
        return 0.0
    error = float((a - b).abs().max()) / max(float(b.abs().max()), 1e-12)
    return error if error == error else float("inf")


def fresh(network: nn.Module) -> nn.Module:
    """A copy that shares the weights and has forgotten the past, as far as the network can forget."""
    for _, layer in streaming_layers(network):
        layer.reset_streaming_state()
    return copy.deepcopy(network, {id(weight): weight for weight in network.parameters()})
