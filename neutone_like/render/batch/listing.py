"""Which audio files a folder, a glob or a list names."""

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from neutone_like.audio.decoders import pedalboard_io
from neutone_like.render.batch.locations import (
    PlanError,
    StoreError,
    exists,
    is_url,
    join,
    location_of,
    open_store,
    parent_of,
    read_bytes,
    suffix_of,
)

_MAGIC = frozenset("*?[")
# libsndfile reads these beside what pedalboard says it reads.
_MORE_ENDINGS = frozenset((".aifc", ".au", ".bw64", ".caf", ".oga", ".opus", ".rf64", ".snd", ".w64", ".wave"))


@dataclass(frozen=True)
class FoundFiles:
    """Audio files, and the folder that their tree begins at.

    Attributes:
        root: A location.
        files: Locations.
        ignored: How many files had an ending that is not one of audio.
    """

    root: str
    files: tuple[str, ...]
    ignored: int = 0


def find_files(source: str, *, without: str | None = None) -> FoundFiles:
    """The audio files of a folder (with all folders in it), of a glob, or the one file that ``source`` names.

    Hidden files and folders, whose names begin with a dot, are left out of folders and globs.

    Args:
        source: A location.
        without: A folder to leave out, when it lies in ``source``.

    Raises:
        PlanError: There is nothing of this name, or no audio in it.
    """
    if exists(source, folder=False):
        return FoundFiles(parent_of(source), (source,))
    if exists(source, folder=True):
        root, list_files = source, _in_folder
    elif _MAGIC & set(source):
        root, list_files = _fixed_part(source), _matches
    else:
        raise PlanError(f"There is no file or folder {source}. Give a file, a folder, or a glob such as '*.wav'.")
    found = list(list_files(source, without if without is not None and _is_below(without, root) else None))
    endings = audio_endings()
    files = tuple(sorted(file for file in found if suffix_of(file).lower() in endings))
    if not files:
        raise PlanError(
            f"There are no audio files in {source}"
            f"{f' ({len(found)} files have other endings)' if found else ''}. "
            f"Looked for: {', '.join(sorted(endings))}."
        )
    return FoundFiles(root, files, len(found) - len(files))


def files_of(named: Sequence[Any]) -> FoundFiles:
    """Files named one by one; their tree begins at the folder that they all have in common.

    Raises:
        PlanError: None, or no common folder.
    """
    if not named:
        raise PlanError("Expected at least one input file, got an empty list.")
    files = tuple(location_of(each) for each in named)
    stores = {file.split("://")[0] if is_url(file) else "" for file in files}
    if len(stores) > 1:
        raise PlanError(
            "The files of one list must be in one store, to have a tree to keep, "
            f"got both {files[0]} and {next(file for file in files if is_url(file) != is_url(files[0]))}."
            if "" in stores
            else f"The files of one list must be in one store, got {', '.join(sorted(stores))}."
        )
    return FoundFiles(_common_folder(files), files)


def read_list(source: str) -> list[str]:
    """The names in a text file, one a line; empty lines are skipped.

    Raises:
        PlanError: It is missing, not text, or names nothing.
    """
    content = read_bytes(source)
    if content is None:
        raise PlanError(f"There is no file {source}, which was to list the inputs.")
    try:
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise PlanError(f"{source} is no list of files: it is not UTF-8 text ({error}).") from error
    names = [name for line in lines if (name := line.removesuffix("\r")).strip()]
    if not names:
        raise PlanError(f"{source} names no file. Write one path or URL a line.")
    return names


def audio_endings() -> frozenset[str]:
    """Endings of files that are taken for audio, in small letters."""
    return _MORE_ENDINGS | {str(ending) for ending in pedalboard_io().get_supported_read_formats()}


def _in_folder(folder: str, without: str | None) -> Iterator[str]:
    if not is_url(folder):
        return _walk(folder, os.path.realpath(without) if without else None, frozenset())
    return (join(folder, relative) for relative in _stored(folder, folder, without))


def _walk(folder: str, without: str | None, ancestors: frozenset[str]) -> Iterator[str]:
    """Links to folders are followed, except in a circle."""
    real = os.path.realpath(folder)
    if real in ancestors or real == without:
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise PlanError(f"The folder {folder} can't be listed: {error.strerror}.") from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(entry.path, without, ancestors | {real})
        else:
            yield entry.path


def _matches(pattern: str, without: str | None) -> Iterator[str]:
    if is_url(pattern):
        root = _fixed_part(pattern)
        yield from (join(root, relative) for relative in _stored(pattern, root, without))
        return
    inside = Path(os.path.realpath(without)) if without else None
    for path in glob.iglob(pattern, recursive=True):
        real = Path(os.path.realpath(path))
        if not os.path.isdir(path) and (inside is None or inside not in real.parents):
            yield path


def _stored(source: str, root: str, without: str | None) -> Iterator[str]:
    """Files of a folder or glob at a URL, relative to ``root``."""
    file_system, path = open_store(source)
    base = open_store(root)[1].rstrip("/")
    left_out = open_store(without)[1].rstrip("/") + "/" if without else None
    try:
        names = file_system.glob(path) if _MAGIC & set(path) else file_system.find(path)
        found = [str(name) for name in names if file_system.isfile(name)]
    except Exception as error:  # stores come with error classes of their own
        raise StoreError(f"{source} can't be listed: {type(error).__name__}: {error}") from error
    for name in found:
        relative = name.removeprefix(base).lstrip("/")
        hidden = any(part.startswith(".") for part in PurePosixPath(relative).parts)
        if not hidden and (left_out is None or not name.startswith(left_out)):
            yield relative


def _is_below(folder: str, root: str) -> bool:
    if is_url(folder) or is_url(root):
        return folder.startswith(root if root.endswith("/") else f"{root}/")
    return Path(os.path.realpath(root)) in Path(os.path.realpath(folder)).parents


def _fixed_part(pattern: str) -> str:
    """The folder before the first part of a glob that holds a wildcard."""
    parts = pattern.split("/") if is_url(pattern) else list(Path(pattern).parts)
    fixed = parts[: next(index for index, part in enumerate(parts) if _MAGIC & set(part))]
    return "/".join(fixed) if is_url(pattern) else str(Path(*fixed))


def _common_folder(files: Sequence[str]) -> str:
    parents = [parent_of(file) for file in files]
    if not is_url(files[0]):
        try:
            return os.path.commonpath(parents)
        except ValueError as error:  # two drives
            raise PlanError(f"The files of the list have no folder in common: {error}.") from error
    shared: list[str] = []
    for parts in zip(*(parent.split("/") for parent in parents), strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    if len(shared) < 3:  # the protocol alone
        raise PlanError(f"The files of the list have no folder in common: {files[0]}, {files[-1]}. Give root.")
    return "/".join(shared)
