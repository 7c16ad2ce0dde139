"""Exchange two folders in one step, where the system can: no moment without either of them."""

import ctypes
import os
import sys
from pathlib import Path

_AT_FDCWD_LINUX = -100
_RENAME_EXCHANGE_LINUX = 2  # renameat2(2)
_RENAME_SWAP_MACOS = 2  # renamex_np(2)


def exchange_folders(first: Path, second: Path) -> bool:
    """Swap what two paths of one file system name.

    Returns:
        False where the system or the file system has no such step; then nothing has changed.
    """
    names = os.fsencode(first), os.fsencode(second)
    if sys.platform == "linux":
        rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
        if rename is None:
            return False
        result: int = rename(_AT_FDCWD_LINUX, names[0], _AT_FDCWD_LINUX, names[1], _RENAME_EXCHANGE_LINUX)
    elif sys.platform == "darwin":
        rename = getattr(ctypes.CDLL(None, use_errno=True), "renamex_np", None)
        if rename is None:
            return False
        result = rename(names[0], names[1], _RENAME_SWAP_MACOS)
    else:
        return False
    return result == 0
