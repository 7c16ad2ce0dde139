"""Where a network keeps what it remembers: attributes, buffers, and lists, tuples, dictionaries and objects in them."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

_OF_TORCH = frozenset(vars(nn.Module())) | {"_flat_weights", "_flat_weights_names", "_flat_weight_refs"}
_DEEPEST = 6


@dataclass(frozen=True)
class Slot:
    """One place: the attribute of a submodule, and the way into what it holds.

    Attributes:
        module_name: As in ``named_modules``.
        attribute: Of that module.
        path: Indices, keys and attributes inside.
    """

    module_name: str
    attribute: str
    path: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return ".".join([*filter(None, (self.module_name, self.attribute)), *map(str, self.path)])


def read_slots(network: nn.Module) -> dict[Slot, Any]:
    """Every place that may be state, with what is there now: tensors, numbers, texts, None."""
    found: dict[Slot, Any] = {}
    used = _used_by_scripts(network)
    for module_name, module in network.named_modules():
        for attribute, value in _attributes(module, used):
            for path, leaf in _leaves(value, (), set()):
                found[Slot(module_name, attribute, path)] = leaf
    return found


def unseen_places(network: nn.Module) -> list[str]:
    """Where state may be that :func:`read_slots` does not see: modules that PyTorch doesn't know of, and closures."""
    found: list[str] = []
    known = {id(module) for module in network.modules()}
    for module_name, module in network.named_modules():
        for attribute, value in vars(module).items():
            if attribute not in _OF_TORCH:
                places = _unseen(value, (), known, set())
                found += [f"{Slot(module_name, attribute, path)} ({type(each).__name__})" for path, each in places]
    return found


def _unseen(
    value: Any, path: tuple[Any, ...], known: set[int], above: set[int]
) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if getattr(value, "__closure__", None) or (isinstance(value, nn.Module) and id(value) not in known):
        yield path, value
    elif len(path) < _DEEPEST and not isinstance(value, (Tensor, nn.Module, type)) and id(value) not in above:
        for key, inside in _children(value):
            yield from _unseen(inside, (*path, key), known, above | {id(value)})


def write_slot(network: nn.Module, slot: Slot, value: Any) -> None:
    """Put ``value`` there. Tuples on the way are made anew, all else keeps its identity."""
    module = network
    for name in filter(None, slot.module_name.split(".")):
        module = getattr(module, name)  # not get_submodule, which scripted modules lack
    setattr(module, slot.attribute, _replaced(getattr(module, slot.attribute, None), slot.path, value))


def _attributes(module: Any, used: Mapping[str, set[str]]) -> Iterator[tuple[str, Any]]:
    if isinstance(module, torch.jit.ScriptModule):
        for name in sorted(used.get(_type_name(module), set()) - _OF_TORCH):
            yield name, getattr(module, name)
        return
    yield from module._buffers.items()
    for name, value in vars(module).items():
        if name not in _OF_TORCH:
            yield name, value


def _used_by_scripts(network: nn.Module) -> dict[str, set[str]]:
    """For each type of scripted module the attributes that compiled code reads or writes.

    TorchScript lists attributes only by printing their values, which takes seconds for a large buffer.
    """
    used: dict[str, set[str]] = {}
    for module in network.modules():
        if isinstance(module, torch.jit.ScriptModule):
            own: Any = module._c
            for method in own._method_names():
                graph = own._get_method(method).graph
                for node in (*graph.findAllNodes("prim::GetAttr"), *graph.findAllNodes("prim::SetAttr")):
                    owner = next(node.inputs()).type()
                    if owner.kind() == "ClassType":
                        used.setdefault(owner.qualified_name(), set()).add(node.s("name"))
    return used


def _type_name(module: Any) -> str:
    return module._c._type().qualified_name()


def _leaves(value: Any, path: tuple[Any, ...], above: set[int]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if value is None or isinstance(value, (Tensor, bool, int, float, str)):
        yield path, value
    elif len(path) < _DEEPEST and not isinstance(value, (nn.Module, type)) and id(value) not in above:
        for key, inside in _children(value):
            yield from _leaves(inside, (*path, key), above | {id(value)})


def _children(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, (list, tuple, deque)):
        return list(enumerate(value))
    if isinstance(value, dict):
        return list(value.items())
    own = dict(vars(value)) if hasattr(value, "__dict__") else {}
    for kind in type(value).__mro__:  # of a class that lists its attributes
        declared = vars(kind).get("__slots__", ())
        for name in (declared,) if isinstance(declared, str) else declared:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                own[name] = getattr(value, name)
    return list(own.items())


def _replaced(value: Any, path: tuple[Any, ...], leaf: Any) -> Any:
    if not path:
        return leaf
    key = path[0]
    if isinstance(value, tuple):
        held: tuple[Any, ...] = value
        items = [_replaced(each, path[1:], leaf) if index == key else each for index, each in enumerate(held)]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, (list, dict, deque)):
        value[key] = _replaced(value[key], path[1:], leaf)
    else:
        object.__setattr__(value, key, _replaced(getattr(value, key), path[1:], leaf))
    return value
