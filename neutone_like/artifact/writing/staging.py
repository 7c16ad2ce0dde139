"""Replace a folder's files all at once: whoever looks, and whenever the process dies, they are all old or all new."""

import errno
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from neutone_like.arguments import as_path
from neutone_like.artifact.format.archive import COMPILED_NAME, FILES_OF_FORMATS, METADATA_NAME, MODEL_NAME
from neutone_like.artifact.writing.exchange import exchange_folders
from neutone_like.errors import ExportError
from neutone_like.file_owner import OWNER_MARK, is_abandoned, owner_mark
from neutone_like.whole_file import temporary_stem

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

OUR_FILES = (
    MODEL_NAME,
    COMPILED_NAME,
    METADATA_NAME,
    "validation.json",
    "report.html",
    *(name for files in FILES_OF_FORMATS.values() for name in (*files, f"{files[0]}.json")),
)
SAMPLES_FOLDER = "samples"
SAMPLE_FILE = re.compile(r"(guitar_riff|drum_loop|generated)_(in|out)(_\d{1,2})?\.wav")
_ENDING = ".exporting"
_EARLIER_MARK = r"[0-9a-f]{8}-\d+-[0-9a-f]{8}"  # of earlier releases: a machine, a process, a number
_MAXIMUM_FOREIGN_FILES = 256
_DAY_SECONDS = 86_400.0
_MOST_WAITING_SECONDS, _NAP_SECONDS = 10.0, 0.01  # publishing takes milliseconds
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def staged_directory(out_dir: str | os.PathLike[str]) -> Iterator[Path]:
    """Give an empty folder to fill, and put its files into ``out_dir`` when the block ends without an exception.

    Files of an earlier artifact there that are not written again are removed; files that are not ours stay.
    ``out_dir`` changes in one step (a rename, or an exchange of two folders). Where the system has no such step, or the
    folder is the working folder, a mount point or full of other things, files are replaced one by one instead: what
    lies beside ``model.nm`` goes first and comes back last, so that a process killed in between leaves a whole old or
    new ``model.nm``, never files that contradict each other.

    Raises:
        ExportError: ``out_dir`` can't be written.
    """
    target = Path(os.path.realpath(as_path(out_dir, "a folder to write", ExportError)))
    try:
        if target.exists() and not target.is_dir():
            raise ExportError(f"{target} is a file, and an artifact is a folder. Choose another name for it.")
        home = target if _must_stay(target) else target.parent
        home.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(home, target.name)
    except OSError as error:
        raise _cannot_write(target, error) from error
    staging = home / f".{temporary_stem(target.name)}.{owner_mark()}{_ENDING}"
    try:
        staging.mkdir()
        yield staging
        new_files = sorted(path.relative_to(staging) for path in staging.rglob("*") if path.is_file())
        for file in new_files:
            _sync(staging / file)
        with _one_at_a_time(target.parent):
            _publish(staging, target, new_files)
    except OSError as error:
        if _is_below_or_full(error, target.parent):
            raise _cannot_write(target, error) from error
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _is_below_or_full(error: OSError, folder: Path) -> bool:
    """Whether an error is about writing there, and not about something else that the caller does meanwhile."""
    if error.errno in (*_NO_ROOM, errno.EIO):
        return True
    return isinstance(error.filename, (str, bytes)) and folder in Path(os.fsdecode(error.filename)).parents


def require_room(folder: Path, needed_bytes: int) -> None:
    """Check that a file fits on a disk before it is begun.

    Raises:
        ExportError: It does not; with what it needs and what there is.
    """
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise ExportError(
            f"Can't write the artifact below {folder.parent}: model.nm needs {needed_bytes} bytes, and its disk has "
            f"{free_bytes} left. Make room, or choose a folder on another disk."
        )


def _cannot_write(target: Path, error: OSError) -> ExportError:
    room = ""
    if error.errno in _NO_ROOM:
        with suppress(OSError):
            room = f" (the disk has {shutil.disk_usage(target.parent).free} bytes left)"
    return ExportError(
        f"Can't write the artifact to {target}: {error.strerror or error}{room}. "
        "Choose a folder that you may write to, on a disk with room."
    )


