"""Which file is rendered to where, decided before any work is done."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any

from neutone_like.arguments import is_iterable
from neutone_like.audio.writer import write_endings, write_endings_in_words
from neutone_like.render.batch.listing import FoundFiles, files_of, find_files, read_list
from neutone_like.render.batch.locations import PlanError, exists, is_url, join, location_of, split_chain, suffix_of

_SHOWN = 5  # examples in a message

Source = str | PathLike[str] | Sequence[str | PathLike[str]]


@dataclass(frozen=True)
class Item:
    """One file to render.

    Attributes:
        input, output: Locations: absolute paths, or URLs.
    """

    input: str
    output: str


@dataclass(frozen=True)
class Plan:
    """All files of a job.

    Attributes:
        items: In the order of their inputs' names; every output once.
        folder: The location that the outputs are in; None where the output is a single file.
        ignored: Files in the folder that are no audio.
    """

    items: tuple[Item, ...]
    folder: str | None
    ignored: int


def plan_files(
    source: Source,
    output: str | PathLike[str],
    *,
    listed: bool = False,
    root: str | PathLike[str] | None = None,
    ending: str | None = None,
) -> Plan:
    """Give every input its output, in the same tree.

    Args:
        source: A file, a folder, a glob, or a sequence of files; paths or URLs.
        output: The folder to write into; for a single file, also the file to write.
        listed: ``source`` is a text file that names one input a line.
        root: Where the tree begins that ``output`` repeats. By default the folder, the part of a glob before its first
            wildcard, or the folder that the files of a list have in common.
        ending: Of the outputs, such as ``".flac"``; by default the input's.

    Raises:
        PlanError: No input, or an ending that can't be written.
    """
    target = location_of(output)
    if ending is not None and not isinstance(ending, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise PlanError(f"Expected the ending of the outputs, such as '.flac', got {ending!r:.200}.")
    suffix = None if ending is None else _writable(ending if ending.startswith(".") else f".{ending}")
    if not isinstance(source, (str, PathLike)):
        if not is_iterable(source):
            raise PlanError(f"Expected the name of a file or folder, or a list of them, got {source!r:.200}.")
        found = files_of(list(source))
    elif listed:
        found = files_of(read_list(location_of(source)))
    else:
        place = location_of(source)
        if _is_file_to_file(place, output, target):
            return Plan((_single(place, target, suffix),), None, 0)
        _require_other_folder(place, target)
        found = find_files(place, without=target)
    base = found.root if root is None else location_of(root)
    items = tuple(Item(file, join(target, _renamed(_relative(file, base), suffix))) for file in found.files)
    _require_folder(target)
    _require_writable_endings(items, found)
    return Plan(items, target, found.ignored)


def _is_file_to_file(source: str, output: Any, target: str) -> bool:
    """Whether one file is to become the very file that ``output`` names."""
    named = os.fspath(output)
    if named.endswith(("/", os.sep)) or suffix_of(target).lower() not in write_endings():
        return False
    return exists(source, folder=False) and not exists(target, folder=True)


def _single(source: str, target: str, suffix: str | None) -> Item:
    if suffix is not None and suffix_of(target).lower() != suffix:
        raise PlanError(f"The format {suffix} contradicts the output's ending, got {target}. Give one of the two.")
    return Item(source, target)


def _require_other_folder(source: str, target: str) -> None:
    if source == target or (not is_url(source) and os.path.realpath(source) == os.path.realpath(target)):
        raise PlanError(f"Input and output must be different folders, got {source} for both.")


def _require_folder(target: str) -> None:
    if exists(target, folder=False):
        raise PlanError(f"Expected a folder to write into, got {target}, which is a file.")


def _relative(file: str, root: str) -> str:
    """A file's place in the tree, with ``/`` between its parts."""
    if is_url(file) != is_url(root):
        raise PlanError(f"{file} does not lie in the root {root}: one of them is a URL.")
    if not is_url(file):
        if Path(root) not in Path(file).parents:
            raise PlanError(f"{file} does not lie in the root {root}. Give a root that all inputs lie in.")
        return Path(file).relative_to(root).as_posix()
    inner, prefix = split_chain(file)[0], f"{split_chain(root)[0].rstrip('/')}/"
    prefix = f"{prefix}/" if prefix.endswith(":/") else prefix
    if not inner.startswith(prefix):
        raise PlanError(f"{file} does not lie in the root {root}. Give a root that all inputs lie in.")
    return inner.removeprefix(prefix)


def _renamed(relative: str, suffix: str | None) -> str:
    return relative if suffix is None else str(PurePosixPath(relative).with_suffix(suffix))


def _writable(suffix: str) -> str:
    if suffix.lower() not in write_endings():
        raise PlanError(f"The format must be one of {write_endings_in_words()}, got {suffix!r}.")
    return suffix.lower()


def _require_writable_endings(items: Sequence[Item], found: FoundFiles) -> None:
    endings = write_endings()
    wrong = [item.input for item in items if suffix_of(item.output).lower() not in endings]
    if wrong:
        raise PlanError(
            f"{len(wrong)} of {len(items)} files have an ending that can be read but not written: {_some(wrong)}. "
            f"Choose the format of the outputs: one of {write_endings_in_words()}."
        )


def require_no_collision(files: Sequence[tuple[str, str]]) -> None:
    """Check that every output, given after its input, is the only one of its name, and no input.

    Raises:
        PlanError: Names some of those that are not.
    """
    by_output: dict[str, str] = {}
    clashes: list[str] = []
    for source, output in files:
        place = _identity(output)
        if place in by_output:
            clashes.append(f"{by_output[place]} and {source} -> {output}")
        by_output[place] = source
    if clashes:
        raise PlanError(
            f"Two inputs may not become the same output: {_some(clashes, '; ')}. "
            "Render them to different folders, keep their endings, or rename one."
        )
    inputs = {_identity(source) for source, _ in files}
    overwritten = [output for _, output in files if _identity(output) in inputs]
    if overwritten:
        raise PlanError(
            f"An output may not be one of the inputs: {_some(overwritten)}. Choose another folder for the outputs."
        )


def _identity(location: str) -> str:
    """The same for two names of one file."""
    return location if is_url(location) else os.path.normcase(os.path.realpath(location))


def _some(texts: Sequence[str], between: str = ", ") -> str:
    more = f"{between}and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return between.join(texts[:_SHOWN]) + more
