"""Where files are: an absolute local path, or a URL that fsspec knows. Both are kept as text, a *location*."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from neutone_like.errors import AudioError, MissingExtraError, NeutoneLikeError, RenderError
from neutone_like.extras import import_extra

_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]+::)*[A-Za-z][A-Za-z0-9+.-]+://")
_COPY_BYTES = 1 << 20


class PlanError(RenderError):
    """What is asked for can't be done, whatever the files hold: nothing was started."""


class StoreError(RenderError):
    """A store of files could not be reached or did not do what it was asked; trying again may help."""


def is_url(text: str) -> bool:
    """Whether a location is a URL (``s3://bucket/folder``, ``zip://a.wav::b.zip``) and not a path on this machine."""
    return _URL.match(text) is not None


def location_of(named: str | PathLike[str]) -> str:
    """What a user wrote, as a location: paths become absolute, and ``file://`` URLs become paths.

    Raises:
        PlanError: A URL of an unknown kind, or a name that no file can have.
    """
    text = os.fspath(named) if isinstance(named, (str, os.PathLike)) else None
    if text is None or not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise PlanError(f"Expected the name of a file or folder, as a str or a pathlib.Path, got {named!r:.200}.")
    if not text or "\0" in text:
        raise PlanError(f"Expected the name of a file or folder, got {text!r}.")
    if is_url(text):
        file_system, path = open_store(text)
        protocols = file_system.protocol
        if "file" not in (protocols if isinstance(protocols, tuple) else (protocols,)):
            return text
        text = path
    return os.path.abspath(text)


def open_store(url: str) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path in it.

    Raises:
        PlanError: No such kind of URL.
        MissingExtraError: The package for it is not installed.
        StoreError: The store does not answer.
    """
    core: Any = import_extra("fsspec.core", extra="render", purpose=f"The URL {url}")
    try:
        return core.url_to_fs(url)
    except ImportError as error:
        raise MissingExtraError(f"{url} needs a package that is not installed: {error}.") from error
    except ValueError as error:
        raise PlanError(f"{url} can't be used: {error}. Use a path, or a URL that fsspec knows.") from error
    except Exception as error:  # stores come with error classes of their own
        raise _store_error(url, error) from error


def join(folder: str, relative: str) -> str:
    """The location of a file in a folder; ``relative`` has ``/`` between its parts."""
    if not is_url(folder):
        return os.path.join(folder, *relative.split("/"))
    inner, rest = split_chain(folder)
    return f"{inner}{'' if inner.endswith('/') else '/'}{relative}{rest}"


def split_chain(url: str) -> tuple[str, str]:
    """The part of a URL that a path can be added to, and the rest: ``zip://folder`` and ``::file.zip``."""
    cut = url.find("::", url.index("://"))
    return (url, "") if cut < 0 else (url[:cut], url[cut:])


def name_of(location: str) -> str:
    """The last part of a location, without folders."""
    return split_chain(location)[0].rpartition("/")[2] if is_url(location) else os.path.basename(location)


def suffix_of(location: str) -> str:
    """The ending of the file's name, with its dot, as it is written."""
    return PurePosixPath(name_of(location)).suffix


def parent_of(location: str) -> str:
    """The folder that a file is in."""
    if not is_url(location):
        return os.path.dirname(location)
    inner, rest = split_chain(location)
    head = inner.rpartition("/")[0]
    return (f"{head}/" if head.endswith(":/") else head) + rest


def exists(location: str, *, folder: bool) -> bool:
    """Whether there is a file (or a folder) at a location."""
    if not is_url(location):
        return os.path.isdir(location) if folder else os.path.isfile(location)
    file_system, path = open_store(location)
    with _reaching(location):
        return bool(file_system.isdir(path) if folder else file_system.isfile(path))


@contextmanager
def local_copy(location: str, scratch: Path) -> Iterator[Path]:
    """A file as a local one: itself, or a copy in ``scratch`` for as long as the block lasts.

    Raises:
        AudioError: There is no such file.
        StoreError: It can't be fetched.
    """
    if not is_url(location):
        yield Path(location)
        return
    file_system, path = open_store(location)
    with TemporaryDirectory(dir=scratch) as folder:
        copy = Path(folder, f"input{suffix_of(location)}")
        with _reaching(location):
            file_system.get_file(path, str(copy))
        yield copy


def publish(file: Path, location: str) -> None:
    """Copy a finished local file to a URL.

    Raises:
        StoreError: It can't be stored.
    """
    file_system, path = open_store(location)
    with _reaching(location):
        file_system.makedirs(path.rpartition("/")[0], exist_ok=True)
        file_system.put_file(str(file), path)


def byte_count(location: str) -> int | None:
    """The size of a file in bytes, or None where there is no file."""
    if not is_url(location):
        return os.path.getsize(location) if os.path.isfile(location) else None
    file_system, path = open_store(location)
    with _reaching(location):
        return int(file_system.size(path)) if file_system.isfile(path) else None


def sha256_of(file: Path) -> str:
    """The SHA-256 of a local file's content, in hexadecimal digits.

    Raises:
        AudioError: It is missing or can't be read.
    """
    digest = hashlib.sha256()
    try:
        with file.open("rb") as reader:
            while chunk := reader.read(_COPY_BYTES):
                digest.update(chunk)
    except FileNotFoundError as error:
        raise AudioError(f"There is no file {file}.") from error
    except OSError as error:
        raise AudioError(f"{file} can't be read: {error.strerror or error}.") from error
    return digest.hexdigest()


def read_bytes(location: str) -> bytes | None:
    """The content of a file, or None where there is no file.

    Raises:
        StoreError: It can't be read.
    """
    if not is_url(location):
        return Path(location).read_bytes() if os.path.isfile(location) else None
    file_system, path = open_store(location)
    with _reaching(location):
        return bytes(file_system.cat_file(path)) if file_system.isfile(path) else None


def write_bytes(location: str, content: bytes) -> None:
    """Write a whole file at a URL.

    Raises:
        StoreError: It can't be stored.
    """
    file_system, path = open_store(location)
    with _reaching(location):
        file_system.makedirs(path.rpartition("/")[0], exist_ok=True)
        file_system.pipe_file(path, content)


@contextmanager
def _reaching(location: str) -> Iterator[None]:
    try:
        yield
    except NeutoneLikeError:
        raise
    except FileNotFoundError as error:
        raise AudioError(f"There is no file {location}.") from error
    except Exception as error:  # stores come with error classes of their own
        raise _store_error(location, error) from error


def _store_error(location: str, error: Exception) -> StoreError:
    return StoreError(f"{location} can't be reached: {type(error).__name__}: {error}")
