"""Every sound starts afresh, and no instance knows of another."""

from typing import Any

import torch
from torch import Tensor

from neutone_like.validate.context import Outcome, verdict
from neutone_like.validate.offline.context import OfflineContext, Outputs, equal, where_apart

BIT_FOR_BIT = "no difference, bit for bit"
TURNS = 4
PIECE_SAMPLES = 16_384  # what a wrapper gathers before it calls its model


def check_reset_repeats(context: OfflineContext) -> Outcome:
    """Play a sound, another one, the first one again; once more after reset(), and in a module loaded afresh."""
    advice = (
        "Clear every state in reset_model(): buffers, counters, hidden states, random generators. If only the first "
        "run differs, the state was not clean when the model was exported. Random numbers need a seed that "
        "reset_model() sets."
    )
    for rate in context.rates:
        samples = context.samples(rate)
        sounds = context.sounds(samples)
        values = context.defaults
        module = context.fresh(rate)
        first = context.play(module, sounds, values, samples)
        context.play(module, context.sounds(samples, seed=1), values, samples)
        again = context.play(module, sounds, values, samples)
        module.reset()
        after_reset = context.play(module, sounds, values, samples)
        afresh = context.play(context.fresh(rate), sounds, values, samples)
        for label, other in (
            ("after another sound", again),
            ("after reset()", after_reset),
            ("in a module loaded afresh", afresh),
        ):
            if not equal(first, other):
                return verdict(False, f"{where_apart(first, other)} {label}, at {rate} Hz", BIT_FOR_BIT, advice)
    return verdict(True, "the same sound gives the same output, whatever came before", BIT_FOR_BIT, advice)


def check_instances_are_independent(context: OfflineContext) -> Outcome:
    """Play two instances in turns, piece by piece, and compare each with itself alone."""
    advice = (
        "Instances share state. Keep state in buffers made in __init__, not in class attributes, module-level "
        "variables, default arguments or caches."
    )
    rate = context.native_rate
    samples = context.samples(rate)
    if not context.is_one_shot:  # a one-shot model is called once, and can't be interrupted
        samples = max(samples, TURNS * PIECE_SAMPLES)
    sounds = [context.sounds(samples, seed=seed) for seed in (1, 2)]
    pairs = {"modules loaded from the file": [context.fresh(rate) for _ in range(4)]}
    if context.eager_model is not None:
        pairs["Python models"] = [context.eager(rate) for _ in range(4)]
    for label, (one, two, alone_one, alone_two) in pairs.items():
        # Alone first: where all four are one and the same, what they played before shows.
        alone = [
            _in_turns(context, [module], [sound], samples)[0]
            for module, sound in zip((alone_one, alone_two), sounds, strict=True)
        ]
        for mixed, expected in zip(_in_turns(context, [one, two], sounds, samples), alone, strict=True):
            if not equal(expected, mixed):
                return verdict(False, f"two {label} in turns: {where_apart(expected, mixed)}", BIT_FOR_BIT, advice)
    return verdict(True, f"two {' and two '.join(pairs)} play as if alone", BIT_FOR_BIT, advice)


def _in_turns(context: OfflineContext, modules: list[Any], sounds: list[list[Tensor]], samples: int) -> list[Outputs]:
    """Each module plays its sound; they take turns, a part of it at a time."""
    values = context.defaults
    step = -(-samples // TURNS)
    for module in modules:
        module.begin(samples, list(values.texts), [list(tokens) for tokens in values.tokens])
    found: list[list[Outputs]] = [[] for _ in modules]
    for start in range(0, samples, step):
        for module, sound, parts in zip(modules, sounds, found, strict=True):
            piece = [x[:, start : start + step] for x in sound]
            knobs = values.knobs.expand(-1, min(step, samples - start)).contiguous()
            parts.append([output.clone() for output in module.push(piece, knobs)])
    for module, parts in zip(modules, found, strict=True):
        parts.append(module.finish())
    return [[torch.cat(pieces, 1) for pieces in zip(*parts, strict=True)] for parts in found]
