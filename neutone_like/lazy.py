"""Packages whose names are imported when somebody asks for them, so that ``neutone-like --help`` loads no torch."""

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any


def export_lazily(namespace: dict[str, Any], modules: Mapping[str, tuple[str, ...]]) -> None:
    """Give a package ``__getattr__`` (PEP 562), ``__dir__`` and ``__all__``.

    They are put into the package's namespace here, and not written there, because type checkers take a ``__getattr__``
    they can see as a promise that every name exists. What they read are the re-exports under ``TYPE_CHECKING``.

    Args:
        namespace: The package's ``globals()``.
        modules: Which names come from which module.
    """
    package: str = namespace["__name__"]
    sources = {name: module for module, names in modules.items() for name in names}

    def get(name: str) -> Any:
        if name in sources:
            found = getattr(import_module(sources[name]), name)
        elif not name.startswith("_") and find_spec(f"{package}.{name}") is not None:
            return import_module(f"{package}.{name}")
        else:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package])
        namespace[name] = found  # the next time Python finds it by itself
        return found

    namespace["__getattr__"] = get
    namespace["__dir__"] = lambda: sorted({*namespace, *sources})
    namespace["__all__"] = sorted(name for name in sources if not name.startswith("_"))
