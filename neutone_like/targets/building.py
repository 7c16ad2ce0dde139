"""Everything that ``neutone-like compile --target`` and ``--source`` make of a model, in one folder."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from neutone_like.arguments import as_path
from neutone_like.errors import CompileError
from neutone_like.runtime.compiled_model import CompiledModel
from neutone_like.scratch_folder import scratch_folder
from neutone_like.targets.library import build_library
from neutone_like.targets.model_files import ModelFiles, model_files
from neutone_like.targets.native_code import copy_headers
from neutone_like.targets.source_folder import write_model, write_source
from neutone_like.targets.target import Target, targets_named
from neutone_like.targets.zig import require_zig
from neutone_like.uninterrupted import uninterrupted

INCLUDE = "include"
SOURCE = "source"
_IMPORT_LIBRARY = ".lib"


def build_targets(
    model: CompiledModel, out: str | PathLike[str], targets: Iterable[str] = (), *, source: bool = False
) -> tuple[Path, ...]:
    """Make libraries that hold a compiled model and play it for any host.

    Args:
        model: What they hold.
        out: A folder: ``include/`` with the headers, a folder with a library for each target, ``source/``. What else is
            in there stays.
        targets: Of :data:`TARGETS`. They need the extra ``compile``.
        source: Write the model as C++ source, too.

    Returns:
        The libraries, and the source's folder.

    Raises:
        CompileError: There is no such target, the model is offline, the compiler failed, or ``out`` is a file; then
            nothing is written.
        MissingExtraError: The compiler is not installed.
        OSError: ``out`` can't be written.
    """
    wanted = targets_named(targets)
    if not wanted and not source:
        raise CompileError("Nothing is asked for: name targets, or ask for the source.")
    if "audio_in_channels" in model.metadata:
        raise CompileError(
            "This is an offline model, which takes whole sounds; a library plays live models block by block. Render "
            "it: neutone-like render PATH INPUT OUTPUT."
        )
    if wanted:
        require_zig()
    files = model_files(model)
    folder = as_path(out, "a folder to write", CompileError)
    with _appearing(folder) as staging:
        copy_headers(staging / INCLUDE)
        (staging / INCLUDE / f"{files.name}.h").write_text(files.header, "utf-8")
        made = [_built(target, files, staging / target.name) for target in wanted]
        if source:
            write_source(files, staging / SOURCE)
            made.append(staging / SOURCE)
    return tuple(folder / path.relative_to(staging) for path in made)


def _built(target: Target, files: ModelFiles, folder: Path) -> Path:
    """The library, alone in its folder but for what a linker of its platform wants."""
    folder.mkdir()
    with scratch_folder() as scratch:
        write_model(files, scratch)
        library = build_library(target, files, scratch)
        for path in (library, library.with_name(files.name + _IMPORT_LIBRARY)):
            if path.is_file():
                shutil.copyfile(path, folder / path.name)
    return folder / library.name


@contextmanager
def _appearing(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` to fill; its files come into ``out`` when all of them are there."""
    if out.exists() and not out.is_dir():
        raise CompileError(f"{out} is a file, and a folder is written. Choose another name with --out.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(out.parent) as staging:
        yield staging
        uninterrupted(lambda: _move_into(staging, out))


def _move_into(staging: Path, out: Path) -> None:
    if (staging / SOURCE).is_dir() and (out / SOURCE).is_dir():
        shutil.rmtree(out / SOURCE)
    for path in sorted(staging.rglob("*")):
        target = out / path.relative_to(staging)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            os.replace(path, target)
