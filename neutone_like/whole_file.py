"""Files that appear under their name when they are whole, or not at all."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from neutone_like.file_owner import OWNER_MARK, owner_mark

_LONGEST_STEM = 100  # bytes; the names of some encrypted disks end at 143
_TEMPORARY = re.compile(rf"\.(?P<stem>.+)\.(?P<mark>{OWNER_MARK})\.part", re.DOTALL)


@dataclass(frozen=True)
class Temporary:
    """What the name of a temporary file says: which file it will be, and who writes it."""

    stem: str
    owner_mark: str


@contextmanager
def appearing_whole(path: Path) -> Iterator[BinaryIO]:
    """A file under a temporary name beside ``path``, renamed at the end and removed when something fails.

    Raises:
        OSError: It can't be written; it names the file that was wanted.
    """
    path = path.resolve()  # a link stays a link
    temporary = path.with_name(f".{temporary_stem(path.name)}.{owner_mark()}.part")
    try:
        with temporary.open("xb+") as file:
            yield file
        os.replace(temporary, path)
    except OSError as error:
        if error.filename not in (temporary, str(temporary)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with suppress(FileNotFoundError, NotADirectoryError):
            temporary.unlink()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file at once.

    Raises:
        OSError: It can't be written.
    """
    with appearing_whole(path) as file:
        file.write(content)


def temporary_stem(name: str) -> str:
    """What the temporary files for ``name`` are called by: itself, unless it is so long that no name can be longer."""
    encoded = os.fsencode(name)
    return name if len(encoded) <= _LONGEST_STEM else hashlib.sha256(encoded).hexdigest()[:32]


def parts_of_temporary(name: str) -> Temporary | None:
    """What the name of a temporary file says; None for all other names."""
    match = _TEMPORARY.fullmatch(name)
    return None if match is None else Temporary(match["stem"], match["mark"])
