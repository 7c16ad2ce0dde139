"""The folder of a web page: nothing that somebody else made is lost there, and no page is there by half."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from neutone_like.errors import CompileError
from neutone_like.scratch_folder import scratch_folder
from neutone_like.uninterrupted import uninterrupted
from neutone_like.validate.html.web_link import update_web_link
from neutone_like.validate.html.writing import REPORT_NAME

INDEX = "index.html"
_MARK = '<meta name="generator" content="neutone-like'


def require_place(folder: Path, names: Iterable[str]) -> None:
    """See that files of these names may be written.

    Raises:
        CompileError: The folder is a file, has another page in it, or has one of the files and no page of ours.
    """
    with _saying_why_not(folder):
        if folder.exists() and not folder.is_dir():
            raise CompileError(f"{folder} is a file, and a folder is written. Choose another name with --out.")
        if not _holds_our_page(folder):
            for name in names:
                _require_free(folder / name)


def replace_page(folder: Path, fill: Callable[[Path], None]) -> list[Path]:
    """Bring a page into a folder when all of it is there, the page itself last.

    Args:
        folder: Where it goes.
        fill: Writes the files into the folder that it gets.

    Returns:
        The files.

    Raises:
        CompileError: As of ``require_place``, or the folder can't be written. One that was new is gone again.
    """
    with _saying_why_not(folder), _gone_if_in_vain(folder):
        folder.mkdir(parents=True, exist_ok=True)
        # Inside, as renaming works only within a file system, and the folder may be a link to another one.
        with scratch_folder(folder) as staging:
            fill(staging)
            return uninterrupted(lambda: _moved(staging, folder))


def link_report(folder: Path) -> None:
    """Let the report of the artifact whose page this is link to it.

    Raises:
        CompileError: The report can't be written; the page is there.
    """
    with _saying_why_not(folder):
        update_web_link(folder.absolute().parent / REPORT_NAME)


def _holds_our_page(folder: Path) -> bool:
    index = folder / INDEX
    if not index.exists():
        return False
    if _MARK not in index.read_text("utf-8", errors="replace"):
        raise CompileError(f"{index} is another page, which would be lost. Choose another folder with --out.")
    return True


def _require_free(file: Path) -> None:
    if os.path.lexists(file):
        raise CompileError(
            f"{file} is there already and would be lost, and it is of no page that was written here. "
            "Choose another folder with --out, or take the file away."
        )


def _moved(staging: Path, folder: Path) -> list[Path]:
    paths = sorted((path for path in staging.rglob("*") if path.is_file()), key=lambda path: path.name == INDEX)
    names = [path.relative_to(staging).as_posix() for path in paths]
    require_place(folder, names)
    for path, name in zip(paths, names, strict=True):
        (folder / name).parent.mkdir(exist_ok=True)
        os.replace(path, folder / name)
    return [folder / name for name in names]


@contextmanager
def _gone_if_in_vain(folder: Path) -> Iterator[None]:
    new = not folder.exists()
    try:
        yield
    except BaseException:
        if new:
            uninterrupted(lambda: shutil.rmtree(folder, ignore_errors=True))
        raise


@contextmanager
def _saying_why_not(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = f"{error.strerror or error}: {error.filename2 or error.filename or folder}"
        raise CompileError(
            f"Can't write the page to {folder}: {reason}. Choose a folder that you may write to."
        ) from error
