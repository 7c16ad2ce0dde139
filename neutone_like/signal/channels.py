"""Channel conversion: mono to stereo duplicates, stereo to mono averages, everything else is refused by name."""

import torch
from torch import Tensor

from neutone_like.errors import AudioError


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
