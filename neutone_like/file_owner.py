"""Whose a temporary file is: its name says which process of which machine writes it, so that nobody takes it away while
that one lives, and anybody may when it is dead.
"""

import os
import re
import secrets
import socket
import sys
import time
import zlib
from pathlib import Path

# Machine, process, when that began, and a number for each file; of an earlier release, that number alone.
OWNER_MARK = r"(?:[0-9a-f]{8}-\d+-[0-9a-f]{8}-)?[0-9a-f]{8}"

_PARTS = re.compile(r"(?P<machine>[0-9a-f]{8})-(?P<process>\d+)-(?P<born>[0-9a-f]{8})-[0-9a-f]{8}")
_DAY_SECONDS = 86_400.0
_GONE = ("", "X", "Z")  # the states of a process that is dead, also while nobody has asked how it ended


def owner_mark() -> str:
    """This process, and a number of its own for each file."""
    return f"{_machine()}-{os.getpid()}-{_born(os.getpid())}-{secrets.token_hex(4)}"


def is_abandoned(mark: str, file: Path) -> bool:
    """Whether the process that writes ``file`` is dead.

    One of another machine, which can't be asked, counts as dead when it has written nothing for a day.
    """
    parts = _PARTS.fullmatch(mark)
    if parts is None:
        return True
    if parts["machine"] == _machine() and sys.platform != "win32":
        return not _lives(int(parts["process"]), parts["born"])
    try:
        return time.time() - file.stat().st_mtime > _DAY_SECONDS
    except OSError:  # gone meanwhile
        return False


def _machine() -> str:
    """One machine, or one container: where a process's number means something."""
    return _digest(socket.gethostname(), _text("/etc/machine-id"), _link("/proc/self/ns/pid"))


def _lives(process: int, born: str) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        pass
    return _born(process) == born


def _born(process: int) -> str:
    """When a process began, since numbers are used again; the same for all where the system does not tell."""
    if not os.path.isdir("/proc/self"):
        return _digest()
    fields = _text(f"/proc/{process}/stat").rpartition(")")[2].split()  # its name may hold anything
    state, start = (fields[0], fields[19]) if len(fields) > 19 else ("", "")
    return _digest(_text("/proc/sys/kernel/random/boot_id"), start, "dead" if state in _GONE else "")


def _digest(*texts: str) -> str:
    return f"{zlib.crc32(chr(0).join(texts).encode()):08x}"


def _text(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace").strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
