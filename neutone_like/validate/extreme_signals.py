"""What a host may send at worst."""

import torch
from torch import Tensor

from neutone_like.validate import signals


def extreme_signals(channels: int, samples: int) -> dict[str, Tensor]:
    """Sounds by name; each ``[channels, samples]``."""
    ones = torch.ones(channels, samples)
    alternating = ones * (1.0 - 2.0 * (torch.arange(samples) % 2))
    return {
        "silence": torch.zeros(channels, samples),
        "full-scale noise": signals.noise(channels, samples, amplitude=1.0),
        "full scale at half the rate": alternating,
        "constant full scale": ones,
        "constant negative full scale": -ones,
        "denormal numbers": alternating * 1e-40,
        "noise at +12 dBFS": signals.noise(channels, samples, amplitude=4.0),
    }
