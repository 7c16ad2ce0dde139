"""What a network keeps between two calls, found by calling it and comparing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.errors import CaptureError
from neutone_like.graph.examples import Example
from neutone_like.graph.slots import Slot, read_slots

CALLS = 3
"""After which what no call changed is taken as fixed."""


@dataclass(frozen=True)
class Memory:
    """What a network remembers.

    Attributes:
        states: Tensors that calls change, with what they are before the first one.
        counters: Whole numbers that calls change, alike.
        from_nothing: States that are not there before the first call, or of another shape; taken as zeros.
    """

    states: Mapping[Slot, Tensor]
    counters: Mapping[Slot, int]
    from_nothing: frozenset[Slot]


def find_memory(network: nn.Module, example: Example) -> Memory:
    """Call ``network`` :data:`CALLS` times, and see what changes or is written. It is left as the calls leave it.

    Raises:
        CaptureError: What it keeps changes its size, or is neither a tensor nor a whole number.
    """
    generator = torch.Generator().manual_seed(0)
    moments = [snapshot(network)]
    held: dict[Slot, tuple[Any, int]] = {}
    for _ in range(CALLS):
        held = {slot: (value, _version(value)) for slot, value in read_slots(network).items()}
        example.call(network, list(example.block(example.samples, generator).values()))
        moments.append(snapshot(network))
    # What is held for some blocks may be the same for three: zeros that are taken from a state that begins as zeros.
    written = {slot for slot, value in read_slots(network).items() if _is_written(held.get(slot), value)}
    before, settled, later = moments[0], moments[2], moments[3]
    states: dict[Slot, Tensor] = {}
    counters: dict[Slot, int] = {}
    from_nothing: set[Slot] = set()
    for slot in {**settled, **later}:
        old, new, first = settled.get(slot), later.get(slot), before.get(slot)
        stays = is_same(old, new) and (is_same(first, old) or not _may_come_back(first, old))
        if stays and not (slot in written and _may_come_back(first, new)):
            continue
        _require_steady(network, slot, old, new)
        if isinstance(new, Tensor):
            fits = isinstance(first, Tensor) and first.shape == new.shape and first.dtype == new.dtype
            states[slot] = first if isinstance(first, Tensor) and fits else torch.zeros_like(new)
            from_nothing |= set() if fits else {slot}
        elif not is_same(old, new):
            counters[slot] = first if type(first) is int else 0
    return Memory(states, counters, frozenset(from_nothing))


def snapshot(network: nn.Module) -> dict[Slot, Any]:
    """What every place holds now, which later calls don't change."""
    return {
        slot: value.detach().clone() if isinstance(value, Tensor) else value
        for slot, value in read_slots(network).items()
    }


def _version(value: Any) -> int:
    return value._version if isinstance(value, Tensor) and not value.is_inference() else 0


def _is_written(held: tuple[Any, int] | None, value: Any) -> bool:
    """Whether a call put a tensor there or wrote into it, be it the same values: the next may write others."""
    if held is None or not isinstance(value, Tensor) or value.numel() == 0:  # nothing can be kept in no numbers
        return False
    return value is not held[0] or _version(value) != held[1]


def is_same(a: Any, b: Any) -> bool:
    """Whether two things that a place held are alike: numbers that are no number (NaN) too."""
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.shape == b.shape and a.dtype == b.dtype and torch.equal(a.nan_to_num(), b.nan_to_num())
    return type(a) is type(b) and not isinstance(a, Tensor) and a == b


def _may_come_back(first: Any, settled: Any) -> bool:
    """Whether what changed at first and then stayed may be state: a tensor of the same shape, moved once."""
    return isinstance(first, Tensor) and isinstance(settled, Tensor) and first.shape == settled.shape


def _require_steady(network: nn.Module, slot: Slot, old: Any, new: Any) -> None:
    name = f"{type(network).__name__} keeps {slot} between calls"
    if isinstance(old, Tensor) and isinstance(new, Tensor):
        if old.shape != new.shape:
            raise CaptureError(
                f"{name}, and its shape changes from {list(old.shape)} to {list(new.shape)} with every call. "
                "State must keep its size: keep the last samples that are needed, and no more."
            )
    elif isinstance(new, Tensor) or isinstance(old, Tensor) or type(new) is not type(old):
        raise CaptureError(
            f"{name}: {_kind(old)} after two calls, {_kind(new)} after three. State must keep its size: a list that "
            "grows, or a tensor that comes and goes, can't be written down."
        )
    elif type(new) is not int:
        raise CaptureError(
            f"{name}: {old!r} after two calls, {new!r} after three. Only tensors and whole numbers can be kept: make "
            "it a tensor, and calculate with it as one."
        )


def _kind(value: Any) -> str:
    return f"a tensor of shape {list(value.shape)}" if isinstance(value, Tensor) else repr(value)
