"""Builds the libtorch backend for the installed torch: ``python -m neutone_like.runtime.build_torch_backend``.

The engine does so by itself when it first plays an artifact, and installing neutone-like does where torch is already
there. This is for doing it beforehand. It needs a C++ compiler (the environment variable ``CXX``, else ``c++``, ``g++``
or ``clang++``) and nothing else.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from neutone_like.child_process import run_process
from neutone_like.errors import RuntimeEngineError
from neutone_like.runtime.installed_record import add_to_record, can_be_removed_later
from neutone_like.runtime.native_files import NATIVE_FOLDER, native_sources
from neutone_like.runtime.torch_backend import backend_file_name, built_torch_backend, user_folder

COMPILERS = ("c++", "g++", "clang++")
SHOWN_LINES = 20


def build_missing_torch_backend() -> Path:
    """The backend for the installed torch, built where there is none; a line on stderr says so.

    Raises:
        RuntimeEngineError: There is none, and it can't be built: no compiler, or it failed.
    """
    find_compiler()
    folder = _writable_folder(None)
    with _only_one(folder):
        built = built_torch_backend()  # by the process that was waited for
        if built is not None:
            return built
        _tell(
            f"building the libtorch backend for torch {torch.__version__}, once for this installation: about half a "
            "minute of one free processor."
        )
        return _build(folder)


def build_torch_backend(folder: Path | None = None) -> Path:
    """Compile the backend for the installed torch, whether or not there is one.

    Args:
        folder: Where to put it. By default beside the package's other compiled files, or, where those may not be
            changed, into the user's cache folder; :func:`~neutone_like.runtime.torch_backend.torch_backend_path` finds
            both, and ``pip uninstall`` removes the first.

    Returns:
        The shared object.

    Raises:
        RuntimeEngineError: There is no compiler, or it failed; with the end of what it said.
    """
    folder = _writable_folder(folder)
    with _only_one(folder):
        return _build(folder)


def _build(folder: Path) -> Path:
    """One compilation of all sources together: torch's headers are most of the work, and are read once."""
    target = folder / backend_file_name()
    sources = sorted((native_sources() / "backends" / "torch").glob("*.cpp"))
    with tempfile.TemporaryDirectory(prefix="neutone-like-") as scratch:
        together, linked = Path(scratch, "backend.cpp"), Path(scratch, target.name)
        together.write_text("".join(f'#include "{source}"\n' for source in sources), "utf-8")
        _run([*find_compiler(), *_compile_flags(), "-shared", str(together), "-o", str(linked), *_link_flags()])
        _put_in_place(linked, target)
    return target


def _put_in_place(made: Path, target: Path) -> None:
    """Whole or not at all, and at once: an engine that has an old one loaded keeps it."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        shutil.copyfile(made, partial)
        add_to_record(target)
        partial.replace(target)
    except OSError as error:
        raise RuntimeEngineError(f"The libtorch backend can't be written to {target}: {error}") from error
    finally:
        try:
            partial.unlink(missing_ok=True)
        finally:  # again, where Ctrl-C came on the threshold
            partial.unlink(missing_ok=True)


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Processes that would build into ``folder`` wait for each other; the folder itself is the lock."""
    import fcntl  # where there is none, neither is the engine

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _tell("waiting for another process that is building the libtorch backend.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _tell(line: str) -> None:
    if sys.stderr is not None:  # a program without a console has none
        sys.stderr.write(f"neutone-like: {line}\n")
        sys.stderr.flush()


def find_compiler() -> list[str]:
    """The C++ compiler's command line.

    Raises:
        RuntimeEngineError: There is none.
    """
    chosen = os.environ.get("CXX")
    if chosen:
        return shlex.split(chosen)
    for name in COMPILERS:
        path = shutil.which(name)
        if path is not None:
            return [path]
    raise RuntimeEngineError(
        f"Building the libtorch backend needs a C++20 compiler, and none of {', '.join(COMPILERS)} is on the PATH. "
        "Install one (Debian and Ubuntu: apt-get install g++; macOS: xcode-select --install), or name it in CXX."
    )


def _torch_folder() -> Path:
    return Path(torch.__file__).resolve().parent


def _compile_flags() -> list[str]:
    headers = _torch_folder() / "include"
    return [
        "-std=c++20",
        "-O2",
        "-DNDEBUG",
        "-fPIC",
        "-fvisibility=hidden",
        f"-D_GLIBCXX_USE_CXX11_ABI={int(torch.compiled_with_cxx11_abi())}",
        f'-DNEUTONE_LIKE_TORCH_VERSION="{torch.__version__}"',
        f"-I{native_sources() / 'include'}",
        "-isystem",
        str(headers),
        "-isystem",
        str(headers / "torch" / "csrc" / "api" / "include"),
    ]


def _link_flags() -> list[str]:
    libraries = _torch_folder() / "lib"
    return [f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-ltorch_cpu", "-lc10", "-pthread"]


def _writable_folder(folder: Path | None) -> Path:
    """``folder``, or the first of the package's own and the user's that may be written to."""
    candidates = (NATIVE_FOLDER, user_folder()) if folder is None else (folder,)
    for candidate in candidates:
        try:
            candidate.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(candidate, os.W_OK) and can_be_removed_later(candidate):
            return candidate
    raise RuntimeEngineError(f"The libtorch backend can't be written to {' or '.join(map(str, candidates))}.")


def _run(command: list[str]) -> None:
    """Run the compiler. It is a driver with children, which all end where this is interrupted."""
    try:
        compiler = run_process(command, stdout=None, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        raise RuntimeEngineError(f"The C++ compiler {command[0]!r} does not start: {error}") from error
    if compiler.returncode != 0:
        said = compiler.stderr.decode(errors="replace")
        shown = "\n".join(said.splitlines()[-SHOWN_LINES:])
        raise RuntimeEngineError(
            f"The C++ compiler failed. It must know C++20 (g++ 11 or clang++ 14, or newer).\n"
            f"{shlex.join(command)}\n{shown}"
        )


def main() -> int:
    """Build, and say where; 1 where that failed."""
    try:
        sys.stdout.write(f"Building for torch {torch.__version__} ...\n")
        sys.stdout.write(f"Built {build_torch_backend()}\n")
    except RuntimeEngineError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
