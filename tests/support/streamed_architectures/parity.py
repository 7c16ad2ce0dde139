"""How far a network in blocks is from its ordinary form, given the whole signal."""

import numpy as np
import torch

from neutone_like.streaming import StreamingLayer, block_multiple
from support.random_blocks import play, random_lengths
from support.streamed_architectures import Streamed

SAMPLES = 512


@torch.no_grad()
def parity_error(streamed: Streamed, network: StreamingLayer, chunkings: int) -> float:
    """The largest difference from the ordinary network over random chunkings, in parts of its peak.

    Each block is a multiple of what the network takes, many are the shortest, and the first chunking has only those.
    """
    architecture, multiple = streamed.architecture, block_multiple(network)
    x = architecture.example(max(SAMPLES // int(max(1, network.ratio)), 16 * multiple))
    whole = architecture.network()(x)[..., : -network.delay_samples or None]
    generator = np.random.default_rng(5)
    worst = 0.0
    for chunking in range(chunkings):
        longest = 1 if chunking == 0 else int(generator.integers(2, 24))
        played = play(network, x, random_lengths(generator, x.shape[-1], multiple, longest))
        error = (played[..., network.delay_samples :] - whole).abs().max() / whole.abs().max()
        worst = max(worst, float(error))
    return worst
