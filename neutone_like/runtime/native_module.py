"""The compiled engine, imported when it is first needed."""

from neutone_like.errors import RuntimeEngineError
from neutone_like.runtime.native_files import REINSTALL


def native_module():  # type checkers infer the module, which no annotation can name
    """``neutone_like.runtime._native``.

    Raises:
        RuntimeEngineError: It was not built, or does not fit this Python.
    """
    try:
        from neutone_like.runtime import _native
    except ImportError as error:
        raise RuntimeEngineError(
            f"The native engine is not there ({error}); all but neutone_like.runtime works without it. {REINSTALL}"
        ) from error
    return _native
