"""C++ names as they were written, by the C++ library that is here anyway: torch brought it."""

import ctypes
from functools import lru_cache

DONE = 0


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL("libstdc++.so.6")
    except OSError:
        return None


def demangled(name: str) -> str:
    """``std::thread::join()`` for ``_ZNSt6thread4joinEv``; any other name as it is."""
    library = _library()
    if library is None or not name.startswith("_Z"):
        return name
    status = ctypes.c_int(-1)
    demangle = library["__cxa_demangle"]
    demangle.restype = ctypes.c_void_p
    text = demangle(name.encode(), None, None, ctypes.byref(status))
    if status.value != DONE or text is None:
        return name
    found = ctypes.string_at(text).decode()
    free = ctypes.CDLL(None)["free"]
    free.argtypes, free.restype = (ctypes.c_void_p,), None
    free(text)
    return found
