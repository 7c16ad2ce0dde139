"""Reset forgets everything, and no instance knows of another."""

from typing import Any

import torch
from torch import Tensor

from neutone_like.validate.context import Context, Outcome, first_difference, largest_difference, verdict
from neutone_like.validate.playing import HostSetting, play

BIT_FOR_BIT = "no difference, bit for bit"


def check_reset_repeats(context: Context) -> Outcome:
    """Play twice with a reset between, and once in a module loaded afresh."""
    advice = (
        "Clear every state in reset_model(): buffers, counters, hidden states, random generators. If only the first "
        "run differs, the state was not clean when the model was exported. Random numbers need a seed that "
        "reset_model() sets."
    )
    for setting in context.settings:
        x = context.sound(8 * setting.block_size)
        values = context.automation(x.size(1))
        blocks = [setting.block_size] * 8
        module = context.fresh(setting)
        first = play(module, x, blocks, values)
        module.reset()
        second = play(module, x, blocks, values)
        afresh = play(context.fresh(setting), x, blocks, values)
        for label, other in (("after reset()", second), ("in a module loaded afresh", afresh)):
            if not torch.equal(first, other):
                return verdict(False, f"{_difference(first, other)} {label}, at {setting}", BIT_FOR_BIT, advice)
    return verdict(True, "reset and reload repeat bit for bit", BIT_FOR_BIT, advice)


def check_instances_are_independent(context: Context) -> Outcome:
    """Play two instances in turns, block by block, and compare each with itself alone."""
    advice = (
        "Instances share state. Keep state in buffers made in __init__, not in class attributes, module-level "
        "variables, default arguments or caches."
    )
    setting = context.settings[0]
    pairs = {"modules loaded from the file": [context.fresh(setting) for _ in range(4)]}
    if context.eager_model is not None:
        pairs["Python models"] = [context.eager(setting) for _ in range(4)]
    for label, (one, two, alone_one, alone_two) in pairs.items():
        sounds = context.sound(12 * setting.block_size, seed=1), context.sound(12 * setting.block_size, seed=2)
        # Alone first: where all four are one and the same, what they played before shows.
        alone = [_blocks(module, x, setting) for module, x in zip((alone_one, alone_two), sounds, strict=True)]
        together: list[list[Tensor]] = [[], []]
        for start in range(0, 12 * setting.block_size, setting.block_size):
            for index, module in enumerate((one, two)):
                block = sounds[index][:, start : start + setting.block_size]
                together[index].append(module.forward(block, None).clone())
        for index in range(2):
            mixed = torch.cat(together[index], 1)
            if not torch.equal(mixed, alone[index]):
                measured = f"two {label} in turns: {_difference(alone[index], mixed)}"
                return verdict(False, measured, BIT_FOR_BIT, advice)
    return verdict(True, f"two {' and two '.join(pairs)} play as if alone", BIT_FOR_BIT, advice)


def _blocks(module: Any, x: Tensor, setting: HostSetting) -> Tensor:
    return play(module, x, [setting.block_size] * (x.size(1) // setting.block_size))


def _difference(expected: Tensor, actual: Tensor) -> str:
    first = first_difference(expected, actual, 0.0)
    return f"differs by up to {largest_difference(expected, actual):.2g} from sample {first} on"
