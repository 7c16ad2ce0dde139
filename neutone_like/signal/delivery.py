"""How a host's blocks come, and when what is done may be handed out."""

import torch
from torch import nn


class Delivery(nn.Module):
    """Owns what is known of the host's blocks since the stream began, and the count of a background thread."""

    def __init__(self) -> None:
        super().__init__()
        self.host_block = 1
        self.started = False
        self.blocks_vary = False  # the host broke its promise about block sizes
        self.inserted_silence = 0  # host samples, because of that
        self.in_background = False
        self.silent_blocks = 0  # whole host blocks of buffering, which a background thread leaves out
        self.fed_samples = 0

    @torch.jit.export
    def start(self, host_block: int) -> None:
        self.host_block = host_block
        self.started = False
        self.blocks_vary = False
        self.inserted_silence = 0
        self.in_background = False
        self.silent_blocks = 0
        self.fed_samples = 0

    @torch.jit.export
    def start_in_background(self, silent_blocks: int) -> None:
        self.in_background = True
        self.silent_blocks = silent_blocks

    @torch.jit.export
    def breaks_promise(self, samples: int) -> bool:
        """Count a host block; whether it is the first that is no multiple of the promised size."""
        self.started = True
        self.fed_samples += samples
        if samples % self.host_block == 0 or self.blocks_vary:
            return False
        self.blocks_vary = True
        return True

    @torch.jit.export
    def whole_blocks(self, deliverable: int) -> int:
        """How many samples a background thread hands out now: whole host blocks, once its silence is over."""
        if self.fed_samples // self.host_block <= self.silent_blocks:
            return 0
        return (deliverable // self.host_block) * self.host_block
