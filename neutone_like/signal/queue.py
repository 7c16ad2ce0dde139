"""A first-in first-out queue of audio that never moves a sample twice for nothing."""

from typing import List

import torch
from torch import Tensor, nn


class SampleQueue(nn.Module):
    """Audio waits here as the blocks it came in; they are joined once, when a longer block is taken.

    Nothing in it is ever written again, so that a model may keep what it was given.
    """

    blocks: List[Tensor]

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.blocks = []
        self.head = 0  # samples of the first block that are already taken
        self.size = 0

    @torch.jit.export
    def clear(self) -> None:
        self.blocks.clear()
        self.head = 0
        self.size = 0

    @torch.jit.export
    def push(self, x: Tensor) -> None:
        """Append ``[channels, n]``, which the queue then owns."""
        self.blocks.append(x)
        self.size += x.size(1)

    @torch.jit.export
    def push_silence(self, samples: int) -> None:
        if samples > 0:
            self.push(torch.zeros(self.channels, samples, dtype=torch.float32))

    @torch.jit.export
    def pop(self, samples: int) -> Tensor:
        """Take the oldest ``samples``, at most :attr:`size`, as contiguous ``[channels, samples]``."""
        if self.blocks[0].size(1) - self.head < samples:
            self._drop_taken()
            joined = torch.cat(self.blocks, 1)
            self.blocks.clear()
            self.blocks.append(joined)
        block = self.blocks[0]
        y = block.narrow(1, self.head, samples)
        self.head += samples
        self.size -= samples
        if self.head == block.size(1):
            self.blocks.pop(0)
            self.head = 0
        return y.contiguous()

    @torch.jit.export
    def skip(self, samples: int) -> None:
        """Forget the oldest ``samples``, at most :attr:`size`."""
        self.size -= samples
        while samples > 0:
            taken = min(samples, self.blocks[0].size(1) - self.head)
            self.head += taken
            samples -= taken
            if self.head == self.blocks[0].size(1):
                self.blocks.pop(0)
                self.head = 0

    @torch.jit.export
    def put_silence_first(self, samples: int) -> None:
        """Let ``samples`` of silence come out before all else."""
        if samples > 0:
            self._drop_taken()
            self.blocks.insert(0, torch.zeros(self.channels, samples, dtype=torch.float32))
            self.size += samples

    def _drop_taken(self) -> None:
        """What was taken from the oldest block goes, so that the queue is as large as what waits in it."""
        if self.head > 0:
            block = self.blocks[0]
            self.blocks[0] = block.narrow(1, self.head, block.size(1) - self.head)
            self.head = 0
