"""Which operators an artifact may use: those on a list, all of which only compute."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import torch

from neutone_like.errors import ArtifactError

ALLOWED_CLASSES = (
    "quantized.LinearPackedParamsBase",
    "quantized.Conv2dPackedParamsBase",
    "quantized.Conv3dPackedParamsBase",
    "quantized.EmbeddingPackedParamsBase",
    "rnn.CellParamsBase",
)
"""Classes of PyTorch's own in C++, which quantised layers keep their weights in."""
REFUSED_BUILTINS = {"print": "prim::Print", "fork": "prim::fork", "awaitable": "prim::awaitable"}
"""Functions that have a name of their own in TorchScript, and the operators behind them."""


@cache
def listed_operators() -> frozenset[str]:
    """What every artifact may use. The list is of PyTorch 2.13: what is newer is not on it."""
    return frozenset(Path(__file__).with_name("allowed_operators.txt").read_text(encoding="ascii").split())


@cache
def is_a_method(name: str) -> bool:
    """Whether this PyTorch takes ``x.set_`` for the operator of that name, such as ``aten::set_``, whatever ``x`` is.

    It does where an argument is called ``self``. What works on other threads and processes does not count: without the
    refused ways to start one there is nothing to call it on, and ``wait`` is a usual name for a method of one's own.
    """
    schemas = torch._C._jit_get_schemas_for_operator(name)  # pyright: ignore[reportPrivateUsage]
    types = (str(argument.type) for schema in schemas for argument in schema.arguments if argument.name == "self")
    return any(not kind.startswith(("Future", "Await", "RRef")) for kind in types)


def checked_operators(names: Iterable[str]) -> frozenset[str]:
    """The names that somebody allows beside the list.

    Raises:
        ArtifactError: One is no ``namespace::name``.
    """
    if isinstance(names, str):
        raise ArtifactError(f"allow_operators must be a list of names such as ['aten::save'], got {names!r}.")
    try:
        given = frozenset(names)
    except TypeError:
        raise ArtifactError(
            f"allow_operators must be a list of names such as ['aten::save'], got {names!r:.200}."
        ) from None
    for name in given:
        namespace, _, operator = name.partition("::") if isinstance(name, str) else ("", "", "")  # pyright: ignore[reportUnnecessaryIsInstance]
        if not (namespace.isidentifier() and operator):
            raise ArtifactError(f"allow_operators must hold names such as 'aten::save', got {name!r}.")
    return given
