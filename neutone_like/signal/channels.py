"""Channel conversion: mono to stereo duplicates, stereo to mono averages, everything else is refused by name.

What comes to a model is converted to what it takes. What it gives is converted back to what came only where it takes
and gives mono or stereo; else all of its own channels go on.
"""

import torch
from torch import Tensor

from neutone_like.errors import AudioError


def host_channels(in_channels: int, out_channels: int) -> int:
    """How many channels a host sends that is to hear all of a model: stereo where either side of it is."""
    return max(in_channels, out_channels) if max(in_channels, out_channels) <= 2 else in_channels


def convert_channels(x: Tensor, channels: int) -> Tensor:
    """``[c, n]`` to ``[channels, n]``. Mono becomes a view on both sides; stereo is averaged.

    Raises:
        AudioError: Neither equal counts nor mono and stereo.
    """
    given = x.size(0)
    if given == channels:
        return x
    if given == 1 and channels == 2:
        return x.expand(2, x.size(1))
    if given == 2 and channels == 1:
        return torch.mean(x, 0, keepdim=True)
    raise AudioError(
        f"Expected audio of shape (channels, samples) with {channels} channels, got {given}. "
        "Only mono and stereo are converted into each other."
    )
