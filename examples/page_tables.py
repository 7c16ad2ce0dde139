"""The place in a page where a script's tables stand: between two comments of its own."""

from pathlib import Path

from neutone_like.whole_file import write_whole


def replace_tables(page: Path, name: str, tables: str) -> None:
    """Put tables between ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->`` of a page, for what stands there.

    Raises:
        ValueError: The page has no such comments.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found_begin, rest = page.read_text(encoding="utf-8").partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise ValueError(f"{page}: expected a line {begin!r} and after it one {end!r}, for the tables between them.")
    write_whole(page, f"{before}{begin}\n\n{tables}\n\n{end}{after}".encode())
