"""What the Neutone SDK has and this package has not: said by name, instead of a bare ImportError."""

import sys
from types import ModuleType
from typing import NoReturn

from neutone_like.errors import NeutoneLikeError

BUILDING_BLOCKS = frozenset(
    {
        "filters",
        "FIRFilter",
        "IIRFilter",
        "FilterType",
        "realtime_stft",
        "RealtimeSTFT",
        "cached_mel_spec",
        "CachedMelSpec",
        "conv",
        "Conv1dGeneral",
        "tcn_1d",
        "gcn_1d",
        "queues",
        "CircularInplaceTensorQueue",
        "sandwich",
    }
)

INSTEAD = {
    "benchmark": "Measure an exported artifact with the command line's neutone-like bench.",
    "metadata": "An export checks its own metadata; neutone_like.artifact.read_metadata reads an artifact's.",
}
MODULES = (
    "benchmark",
    "cached_mel_spec",
    "conv",
    "filters",
    "gcn_1d",
    "metadata",
    "queues",
    "realtime_stft",
    "sandwich",
    "tcn_1d",
)


class NotOfferedError(NeutoneLikeError, ImportError):
    """A name of the Neutone SDK that this package does not offer; the message says what to use instead."""


def refuse(module: str, name: str) -> NoReturn:
    """Answer a module's ``__getattr__``.

    Raises:
        NotOfferedError: The Neutone SDK has this name, and it is not offered here.
        AttributeError: It has not.
    """
    if name in BUILDING_BLOCKS:
        raise NotOfferedError(
            f"{module} offers what wraps and exports a model, not building blocks such as {name}. "
            "Keep importing it from neutone_sdk: its modules work inside a wrapper as any torch.nn.Module does."
        )
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
            refuse(package, name if name in BUILDING_BLOCKS else own_name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
