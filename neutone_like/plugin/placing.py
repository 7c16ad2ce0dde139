"""Finished plugins into the folder that they are for: all of them or none, and nothing of somebody else's is lost."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from neutone_like.errors import CompileError
from neutone_like.plugin.binary import FACTS_FILE, id_in
from neutone_like.plugin.identity import PluginIdentity

_BINARIES = (".so", ".dll", ".vst3")


def require_place(targets: Iterable[Path], identity: PluginIdentity) -> None:
    """Nothing lies there, or an older file of the same plugin.

    Args:
        targets: What is to be written.
        identity: Whose plugins they are.

    Raises:
        CompileError: Something else does.
    """
    for target in targets:
        if os.path.lexists(target) and not _is_of(target, identity):
            raise CompileError(
                f"{target} is another plugin, which would be lost. Choose another folder with --out, or another model "
                "name."
            )


def put_in_place(made: Sequence[Path], folder: Path, scratch: Path) -> tuple[Path, ...]:
    """Under their names, in the place of older ones, which a host may have open and keeps.

    Args:
        made: Files and folders, on the same file system.
        folder: Where they go.
        scratch: Where older ones go.

    Raises:
        OSError: One of them can't be put there; then the older ones are back.
    """
    with ExitStack() as undoing:
        for each in made:
            target = folder / each.name
            if os.path.lexists(target):
                _move(target, scratch / f"old {each.name}", undoing)
            _move(each, target, undoing)
        undoing.pop_all()
    return tuple(folder / each.name for each in made)


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """What the system refuses is said.

    Raises:
        CompileError: In the place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise CompileError(
            f"Can't write the plugin to {folder}: {error.strerror or error}. Choose a folder that you may write to."
        ) from error


def _is_of(target: Path, identity: PluginIdentity) -> bool:
    files = [target] if target.is_file() else [each for each in target.rglob("[!.]*") if each.is_file()]
    told = [each for each in files if each.name == FACTS_FILE]  # for macOS it lies beside the binary
    binaries = told or [each for each in files if each == target or each.suffix in _BINARIES]
    return {id_in(each.read_bytes()) for each in binaries} == {identity.clap_id}


def _move(source: Path, target: Path, undoing: ExitStack) -> None:
    os.replace(source, target)
    undoing.callback(os.replace, target, source)
