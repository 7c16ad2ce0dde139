"""What the tests of boards share."""

from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from neutone_like.render import Board, ModelPlugin
from support.render_models import Volume

Audio = npt.NDArray[np.float32]
RATE = 48000


def noise(channels: int = 2, samples: int = 24_000) -> Audio:
    return np.random.default_rng(3).uniform(-0.5, 0.5, (channels, samples)).astype(np.float32)


def volume(**params: Any) -> ModelPlugin:
    return ModelPlugin(Volume(nn.Identity()), params)


def streamed(board: Board, x: Audio, sizes: list[int]) -> Audio:
    """In pieces of the given sizes, again and again, and what is held back."""
    pieces, start = [], 0
    while start < x.shape[1]:
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(board(x[:, start : start + size], RATE, reset=False))
        start += size
    return np.concatenate([*pieces, board.flush()], axis=1)
