"""A part that keeps state, and that a model plays more than once in a block: a usual reason why cuts are heard."""

from collections import Counter
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.artifact.writing.probe import ANY_RATE, ANY_SIZES, example_arguments
from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.model import WaveformToWaveformBase


def explain_shared_state(model: WaveformToWaveformBase) -> str:
    """A sentence about the parts that :func:`shared_state` finds; empty where there are none."""
    found = shared_state(model)
    if not found:
        return ""
    name, calls = next(iter(found.items()))
    others = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return (
        f"{name}{others} keeps state and is played {calls} times in every block, so that each call hears what the call "
        "before it left, such as one channel the other's past. Play all channels in one call, as a batch, or give each "
        "a part of its own."
    )


def shared_state(model: WaveformToWaveformBase) -> dict[str, int]:
    """Submodules whose own tensors change in more than one call within one block, and in how many."""
    copy = working_copy(model)
    declared = copy.declaration()
    rate = declared.sample_rates[0] if declared.sample_rates else ANY_RATE
    size = declared.block_sizes[0] if declared.block_sizes else ANY_SIZES[0]
    with torch.no_grad():
        copy.prepare_model(rate, size)
        copy.reset_model()
        changes = _watch(copy)
        copy.do_forward_pass(*example_arguments(copy, size))
    return {name: count for name, count in changes.items() if count > 1}


def _watch(model: nn.Module) -> Counter[str]:
    """Counts, from now on, the calls that change a submodule's own tensors."""
    changes: Counter[str] = Counter()
    for path, module in model.named_modules():
        if path and not isinstance(module, torch.jit.ScriptModule):
            before: list[list[Tensor]] = []

            def note_before(module: nn.Module, _: Any, before: list[list[Tensor]] = before) -> None:
                before.append([tensor.clone() for tensor in _own_tensors(module)])

            def note_after(
                module: nn.Module, _: Any, __: Any, path: str = path, before: list[list[Tensor]] = before
            ) -> None:
                now = _own_tensors(module)
                then = before.pop()
                if len(now) != len(then) or not all(torch.equal(a, b) for a, b in zip(now, then, strict=True)):
                    changes[f"{path} ({type(module).__name__})"] += 1

            module.register_forward_pre_hook(note_before)
            module.register_forward_hook(note_after)
    return changes


def _own_tensors(module: nn.Module) -> list[Tensor]:
    values = [*module.buffers(recurse=False), *vars(module).values()]
    return [value for value in values if isinstance(value, Tensor)]
