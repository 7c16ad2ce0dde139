"""A folder for what is not finished, gone after its block."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neutone_like.uninterrupted import afterwards, uninterrupted


@contextmanager
def scratch_folder(inside: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """An empty folder for a block, which is removed whatever ends it and whenever.

    Args:
        inside: Where it is, with a name that lists leave out; None for the system's place for such folders.

    Raises:
        OSError: It can't be made.
    """
    made: list[Path] = []

    def make() -> None:
        made.append(Path(tempfile.mkdtemp(prefix="neutone-like-" if inside is None else ".neutone-like-", dir=inside)))

    def remove() -> None:
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)

    with afterwards(remove):
        uninterrupted(make)
        yield made[0]
