"""Parts of a network that are TorchScript already, in which nothing can be followed or replaced."""

import torch
from torch import nn


def programs_in(network: nn.Module) -> list[str]:
    """The names of those that hold numbers, the outermost of each."""
    names = [name for name, each in network.named_modules() if isinstance(each, torch.jit.ScriptModule)]
    outermost = [name for name in names if not any(name.startswith(f"{other}.") for other in names)]
    return [name for name in outermost if network.get_submodule(name).state_dict()]


def numbers_in(network: nn.Module, name: str) -> int:
    """How many a part holds: weights, states and constants."""
    return sum(each.numel() for each in network.get_submodule(name).state_dict().values())
