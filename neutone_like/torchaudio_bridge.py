"""One import path for torchaudio that works beside any torch.

    from neutone_like.torchaudio_bridge import torchaudio

torchaudio's wheels carry native libraries built for one kind of torch. Beside another kind (a CUDA build's wheel on a
CPU-only torch is the usual mix) ``import torchaudio`` raises OSError, although its models, transforms and nearly all
functions are plain Python. Then this module imports it again with those libraries out of sight; torchaudio knows that
case by itself ("library file not found") and takes its Python fall-backs.

What follows from that:

- ``native_extension`` is False, and :func:`describe` says what is missing.
- The module in ``sys.modules`` is torchaudio itself, unchanged, so that any later ``import torchaudio`` in the same
  process, by whatever code, gets this one instead of raising. A process that never imports this module sees what it
  always saw.
- Any other error of the import is passed on, and leaves no half-imported module behind.
"""

import importlib
import importlib.machinery
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, cast

from neutone_like.extras import import_extra

if TYPE_CHECKING:
    import torchaudio as torchaudio

EXTENSION = "torchaudio._extension"
LOADER_MODULE = "torchaudio._extension.utils"
BINDINGS = "torchaudio.lib._torchaudio"  # asked for by name up to torchaudio 2.8
NOWHERE = Path(__file__).resolve().parent / "no-such-folder"


class _WithoutLibraries(importlib.machinery.SourceFileLoader):
    """Loads torchaudio's library loader, and points it to a folder that holds none."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        setattr(module, "_LIB_DIR", NOWHERE)  # noqa: B010 - a module has no such attribute as far as types go


class _LibraryHider:
    """Finds that one module, and leaves every other to Python."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != LOADER_MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _WithoutLibraries(spec.loader.name, spec.loader.path)
        return spec


@contextmanager
def _all_or_nothing() -> Iterator[None]:
    """An import that fails leaves none of torchaudio behind, not even what an earlier attempt left.

    Python forgets the package that failed and keeps those of its submodules that did not.
    """
    try:
        yield
    except BaseException:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
            del sys.modules[name]
        raise


@contextmanager
def _libraries_hidden() -> Iterator[None]:
    """Imports inside find torchaudio without native libraries; what is changed for that is as before afterwards."""
    finder = _LibraryHider()
    sys.meta_path.insert(0, finder)
    sys.modules[BINDINGS] = cast(ModuleType, None)  # Python's way to say "not importable"
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        del sys.modules[BINDINGS]


def _comes_from_the_extension(error: OSError) -> bool:
    """Whether it was raised while torchaudio loaded its own libraries."""
    trace = error.__traceback__
    while trace is not None:
        if str(trace.tb_frame.f_globals.get("__name__")).startswith(EXTENSION):
            return True
        trace = trace.tb_next
    return False


def _import_plain() -> ModuleType:
    with _all_or_nothing():
        return import_extra("torchaudio", extra="torchaudio", purpose="torchaudio_bridge")


def _import_without_libraries() -> ModuleType:
    with _all_or_nothing(), _libraries_hidden():
        module = importlib.import_module("torchaudio")
        loader = sys.modules[LOADER_MODULE]
        setattr(loader, "_LIB_DIR", Path(cast(str, loader.__file__)).parents[1] / "lib")  # noqa: B010
        return module


def import_torchaudio() -> tuple[ModuleType, str]:
    """Import torchaudio, without its native libraries if they do not load.

    Returns:
        The module, and why its libraries were not loaded (empty when nothing went wrong).

    Raises:
        MissingExtraError: torchaudio is not installed.
    """
    try:
        return _import_plain(), ""
    except OSError as error:
        if not _comes_from_the_extension(error):
            raise
        cause = str(error.__cause__ or error)
    return _import_without_libraries(), cause


def _has_native_extension(module: ModuleType) -> bool:
    return bool(getattr(getattr(module, "_extension", None), "_IS_TORCHAUDIO_EXT_AVAILABLE", False))


_module, _cause = import_torchaudio()
if not TYPE_CHECKING:
    torchaudio = _module

native_extension: bool = _has_native_extension(_module)
"""Whether torchaudio's native libraries are loaded."""


def describe() -> str:
    """One line for a person: which torchaudio, and what it can't do here and why."""
    version = getattr(_module, "__version__", "of unknown version")
    if native_extension:
        return f"torchaudio {version}, complete"
    why = f" ({_cause})" if _cause else ""
    return (
        f"torchaudio {version} without its native libraries, which don't fit this torch{why}. Models, transforms and "
        "resampling work. lfilter and overdrive take their slow Python loops; forced_align, rnnt_loss and the CTC "
        "decoder for CUDA don't work. For those, install the torchaudio that was built for your torch."
    )
