"""The C++ that every library holds: the package's own sources, or a folder of them."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from neutone_like.runtime.native_files import native_sources

ROOMS = ("signal", "model", "compiled", "kernels")
HEADERS = ("compiled.h", "model.h", "backend.h")
KERNEL_TABLE = Path("kernels", "isa", "table.cpp")
PUBLIC_HEADERS = ("compiled.h", "model.h")


def code_folder() -> Path:
    """The folder with ``include/`` and ``src/``."""
    return native_sources()


def library_sources(src: Path) -> list[Path]:
    """Everything below ``src`` that is compiled once; :data:`KERNEL_TABLE` is compiled for each instruction set."""
    return [path for room in ROOMS for path in sorted((src / room).glob("*.cpp"))]


def interface_names() -> list[str]:
    """The functions that compiled.h declares."""
    text = (code_folder() / "include" / "neutone_like" / "compiled.h").read_text("utf-8")
    return re.findall(r"^NL_API [^;(]*?(nl_compiled_\w+)\(", text, re.MULTILINE)


def copy_headers(folder: Path, names: tuple[str, ...] = PUBLIC_HEADERS) -> None:
    """What a program includes, below ``folder/neutone_like``."""
    target = folder / "neutone_like"
    target.mkdir(parents=True)
    for name in names:
        shutil.copyfile(code_folder() / "include" / "neutone_like" / name, target / name)


def code_files(code: Path) -> Iterator[Path]:
    """Everything that a library is made from, below the folder with ``include/`` and ``src/``."""
    yield from (code / "include" / "neutone_like" / name for name in HEADERS)
    yield from _files(code / "src")


def copy_sources(folder: Path) -> None:
    """Everything that is compiled, and what it includes, below ``folder``."""
    src = code_folder() / "src"
    for path in _files(src):
        target = folder / path.relative_to(src)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _files(src: Path) -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted(path for path in (src / room).rglob("*") if path.suffix in (".cpp", ".hpp"))
