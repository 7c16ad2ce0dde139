"""However the sound is cut, by the host or into the model's blocks, the same samples come out."""

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from neutone_like.validate.context import Outcome, verdict
from neutone_like.validate.offline.context import (
    HOST_BLOCK,
    OfflineContext,
    Outputs,
    apart,
    equal,
    where_apart,
)

BLOCKS_DIFFERENCE = 1e-5
OTHER_BLOCKS = (1000, 4096)
ADVICE = (
    "The output depends on how the sound is cut into blocks. Keep whatever the model needs from the past (filter and "
    "convolution history, phases, counters) in its state or in look_behind_samples, don't normalise or pad by block, "
    "and declare block_sizes if only some sizes are right. A model that needs all of the sound is one-shot."
)


def check_any_cutting_equals_whole(context: OfflineContext) -> Outcome:
    """Hand the sound over whole and in pieces; let the model work in blocks of other sizes, where it takes them."""
    for rate in context.rates:
        samples = context.samples(rate)
        sounds, knobs = context.sounds(samples), _automation(context, samples)
        whole = _push(context, context.reused(rate), sounds, knobs, [samples])
        for label, sizes in (("pieces of 977", [977]), ("pieces that vary", [2, 12_345, 64, 5000, 3])):
            pieces = _push(context, context.reused(rate), sounds, knobs, sizes)
            if not equal(whole, pieces):
                measured = f"{where_apart(whole, pieces)} (in {label}, {rate} Hz)"
                return verdict(False, measured, "no difference, bit for bit", ADVICE)
    return _check_blocks(context)


def _check_blocks(context: OfflineContext) -> Outcome:
    allowed = f"no difference, bit for bit; {BLOCKS_DIFFERENCE:.0e} between block sizes"
    sizes = context.artifact.block_sizes if len(context.artifact.block_sizes) > 1 else OTHER_BLOCKS
    if context.is_one_shot or context.overlaps or len(context.artifact.block_sizes) == 1:
        why = "one-shot" if context.is_one_shot else "overlapping blocks" if context.overlaps else "one block size"
        return verdict(True, f"pieces make no difference; other block sizes do not apply ({why})", allowed, ADVICE)
    rate = context.native_rate
    samples = context.samples(rate)
    sounds, values = context.sounds(samples), context.defaults
    whole = context.play(context.reused(rate), sounds, values, samples)
    limit = max(BLOCKS_DIFFERENCE, context.difference_allowed(rate, sounds, values, whole))
    for size in sizes:
        module = context.reused(rate)
        module.set_daw_sample_rate_and_buffer_size(rate, HOST_BLOCK, rate, size)
        other = context.play(module, sounds, values, samples)
        if apart(whole, other) > limit:
            return verdict(False, f"{where_apart(whole, other, limit)} (blocks of {size})", allowed, ADVICE)
    return verdict(True, f"neither pieces nor blocks of {', '.join(map(str, sizes))} show", allowed, ADVICE)


def _automation(context: OfflineContext, samples: int) -> Tensor:
    """Every knob on the move, with jumps: ``[P, samples]``."""
    time = torch.arange(samples)
    rows = [(((time + 313 * row) // 1500) * 0.37 + 0.21 * row) % 1.0 for row in range(len(context.defaults.knobs))]
    return torch.stack(rows) if rows else torch.zeros(0, samples)


def _push(context: OfflineContext, module: Any, sounds: Sequence[Tensor], knobs: Tensor, sizes: list[int]) -> Outputs:
    """The sound in pieces of these sizes, over and over."""
    values = context.defaults
    module.begin(knobs.size(1), list(values.texts), [list(tokens) for tokens in values.tokens])
    found: list[Outputs] = []
    for start, end in itertools.pairwise(_cuts(knobs.size(1), sizes)):
        pieces = module.push([sound[:, start:end] for sound in sounds], knobs[:, start:end])
        found.append([piece.clone() for piece in pieces])
    found.append(module.finish())
    return [torch.cat(parts, 1) for parts in zip(*found, strict=True)]


def _cuts(samples: int, sizes: list[int]) -> list[int]:
    """Where pieces begin and end. None has one sample, which a generator could not tell from knobs that stay put."""
    positions = [0]
    for size in itertools.cycle(sizes):
        if samples - positions[-1] <= size + 1:
            return [*positions, samples]
        positions.append(positions[-1] + size)
    return positions
