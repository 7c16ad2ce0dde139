"""A streaming graph is played beside the whole network before anyone relies on it."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from neutone_like.errors import CaptureError, ModelError
from neutone_like.graph import Graph, GraphPlayer, State, own_copy
from neutone_like.streaming.conversion.converting import Converted
from neutone_like.streaming.trials import difference, random_blocks

TOLERANCE = 1e-5
"""Largest difference from the whole, in parts of its peak."""

_CHUNKINGS = 6
_FEWEST_BLOCKS = 24
_FAR_SAMPLES = 2**40
"""After so long, eight months at 48 kHz, a stream must still go on."""


@torch.no_grad()
def prove(
    network: nn.Module, graph: Graph, example: Tensor, converted: Converted, conditions: Sequence[Tensor] = ()
) -> None:
    """Play random blocks beside the whole, as the network gives it, and as it would be without rounding.

    Raises:
        ModelError: They differ from both, there is nothing to compare, or the stream would end.
    """
    reach = converted.receptive_field_samples or 0
    late = math.ceil(converted.delay_samples / converted.ratio)
    needed = _FEWEST_BLOCKS * converted.block_multiple_samples + late + reach
    x = torch.cat([example] * -(-needed // example.shape[-1]), -1)
    _require_no_end(converted, x[..., : converted.block_multiple_samples], conditions)
    worst = _worst_of_both(network, graph, converted, x, conditions)
    if worst > TOLERANCE:
        raise ModelError(
            f"The streaming network differs from the whole one by {worst:.3g} of its peak, more than {TOLERANCE:g}. "
            "Either it is chaotic (a feedback that amplifies rounding), or the conversion is at fault: please report "
            "it with the network."
        )
    others = tuple(map(_another, conditions))
    if conditions and _worst_of_both(network, graph, converted, x, others) > TOLERANCE:
        raise ModelError(
            "With another condition the streaming network differs from the whole one: what the network is padded "
            "with, or begins with, is calculated from the condition, and a stream has begun before the next one comes. "
            "Apply the condition after the padding, and begin RNNs with zeros; or hold it in a buffer, for good."
        )


def _another(condition: Tensor) -> Tensor:
    """Other values of about the same size; of whole numbers, which may be places in a table, none that is larger."""
    if condition.is_floating_point() or condition.is_complex():
        scale = 0.5 + 0.5 * torch.rand(condition.shape, generator=torch.Generator().manual_seed(4))
        return (condition * scale if condition.any() else scale).to(condition.dtype)
    if not condition.any():
        raise ModelError(
            "condition is 0, and whether another one is heard can't be tried: convert the network with one that isn't."
        )
    return torch.zeros_like(condition)


def _worst_of_both(
    network: nn.Module, graph: Graph, converted: Converted, x: Tensor, conditions: Sequence[Tensor]
) -> float:
    """Beside the network, and where that is too far off, beside what it would be without rounding."""
    whole = own_copy(network).eval()(x.clone(), *[each.clone() for each in conditions])
    worst = _worst_error(converted, x, whole, conditions)
    return worst if worst <= TOLERANCE else min(worst, _worst_without_rounding(converted, x, graph, conditions))


def _worst_without_rounding(converted: Converted, x: Tensor, graph: Graph, conditions: Sequence[Tensor]) -> float:
    """Beside the whole in float64; infinite where it has tensors of another precision that it makes itself."""
    try:
        whole = GraphPlayer(graph, torch.float64)(x, *conditions)
    except CaptureError:
        return math.inf
    return _worst_error(converted, x, whole, conditions)


def _require_no_end(converted: Converted, block: Tensor, conditions: Sequence[Tensor]) -> None:
    """Play a block after a very long time: what counts from the start may look for its place in a table that ends."""
    states = tuple(map(_counted_far, converted.graph.states))
    try:
        GraphPlayer(replace(converted.graph, states=states))(block, *conditions)
    except Exception as error:  # whatever the operation raises
        raise ModelError(
            f"The stream would end: after {_FAR_SAMPLES} samples it fails ({error.__cause__ or error}). The network "
            "looks up a table by the time since the start (learned positions), or counts to some number. Calculate "
            "with that time instead, or use positions that are relative (rotary ones, streaming.Attention)."
        ) from error


def _counted_far(state: State) -> State:
    """Where it is how many samples have come so far, a whole number: as after a very long time."""
    counts = state.initial.dim() == 0 and not state.initial.is_floating_point()
    return replace(state, initial=state.initial + _FAR_SAMPLES) if counts else state


def _worst_error(converted: Converted, x: Tensor, whole: Tensor, conditions: Sequence[Tensor]) -> float:
    """Over random blocks, in parts of the peak; infinite where it is no number."""
    rng, multiple, delay = random.Random(3), converted.block_multiple_samples, converted.delay_samples
    x = x[..., : x.shape[-1] // multiple * multiple]
    count = min(int(x.shape[-1] * converted.ratio) - delay, whole.shape[-1])
    if converted.equal_samples is not None:
        count = min(count, int(converted.equal_samples * converted.ratio) - delay)
    if count <= 0:
        raise ModelError(
            f"The stream is {delay} samples late, and attention forgets after {converted.equal_samples}: nothing of it "
            "is equal to the whole. Give a longer attention_window_samples."
        )
    worst = 0.0
    for trial in range(_CHUNKINGS):
        player = GraphPlayer(converted.graph)
        blocks = random_blocks(x, multiple, rng, singles=trial == 0)
        streamed = torch.cat([player(block, *conditions) for block in blocks], -1)[..., delay : delay + count]
        worst = max(worst, difference(streamed, whole[..., :count]))
    return worst
