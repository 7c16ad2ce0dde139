"""Optional dependencies: imported where they are used, with the line that installs a missing one."""

import importlib
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
        raise MissingExtraError(
            f"{purpose} needs the package {module!r}, which is not installed. "
            f'Install it with: pip install "neutone-like[{extra}]"'
        ) from error
