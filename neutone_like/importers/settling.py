"""Let a network settle on silence, and make that the state it starts from."""

import torch
from torch import Tensor, nn

from neutone_like.errors import ModelFileError
from neutone_like.streaming import streaming_layers

BLOCK_SAMPLES = 4096


def settle(network: nn.Module, samples: int) -> None:
    """Run ``samples`` of silence through a network, in float64, and keep the state as what a reset returns to.

    Raises:
        ModelFileError: Silence makes it give NaN or infinity.
    """
    network.double()
    with torch.no_grad():
        for start in range(0, samples + 1, BLOCK_SAMPLES):
            length = min(BLOCK_SAMPLES, samples + 1 - start)
            out = network(torch.zeros(1, 1, length, dtype=torch.float64))
            if not bool(torch.as_tensor(out).isfinite().all()):
                raise ModelFileError("silence makes it give NaN or infinity. Train or export again.")
    network.float()
    for _, layer in streaming_layers(network):
        buffers: dict[str, Tensor] = dict(layer.named_buffers(recurse=False))
        for name in (name for name in buffers if f"initial_{name}" in buffers):
            setattr(layer, f"initial_{name}", buffers[name].clone())
            setattr(layer, name, buffers[name].clone())
