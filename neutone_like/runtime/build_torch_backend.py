"""Builds the libtorch backend for the installed torch: ``python -m neutone_like.runtime.build_torch_backend``.

Installing neutone-like does so by itself where torch is already there. This is for a torch that came, or changed,
later. It needs a C++ compiler (the environment variable ``CXX``, else ``c++``, ``g++`` or ``clang++``) and nothing
else.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from neutone_like.errors import RuntimeEngineError
from neutone_like.runtime.native_files import NATIVE_FOLDER, native_sources
from neutone_like.runtime.torch_backend import backend_file_name, user_folder

COMPILERS = ("c++", "g++", "clang++")
SHOWN_LINES = 20


def build_torch_backend(folder: Path | None = None) -> Path:
    """Compile the backend for the installed torch.

    Args:
        folder: Where to put it. By default beside the package's other compiled files, or, where those may not be
            changed, into the user's cache folder; :func:`~neutone_like.runtime.torch_backend.torch_backend_path` finds
            both.

    Returns:
        The shared object.

    Raises:
        RuntimeEngineError: There is no compiler, or it failed; with the end of what it said.
    """
    compiler = find_compiler()
    target = _writable_folder(folder) / backend_file_name()
    sources = sorted((native_sources() / "backends" / "torch").glob("*.cpp"))
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        objects = [Path(scratch) / f"{source.stem}.o" for source in sources]
        compiles = [
            [*compiler, *_compile_flags(), "-c", str(source), "-o", str(made)]
            for source, made in zip(sources, objects, strict=True)
        ]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(_run, compiles))
        linked = Path(scratch) / target.name
        _run([*compiler, "-shared", *map(str, objects), "-o", str(linked), *_link_flags()])
        linked.replace(target)  # at once: an engine that has the old one loaded keeps it
    return target


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
        "-O3",
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
        if os.access(candidate, os.W_OK):
            return candidate
    raise RuntimeEngineError(f"The libtorch backend can't be written to {' or '.join(map(str, candidates))}.")


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise RuntimeEngineError(f"The C++ compiler {command[0]!r} does not start: {error}") from error
    if done.returncode != 0:
        said = "\n".join(done.stderr.splitlines()[-SHOWN_LINES:])
        raise RuntimeEngineError(
            f"The C++ compiler failed. It must know C++20 (g++ 11 or clang++ 14, or newer).\n"
            f"{shlex.join(command)}\n{said}"
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
