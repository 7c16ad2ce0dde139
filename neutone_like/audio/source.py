"""The bytes of an open file, and views of them that a decoder takes for a file."""

import io
from pathlib import Path
from typing import BinaryIO


class Source:
    """The bytes of an open file, counted from 0, where a tag before the audio has been passed.

    Args:
        path: For messages.
        file: Open for reading, unbuffered or not.
        size: Of the file in bytes.
        first: Where the audio's container begins.
    """

    def __init__(self, path: Path, file: BinaryIO, size: int, first: int = 0) -> None:
        self.path = path
        self.size = size - first
        self._file = file
        self._first = first

    def after(self, skipped: int) -> "Source":
        """The same without its first bytes."""
        return Source(self.path, self._file, self._first + self.size, self._first + skipped)

    def at(self, offset: int, count: int) -> bytes:
        """Up to ``count`` bytes from ``offset`` on; fewer at the end."""
        if not 0 <= offset < self.size:
            return b""
        self._file.seek(self._first + offset)
        return self._file.read(min(count, self.size - offset))

    def view(self, prefix: bytes = b"", start: int = 0, stop: int | None = None) -> "View":
        """``prefix`` and, after it, the bytes from ``start`` up to ``stop``."""
        end = self.size if stop is None else min(stop, self.size)
        return View(self._file, prefix, self._first + start, self._first + end)


class View(io.RawIOBase):
    """Bytes in memory, and after them a part of a file, as one file.

    Attributes:
        failure: What the disk answered instead of bytes. A decoder that calls from C can't be told otherwise.
    """

    def __init__(self, file: BinaryIO, prefix: bytes, start: int, stop: int) -> None:
        self.failure: OSError | None = None
        self._file = file
        self._prefix = prefix
        self._shift = start - len(prefix)
        self._size = stop - self._shift
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        target = memoryview(buffer).cast("B")
        taken = 0
        try:
            while taken < len(target) and (count := self._read_some(target[taken:])) > 0:
                taken += count
        except OSError as error:
            self.failure = error
        return taken

    def _read_some(self, target: memoryview) -> int:
        start, count = self._position, min(len(target), self._size - self._position)
        if count <= 0:
            return 0
        if start < len(self._prefix):
            part = self._prefix[start : start + count]
            target[: len(part)] = part
            count = len(part)
        else:
            self._file.seek(start + self._shift)
            count = self._file.readinto(target[:count]) or 0  # type: ignore[attr-defined]
        self._position += count
        return count
