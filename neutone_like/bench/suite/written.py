"""A table of texts, for the page and for the documentation."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Written:
    """A table, with what stands above it."""

    title: str
    words: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
