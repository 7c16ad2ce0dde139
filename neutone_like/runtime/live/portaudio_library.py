"""Where PortAudio's library is: named by the user, in the package ``sounddevice``, or the system's."""

import os
import sys
import threading
from importlib.util import find_spec
from pathlib import Path

from neutone_like.arguments import as_path
from neutone_like.errors import RuntimeEngineError

# PortAudio keeps its open streams in a list without a lock: they are opened, started and closed one after the other.
ONE_AT_A_TIME = threading.Lock()
_SYSTEM_NAMES = {"darwin": "libportaudio.2.dylib", "win32": "portaudio.dll"}
_IN_SOUNDDEVICE = {"darwin": "libportaudio.dylib"}  # its wheels for Linux bring none


def find_portaudio(path: str | os.PathLike[str] | None = None) -> str:
    """What the system's loader opens: a path, or a name that it knows where to look for.

    ``sounddevice`` itself is never imported: what it does when Python ends stops the process where a sound server has
    died meanwhile.

    Args:
        path: The user's own choice.

    Raises:
        RuntimeEngineError: ``path`` is no file.
    """
    if path is not None:
        path = as_path(path, "PortAudio's shared library", RuntimeEngineError)
        if not path.is_file():
            raise RuntimeEngineError(f"portaudio: expected the file of PortAudio's shared library, got {str(path)!r}.")
        return str(path.resolve())
    return _bundled() or _SYSTEM_NAMES.get(sys.platform, "libportaudio.so.2")


def _bundled() -> str | None:
    """The library in the wheels of ``sounddevice``, found without importing anything of them."""
    spec = find_spec("_sounddevice_data") if sys.platform in _IN_SOUNDDEVICE else None
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        library = Path(folder, "portaudio-binaries", _IN_SOUNDDEVICE[sys.platform])
        if library.is_file():
            return str(library)
    return None
