"""Optional dependencies: imported where they are used, with the line that installs a missing one."""

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

from neutone_like.errors import MissingExtraError


def import_extra(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import ``module``, or say which extra brings it.

    Raises:
        MissingExtraError: ``module`` is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise _missing(module, extra, purpose) from error


def find_extra(module: str, *, extra: str, purpose: str) -> Path:
    """The folder of an installed package, which is not imported.

    Raises:
        MissingExtraError: ``module`` is not installed.
    """
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise _missing(module, extra, purpose)
    return Path(next(iter(spec.submodule_search_locations)))


def _missing(module: str, extra: str, purpose: str) -> MissingExtraError:
    return MissingExtraError(
        f"{purpose} needs the package {module!r}, which is not installed. "
        f'Install it with: pip install "neutone-like[{extra}]"'
    )
