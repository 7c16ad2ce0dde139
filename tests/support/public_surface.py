"""The public surface as text: names, signatures, defaults.

``python tests/support/public_surface.py`` writes it anew.
"""

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SNAPSHOT = Path(__file__).with_name("public_surface.txt")
PACKAGES = (
    "neutone_like",
    "neutone_like.artifact",
    "neutone_like.bench",
    "neutone_like.formats",
    "neutone_like.graph",
    "neutone_like.importers",
    "neutone_like.model",
    "neutone_like.plugin",
    "neutone_like.optimise",
    "neutone_like.optimise.diffusion",
    "neutone_like.realtime_safety",
    "neutone_like.render",
    "neutone_like.runtime",
    "neutone_like.runtime.live",
    "neutone_like.streaming",
    "neutone_like.validate",
)


def public_surface() -> str:
    """One line a name. Annotations are left out: how Python writes them depends on its version."""
    return "\n".join(line for package in PACKAGES for line in _of_package(package)) + "\n"


def _of_package(package: str) -> Iterator[str]:
    yield f"[{package}]"
    module = importlib.import_module(package)
    for name in sorted(vars(module)["__all__"]):
        value = getattr(module, name)
        if inspect.isclass(value):
            yield f"class {name}{_bases(value)}"
            yield from (f"    {line}" for line in _of_class(value))
        else:
            yield f"{name}{_signature(value)}" if callable(value) else name
    yield ""


def _bases(kind: type) -> str:
    named = [base.__name__ for base in kind.__mro__[1:] if base.__module__.startswith("neutone_like")]
    public = [name for name in named if name not in ("InNotebooks", "Printed", "Record", "FrozenRecord")]
    return f"({', '.join(public)})" if public else ""


def _of_class(kind: type) -> Iterator[str]:
    yield f"__init__{_signature(kind)}"
    for name, value in sorted(vars(kind).items()):
        if name.startswith("_") or name == "model_config":
            continue
        if isinstance(value, property) or hasattr(value, "attrname"):
            yield f"{name} (property)"
        elif callable(value) or isinstance(value, (classmethod, staticmethod)):
            yield f"{name}{_signature(getattr(kind, name))}"
        elif isinstance(value, (bool, int, float, str, tuple)):
            yield f"{name} = {value!r}"
        else:
            yield name


def _signature(value: Any) -> str:
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return "(...)"
    bare = [each.replace(annotation=inspect.Parameter.empty) for each in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))


if __name__ == "__main__":
    SNAPSHOT.write_text(public_surface(), encoding="utf-8")
