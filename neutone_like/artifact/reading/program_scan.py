"""Looks through the program in an archive before PyTorch gets to see it: what it may call, make and hold.

A TorchScript archive is code in text, and two or three pickles that PyTorch reads with a machine of its own.
"""

import pickletools
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

from neutone_like.artifact.format.archive import open_archive
from neutone_like.artifact.format.packing import name_inside
from neutone_like.artifact.reading.code_scan import refused_operators
from neutone_like.artifact.reading.nesting import MOST_LEVELS, PickleNesting, definitions, longest_chain
from neutone_like.artifact.reading.operators import ALLOWED_CLASSES
from neutone_like.errors import ArtifactError

MAXIMUM_CODE_BYTES = 64 << 20
_MEMBER = re.compile(
    r"(data|constants|traced_inputs)\.pkl|(data|constants|traced_inputs)/\d+|code/.+\.py(\.debug_pkl)?"
    r"|version|byteorder|\.format_version|\.storage_alignment|\.data/(version|serialization_id)|extra/.*"
)
_PICKLES = ("data.pkl", "constants.pkl", "traced_inputs.pkl")
_GLOBALS = {
    "builtins": {"complex"},
    "collections": {"OrderedDict"},
    "torch": re.compile(r"[A-Za-z0-9]+Storage|per_(tensor|channel)_(affine|symmetric|affine_float_qparams)|device"),
    "torch._utils": {"_rebuild_tensor_v2", "_rebuild_qtensor", "_rebuild_sparse_tensor"},
    "torch.serialization": {"_get_layout"},
    "torch.jit._pickle": {
        "build_intlist",
        "build_doublelist",
        "build_boollist",
        "build_complexlist",
        "build_tensorlist",
        "build_tensor_from_id",
        "restore_type_tag",
    },
}
_OTHER_GLOBAL_OPCODES = {"INST", "OBJ", "STACK_GLOBAL", "EXT1", "EXT2", "EXT4", "NEWOBJ_EX"}
_CLASSES = "__torch__.torch.classes."
_DEBUG = ".debug_pkl"  # whence each line of code came: read where it fails


def check_program(path: Path, allow_operators: frozenset[str] = frozenset()) -> None:
    """Read the program in an archive that :func:`neutone_like.artifact.format.archive.check_contents` has passed.

    Raises:
        ArtifactError: It uses what artifacts may not; the message names it.
    """
    with open_archive(path) as archive:
        refused = refused_in(archive, path, allow_operators)
    if refused:
        raise ArtifactError(
            f"{path} uses {', '.join(refused)}, which an artifact may not: it can do more than compute, such as write "
            "files, or this version does not know it. None of the code was run. If you trust whoever made it: "
            f"load_artifact(path, allow_operators={refused!r}), or --allow-operators {','.join(refused)} "
            "of the commands that have it."
        )


def refused_in(archive: zipfile.ZipFile, path: Path, allow_operators: frozenset[str]) -> list[str]:
    """The operators and classes that an archive's program uses and may not, sorted. ``path`` is for messages.

    Raises:
        ArtifactError: It holds something that PyTorch does not write.
    """
    refused: set[str] = set()
    defined: dict[str, set[str]] = {}
    for member in archive.infolist():
        name = name_inside(member.filename)
        if not _MEMBER.fullmatch(name):
            raise ArtifactError(
                f"{path} has the member {member.filename!r:.130}, which is no part of a .nm. Export the model again."
            )
        if name in _PICKLES or name.endswith((".py", _DEBUG)):
            content = _read(archive, member, path)
            refused.update(_refused_in_member(content, member, path))
            if name.endswith(".py"):
                place = name.removeprefix("code/").removesuffix(".py").replace("/", ".")
                for key, names in definitions(content.decode("ascii"), place).items():
                    defined.setdefault(key, set()).update(names)
    _check_chains(defined, path)
    return sorted(refused - allow_operators)


def _check_chains(defined: dict[str, set[str]], path: Path) -> None:
    try:
        longest = longest_chain(defined)
    except ValueError as error:
        raise ArtifactError(f"{path} is damaged: its code is not as PyTorch writes it: {error}.") from error
    if longest > MOST_LEVELS:
        raise ArtifactError(
            f"{path} is damaged: in its code {longest} definitions name one another in a row, allowed are "
            f"{MOST_LEVELS}. Export the model again."
        )


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> bytes:
    if member.file_size > MAXIMUM_CODE_BYTES and member.filename.endswith(".py"):
        raise ArtifactError(
            f"{path}: {member.filename!r:.130} has {member.file_size} bytes of code, allowed are {MAXIMUM_CODE_BYTES}."
        )
    with archive.open(member) as reader:
        return b"".join(iter(lambda: reader.read(1 << 20), b""))


def _refused_in_member(content: bytes, member: zipfile.ZipInfo, path: Path) -> Iterable[str]:
    try:
        if member.filename.endswith(".py"):
            return refused_operators(content)
        return _refused_globals(content, holds_types=not member.filename.endswith(_DEBUG))
    except ValueError as error:
        raise ArtifactError(
            f"{path} is damaged: {member.filename!r:.130} is not as PyTorch writes it: {error!s:.200}. "
            "Export the model again."
        ) from error


def _refused_globals(pickle: bytes, holds_types: bool) -> set[str]:
    """Which classes of C++ a pickle makes, that are not on the list.

    Raises:
        ValueError: Not a pickle, or one that makes more than data and the module's own classes.
    """
    refused: set[str] = set()
    nesting = PickleNesting(holds_types)
    for operation, argument, _ in pickletools.genops(pickle):
        nesting.follow(operation.name, argument)
        if nesting.deepest > MOST_LEVELS:
            raise ValueError(f"it is nested deeper than {MOST_LEVELS} levels")
        if operation.name in _OTHER_GLOBAL_OPCODES:
            raise ValueError(f"it holds {operation.name}, which PyTorch does not write")
        if operation.name == "GLOBAL":
            module, _, name = str(argument).rpartition(" ")
            refused.update(_refused_global(module, name))
    return refused


def _refused_global(module: str, name: str) -> list[str]:
    full = f"{module}.{name}"
    if full.startswith("__torch__."):
        in_cpp = full.removeprefix(_CLASSES)
        return [] if in_cpp == full or in_cpp in ALLOWED_CLASSES else [f"classes::{in_cpp}"]
    known = _GLOBALS.get(module, set[str]())
    is_known = name in known if isinstance(known, set) else known.fullmatch(name) is not None
    if not is_known:
        raise ValueError(f"it names {full:.100}")
    return []
