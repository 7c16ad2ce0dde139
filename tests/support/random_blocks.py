"""Plays a layer in random blocks and compares with the whole."""

import numpy as np
import torch
from torch import Tensor

from neutone_like.streaming import StreamingLayer

TOLERANCE = 1e-5


def random_lengths(generator: np.random.Generator, samples: int, multiple: int = 1, longest: int = 40) -> list[int]:
    """Block lengths that add up to ``samples``, all of them multiples of ``multiple``, many of them the shortest."""
    lengths: list[int] = []
    while (left := (samples - sum(lengths)) // multiple) > 0:
        drawn = 1 if generator.random() < 0.3 else int(generator.integers(1, longest + 1))
        lengths.append(multiple * min(drawn, left))
    return lengths


def play(layer: torch.nn.Module, x: Tensor, lengths: list[int]) -> Tensor:
    """The output from a reset on, block after block."""
    for module in layer.modules():
        if hasattr(module, "reset_streaming_state"):
            module.reset_streaming_state()  # pyright: ignore[reportCallIssue]
    return torch.cat([layer(block) for block in x.split(lengths, dim=-1)], dim=-1)


def error_of_peak(actual: Tensor, expected: Tensor) -> float:
    """The largest difference in units of the largest expected sample."""
    assert actual.shape == expected.shape
    reference = expected.detach().double()
    return float((actual.detach().double() - reference).abs().max() / reference.abs().max())


def worst_chunking(layer: torch.nn.Module, x: Tensor, chunkings: int = 200, multiple: int = 1) -> float:
    """The largest error of random chunkings, and of the shortest blocks only, against one block of everything."""
    generator = np.random.default_rng(7)
    samples = x.size(-1)
    with torch.inference_mode():
        whole = play(layer, x, [samples])
        shortest = error_of_peak(play(layer, x, [multiple] * (samples // multiple)), whole)
        drawn = [random_lengths(generator, samples, multiple) for _ in range(chunkings)]
        return max([shortest, *(error_of_peak(play(layer, x, lengths), whole) for lengths in drawn)])


def assert_streams(layer: StreamingLayer, x: Tensor, multiple: int = 1) -> None:
    """Chunks equal the whole, eager and scripted; a batch is rows on their own; a reset forgets."""
    layer.eval()
    assert worst_chunking(layer, x, multiple=multiple) <= TOLERANCE
    scripted = torch.jit.script(layer)
    assert worst_chunking(scripted, x, chunkings=10, multiple=multiple) <= TOLERANCE
    with torch.inference_mode():
        whole = play(layer, x, [x.size(-1)])
        assert error_of_peak(play(scripted, x, [x.size(-1)]), whole) <= TOLERANCE
        rows = torch.cat([play(layer, row, [x.size(-1)]) for row in x.split(1)])
    assert error_of_peak(rows, whole) <= TOLERANCE
    assert whole.size(-1) == x.size(-1) * layer.ratio
    assert layer.source
