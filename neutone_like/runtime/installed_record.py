"""The list of an installation's files, by which ``pip uninstall`` knows what to remove."""

import os
from importlib.metadata import distributions
from pathlib import Path

from neutone_like.errors import RuntimeEngineError

DISTRIBUTION = "neutone-like"


def record_of(folder: Path) -> Path | None:
    """The RECORD of the installation that ``folder`` belongs to; None for a checkout, which nothing uninstalls."""
    for distribution in distributions(name=DISTRIBUTION):
        root = Path(str(distribution.locate_file(""))).resolve()
        paths = [root / file for file in distribution.files or ()]
        if any(path.is_relative_to(folder) for path in paths):
            return next((path for path in paths if path.name == "RECORD"), None)
    return None


def can_be_removed_later(folder: Path) -> bool:
    """Whether what is added to ``folder`` can also be listed, where a list is kept."""
    record = record_of(folder)
    return record is None or os.access(record, os.W_OK)


def add_to_record(path: Path) -> None:
    """List ``path``, so that uninstalling removes it. Nothing happens in a checkout, or where it is listed already.

    Raises:
        RuntimeEngineError: The list can't be written.
    """
    record = record_of(path.parent)
    if record is None:
        return
    line = f"{Path(os.path.relpath(path, record.parent.parent)).as_posix()},,"
    try:
        listed = record.read_text("utf-8")
        if any(known.split(",")[0] == line[:-2] for known in listed.splitlines()):
            return
        with record.open("a", encoding="utf-8", newline="") as file:
            file.write(("" if listed.endswith("\n") else "\n") + line + "\n")
    except OSError as error:
        raise RuntimeEngineError(f"{path.name} can't be added to {record}: {error}") from error