def _must_stay(target: Path) -> bool:
    """Whether a folder must not be swapped for another: somebody stands in it, or its parent is not ours to change."""
    if not target.is_dir():
        return False
    here = Path.cwd()
    return target == here or target in here.parents or os.path.ismount(target) or not os.access(target.parent, os.W_OK)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Exports to one place at once publish after one another, where the system and the disk have such locks.

    A lock that nobody gives back is somebody else's, such as that of ``flock FOLDER neutone-like export``.
    """
    if fcntl is None:
        yield
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # one may stand in folders whose parent one may not read
        yield
        return
    end = time.monotonic() + _MOST_WAITING_SECONDS
    try:
        while time.monotonic() < end:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(_NAP_SECONDS)
            except OSError:  # a disk without
                break
        yield
    finally:
        os.close(descriptor)


def _publish(staging: Path, target: Path, new_files: list[Path]) -> None:
    if not target.exists():
        os.rename(staging, target)
        _sync(target.parent)
        return
    foreign = _foreign_files(target)
    if staging.parent == target.parent and foreign is not None:
        shutil.copymode(target, staging)
        _adopt(foreign, target, staging)
        if exchange_folders(staging, target):
            _sync(target.parent)
            _adopt(_foreign_files(staging) or [], staging, target)  # whatever came while we were at it
            return
    _replace_one_by_one(staging, target, new_files)


def _foreign_files(folder: Path) -> list[Path] | None:
    """Files that are not ours, or None where there is more than such a folder should hold."""
    foreign: list[Path] = []
    for entry in folder.iterdir():
        if entry.name == SAMPLES_FOLDER and entry.is_dir() and not entry.is_symlink():
            others = [inner.name for inner in entry.iterdir() if not SAMPLE_FILE.fullmatch(inner.name)]
            foreign += [Path(SAMPLES_FOLDER, name) for name in others]
        elif entry.name not in OUR_FILES:
            foreign.append(Path(entry.name))
    plain = all((folder / path).is_file() and not (folder / path).is_symlink() for path in foreign)
    return foreign if plain and len(foreign) <= _MAXIMUM_FOREIGN_FILES else None


def _adopt(files: list[Path], source: Path, destination: Path) -> None:
    """Let files appear in a second folder too: the same files where the disk can do that, else copies."""
    for file in files:
        if (destination / file).exists():
            continue
        (destination / file).parent.mkdir(exist_ok=True)
        try:
            os.link(source / file, destination / file)
        except OSError:
            shutil.copy2(source / file, destination / file)


def _replace_one_by_one(staging: Path, target: Path, new_files: list[Path]) -> None:
    sounds = [path.name for path in (target / SAMPLES_FOLDER).glob("*.wav") if SAMPLE_FILE.fullmatch(path.name)]
    ours = [Path(name) for name in OUR_FILES] + [Path(SAMPLES_FOLDER, name) for name in sounds]
    model = Path(MODEL_NAME)
    for file in ours:
        if file != model:
            (target / file).unlink(missing_ok=True)
    for file in sorted(new_files, key=lambda file: file != model):
        (target / file).parent.mkdir(exist_ok=True)
        os.replace(staging / file, target / file)
    with suppress(OSError):  # not empty: the user keeps something there
        (target / SAMPLES_FOLDER).rmdir()


def _sync(path: Path) -> None:
    """Wait until a file or a folder's list of names is on the disk."""
    if path.is_dir() and sys.platform == "win32":
        return  # Windows opens no folders
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_leftovers(home: Path, name: str) -> None:
    """Clear away what killed exports to the same place have left."""
    ours = re.compile(rf"\.{re.escape(temporary_stem(name))}\.(?P<mark>.+){re.escape(_ENDING)}", re.DOTALL)
    for folder in list(home.iterdir()):
        match = ours.fullmatch(folder.name)
        if match is not None and _is_left_over(match["mark"], folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_left_over(mark: str, folder: Path) -> bool:
    if re.fullmatch(OWNER_MARK, mark):
        return is_abandoned(mark, folder)
    # What else lies between may belong to an export to a longer name.
    return re.fullmatch(_EARLIER_MARK, mark) is not None and time.time() - folder.stat().st_mtime > _DAY_SECONDS
