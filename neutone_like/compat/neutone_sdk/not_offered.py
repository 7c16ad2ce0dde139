"""What the Neutone SDK has and this package has not: said by name, instead of a bare ImportError."""

import sys
from types import ModuleType
from typing import NoReturn

from neutone_like.errors import NeutoneLikeError

INSTEAD = {
    "benchmark": "Measure an exported artifact with the command line's neutone-like bench.",
    "metadata": "An export checks its own metadata; neutone_like.artifact.read_metadata reads an artifact's.",
    "gcn_1d": "Its networks work inside a wrapper as any torch.nn.Module does: keep importing it from neutone_sdk.",
    "sandwich": "Rates and channels are converted outside the wrapper: return the rates from get_native_sample_rates.",
    "IIRSVF": "Use neutone_like.streaming.StateVariableFilter, which takes a cutoff and a resonance for each sample.",
    "KnobNeutoneParameter": "It is ContinuousNeutoneParameter since version 1.5.",
    "PaddingCached": "Use Conv1dGeneral, or a layer of neutone_like.streaming, which keep their own past.",
}
MODULES = ("benchmark", "gcn_1d", "metadata", "sandwich")


class NotOfferedError(NeutoneLikeError, ImportError):
    """A name of the Neutone SDK that this package does not offer; the message says what to use instead."""


def refuse(module: str, name: str) -> NoReturn:
    """Answer a module's ``__getattr__``.

    Raises:
        NotOfferedError: The Neutone SDK has this name, and it is not offered here.
        AttributeError: It has not.
    """
    if name in INSTEAD:
        raise NotOfferedError(f"{module} has no {name}. {INSTEAD[name]}")
    raise AttributeError(f"module {module!r} has no attribute {name!r}")


def register_modules(package: str) -> None:
    """Let the import lines of modules that are not offered say so too: whatever is taken from one is refused."""
    for name in MODULES:
        sys.modules.setdefault(f"{package}.{name}", _NotOfferedModule(f"{package}.{name}"))


class _NotOfferedModule(ModuleType):
    def __getattr__(self, name: str) -> NoReturn:
        package, _, own_name = self.__name__.rpartition(".")
        if not name.startswith("_"):  # what is private is asked for by Python's own tools, of every module
            refuse(package, own_name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
