"""What became of a file: a line of the manifest, and what a worker reports."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from neutone_like.printing import InNotebooks, Printed, Row

Status = Literal["done", "skipped", "failed"]


@dataclass(frozen=True)
class WrittenFile(InNotebooks):
    """A file that was written.

    Attributes:
        location: An absolute path, or a URL.
        sha256: Of its content.
        byte_count: Its size.
    """

    location: str
    sha256: str
    byte_count: int


@dataclass(frozen=True, repr=False)
class FileRecord(Printed):
    """What became of one input.

    Attributes:
        input, output: Absolute paths, or URLs.
        status: ``"done"``, ``"skipped"`` (an earlier run had done it), or ``"failed"``.
        key: SHA-256 of all that decides what the output holds; None where the input could not be read.
        input_sha256: Of the input's content.
        written: The files that were written: more than one for a model with several outputs.
        seconds: How long it took, reading and writing included.
        worker: The process that did it, as ``host:process``.
        audio: What :class:`neutone_like.RenderResult` says, without the paths.
        error: Why it failed.
        error_kind: The name of that error's class.
        disk_full: Whether it failed because the disk was full.
    """

    input: str
    output: str
    status: Status
    key: str | None = None
    input_sha256: str | None = None
    written: tuple[WrittenFile, ...] = ()
    seconds: float = 0.0
    worker: str = ""
    audio: dict[str, Any] | None = None
    error: str | None = None
    error_kind: str | None = None
    disk_full: bool = False

    def _title(self) -> str:
        return f"FileRecord: {self.status}, {self.input}"

    def _rows(self) -> list[Row]:
        written = (("written", f"{each.location}, {each.byte_count} bytes") for each in self.written)
        return [("error", self.error)] if self.error else [*written]

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON types, without those that say nothing."""
        return {name: value for name, value in asdict(self).items() if value not in (None, (), False)}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "FileRecord":
        """What :meth:`to_dict` gave.

        Raises:
            TypeError, KeyError: The fields are others.
        """
        record = cls(**fields)
        return replace(record, written=tuple(WrittenFile(**each) for each in fields.get("written", ())))

    def skipped(self) -> "FileRecord":
        """The same, found finished by a later run."""
        return replace(self, status="skipped")
