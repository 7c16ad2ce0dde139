"""However the sound is cut, by the host or into the model's blocks, the same samples come out."""

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from neutone_like.validate.offline_subject import HOST_BLOCK, OfflineSubject
from neutone_like.validate.outcome import Outcome, Outputs, apart, equal, verdict, where_apart

BLOCKS_DIFFERENCE = 1e-5
OTHER_BLOCKS = (1000, 4096)
ADVICE = (
    "The output depends on how the sound is cut into blocks. Keep whatever the model needs from the past (filter and "
    "convolution history, phases, counters) in its state or in look_behind_samples, don't normalise or pad by block, "
    "and declare block_sizes if only some sizes are right. A model that needs all of the sound is one-shot."
)


def check_any_cutting_equals_whole(subject: OfflineSubject) -> Outcome:
    """Hand the sound over whole and in pieces; let the model work in blocks of other sizes, where it takes them."""
    for setting in subject.effort.choose(subject.settings, "host rates"):
        samples = subject.samples(setting)
        sounds, knobs = subject.sounds(samples), subject.automation(samples).knobs
        whole = _push(subject, subject.reused(setting), sounds, knobs, [samples])
        for label, sizes in (("pieces of 977", [977]), ("pieces that vary", [2, 12_345, 64, 5000, 3])):
            pieces = _push(subject, subject.reused(setting), sounds, knobs, sizes)
            if not equal(whole, pieces):
                measured = f"{where_apart(whole, pieces)} (in {label}, {setting})"
                return verdict(False, measured, "no difference, bit for bit", ADVICE)
    return _check_blocks(subject)


def _check_blocks(subject: OfflineSubject) -> Outcome:
    allowed = f"no difference, bit for bit; {BLOCKS_DIFFERENCE:.0e} between block sizes"
    sizes = subject.artifact.block_sizes if len(subject.artifact.block_sizes) > 1 else OTHER_BLOCKS
    if subject.is_one_shot or subject.overlaps or len(subject.artifact.block_sizes) == 1:
        why = "one-shot" if subject.is_one_shot else "overlapping blocks" if subject.overlaps else "one block size"
        return verdict(True, f"pieces make no difference; other block sizes do not apply ({why})", allowed, ADVICE)
    setting = subject.native
    samples = subject.samples(setting)
    sounds, values = subject.sounds(samples), subject.defaults
    whole = subject.play(subject.reused(setting), sounds, values, setting, samples)
    limit = max(BLOCKS_DIFFERENCE, subject.difference_allowed(setting, sounds, values, whole))
    for size in sizes:
        module = subject.reused(setting)
        module.set_daw_sample_rate_and_buffer_size(setting.sample_rate, HOST_BLOCK, setting.sample_rate, size)
        other = subject.play(module, sounds, values, setting, samples)
        if apart(whole, other) > limit:
            return verdict(False, f"{where_apart(whole, other, limit)} (blocks of {size})", allowed, ADVICE)
    return verdict(True, f"neither pieces nor blocks of {', '.join(map(str, sizes))} show", allowed, ADVICE)


def _push(subject: OfflineSubject, module: Any, sounds: Sequence[Tensor], knobs: Tensor, sizes: list[int]) -> Outputs:
    """The sound in pieces of these sizes, over and over."""
    values = subject.defaults
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
