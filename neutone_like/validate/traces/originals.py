"""From a traced network back to what was traced: its class, and the untraced network, where they still exist."""

import gc
import re
from collections.abc import Iterator
from typing import Any

from torch import nn
from torch._jit_internal import _qualified_name  # pyright: ignore[reportPrivateUsage]  # what a trace is named by
from torch.jit._trace import TracedModule

_MANGLED = re.compile(r"\.___torch_mangle_\d+")


def is_traced(module: nn.Module) -> bool:
    """Whether this is what ``torch.jit.trace`` returned, or a part of it."""
    return isinstance(module, TracedModule)


def traced_networks(model: nn.Module) -> dict[str, nn.Module]:
    """The traced networks inside a model by their dotted names: the outermost only."""
    found: dict[str, nn.Module] = {}
    for name, module in model.named_modules():
        if is_traced(module) and not any(name == outer or name.startswith(f"{outer}.") for outer in found):
            found[name] = module
    return found


def classes_of(traced: Any) -> list[type[nn.Module]]:
    """The classes that the traced module may be an instance of; usually one, none where it is gone."""
    name = _MANGLED.sub("", traced._c._type().qualified_name())
    return [each for each in _subclasses(nn.Module) if _is_written(each) and _name_of(each) == name]


def original_of(traced: nn.Module) -> nn.Module | None:
    """The untraced network, which shares its weights with the trace, if anybody still holds it."""
    wanted = _places(traced)
    if not wanted:
        return None
    classes = tuple(classes_of(traced))
    held = (each for each in gc.get_objects() if type(each) in classes)
    return next((each for each in held if _places(each) == wanted), None)


def _name_of(network_class: type[Any]) -> str | None:
    """What TorchScript calls it; None for a name that it refuses, as of a class that no ``class`` statement made."""
    try:
        return _qualified_name(network_class)
    except RuntimeError:
        return None


def _is_written(network_class: type[Any]) -> bool:
    """Whether somebody wrote this class; tracing makes others that go by the same name."""
    return "_jit_override_qualname" not in vars(network_class)


def _subclasses(base: type[Any]) -> Iterator[type[Any]]:
    seen: set[type[Any]] = set()
    waiting = [base]
    while waiting:
        for each in type.__subclasses__(waiting.pop()):
            if each not in seen:
                seen.add(each)
                waiting.append(each)
                yield each


def _places(network: nn.Module) -> dict[str, int]:
    """Where every weight lies in memory, by name; every buffer, where there are no weights."""
    named = list(network.named_parameters()) or list(network.named_buffers())
    return {name: tensor.data_ptr() for name, tensor in named if tensor.numel()}
