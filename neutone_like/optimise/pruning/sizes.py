"""Whole numbers that a module keeps beside its layers, such as ``self.channels``, follow what was cut."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from torch import nn

_MOST_NAMES = 12
_MOST_TOGETHER = 3
Sizes = Mapping[str, Mapping[int, int]]
"""By module: what each size becomes."""


def candidates(network: nn.Module, sizes: Sizes) -> list[str]:
    """The names of attributes, of modules that are not torch's, that hold a size which is another now."""
    found: dict[str, None] = {}
    for module_name, module in _own_modules(network):
        known = sizes.get(module_name, {})
        for name, value in vars(module).items():
            if not name.startswith("_") and known and _changed(value, known) != value:
                found[name] = None
    return list(found)[:_MOST_NAMES]


def choices(names: list[str]) -> Iterator[tuple[str, ...]]:
    """Which attributes to change: as few as will do."""
    for count in range(min(len(names), _MOST_TOGETHER) + 1):
        yield from combinations(names, count)
    if len(names) > _MOST_TOGETHER:
        yield tuple(names)


def change(network: nn.Module, names: tuple[str, ...], sizes: Sizes) -> None:
    """Set the attributes of these names to the new sizes, in place."""
    for module_name, module in _own_modules(network):
        known = sizes.get(module_name, {})
        for name in names:
            value: Any = vars(module).get(name)
            if value is not None and known:
                setattr(module, name, _changed(value, known))


def _own_modules(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, module in network.named_modules():
        if not type(module).__module__.startswith("torch."):
            yield name, module


def _changed(value: Any, known: Mapping[int, int]) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return known.get(value, value)
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(_changed(each, known) for each in value)
    if type(value) is dict:
        return {key: _changed(each, known) for key, each in value.items()}
    return value
