"""Open a file that may be anything: no waiting on a pipe, and no reading more at once than was agreed."""

import io
import os
import stat
from pathlib import Path

from neutone_like.errors import ArtifactError

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class BoundedFile(io.BufferedReader):
    """A file opened for reading, one read of which is no longer than ``longest_read``.

    A zip file's own headers say how much there is to read of them; a hostile one says gigabytes.
    """

    def __init__(self, path: Path, longest_read: int) -> None:
        super().__init__(io.FileIO(path))
        self.file_bytes = os.fstat(self.fileno()).st_size
        self.longest_read = longest_read

    def read(self, size: int | None = -1, /) -> bytes:
        """As of any file.

        Raises:
            ValueError: Longer than agreed.
        """
        left = max(0, self.file_bytes - self.tell())
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > self.longest_read:
            raise ValueError(f"a part of {wanted} bytes where {self.longest_read} are allowed")
        return super().read(wanted)


def open_bounded(path: Path, longest_read: int) -> BoundedFile:
    """Open a plain file.

    Raises:
        ArtifactError: It is a folder, a pipe, a device or the like.
        OSError: Missing, or not to be read.
    """
    mode = path.stat().st_mode  # first: to open a pipe waits for a writer, and to open a device may do anything
    if not stat.S_ISREG(mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "something else")
        raise ArtifactError(f"{path} is {kind}. Give a .nm file, or the folder that one is in.")
    return BoundedFile(path, longest_read)
