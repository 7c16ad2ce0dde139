"""Whether a network can be trained as it will be played."""

from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.errors import ModelError
from neutone_like.optimise.distilling.facts import Facts
from neutone_like.streaming import reset_streaming

_BLOCKS = (64, 1, 33, 158)
_TOLERANCE = 1e-4
_BATCH = 2


@torch.no_grad()
def require_trainable(network: nn.Module, facts: Facts) -> None:
    """A batch goes in, as many samples come out, and blocks give what the whole does.

    Raises:
        ModelError: Says which of them does not hold.
    """
    if not any(True for _ in network.parameters()):
        raise ModelError("student: the network has no weights, so there is nothing to learn with.")
    network.eval()
    generator = torch.Generator().manual_seed(1)
    x = 0.3 * torch.randn(_BATCH, facts.in_channels, sum(_BLOCKS), generator=generator)
    whole = _played(network, x, facts)
    wanted = (_BATCH, facts.out_channels, x.size(2))
    if tuple(whole.shape) != wanted:
        raise ModelError(
            f"student: for a batch {list(x.shape)} expected {list(wanted)}, the teacher's channels and as many samples,"
            f" got {list(whole.shape)}."
        )
    reset_streaming(network)
    pieces = torch.cat([network(block) for block in x.split(list(_BLOCKS), 2)], 2)
    reset_streaming(network)
    difference, peak = float((pieces - whole).abs().max()), float(whole.abs().max())
    if not difference <= _TOLERANCE * max(peak, 1e-3):
        raise ModelError(
            f"student: in blocks it gives something else than at once (differs by {difference:.2g} at a peak of "
            f"{peak:.2g}). Build it of layers that keep their past: neutone_like.streaming.Conv1d, LSTM and others."
        )


def _played(network: nn.Module, x: Tensor, facts: Facts) -> Tensor:
    reset_streaming(network)
    try:
        made: Any = network(x)
    except (RuntimeError, ValueError, TypeError, IndexError, ModelError) as error:
        raise ModelError(
            f"student: its network must take a batch [batch, {facts.in_channels}, N], the teacher's channels; it "
            f"failed with {type(error).__name__}: {error}"
        ) from error
    if not isinstance(made, Tensor):
        raise ModelError(f"student: its network must give a tensor [batch, channels, N], got {type(made).__name__}.")
    return made
