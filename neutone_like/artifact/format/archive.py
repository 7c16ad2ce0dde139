"""The zip archive that a ``.nm`` is, looked at with suspicion before anybody else gets to see it.

Python's and PyTorch's readers of zip files differ, so whatever the two could understand differently is refused: PyTorch
finds members whatever the case of their names, in the first member's folder only, and reads beyond the end of a
tensor's record if that is too short.
"""

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from neutone_like.artifact.format.bounded_file import BoundedFile, open_bounded
from neutone_like.artifact.format.packing import COPY_BYTES, METADATA_MEMBER, digest_of, name_inside
from neutone_like.artifact.format.storage_sizes import short_storages
from neutone_like.errors import ArtifactError

MODEL_NAME = "model.nm"
COMPILED_NAME = "model.nlc"

FILES_OF_FORMATS = {
    "onnx": ("model.onnx",),
    "litert": ("model.tflite",),
    "executorch": ("model.pte",),
    "openvino": ("model.xml", "model.bin"),
    "pt2": ("model.pt2",),
}
"""What lies beside the ``.nm`` for other engines; the sidecar of each has the first file's name and ``.json``."""
METADATA_NAME = "metadata.json"
MAXIMUM_METADATA_BYTES = 8 << 20
"""Metadata may carry three pairs of MP3 files in base64; more than this is no metadata."""
MAXIMUM_METADATA_EXPANSION = 2
"""Allowed ratio of unpacked to packed size above 1 MiB: base64 packs 1.3 times. In memory, a byte of text may take 11:
four of a decoded character, in a few copies. So limited, a file of N bytes takes at most 64 MiB + 16 N to load."""
MAXIMUM_MEMBERS = 20_000
MAXIMUM_DIRECTORY_BYTES = 4 << 20
"""The list of members at the end of the file."""
MAXIMUM_PICKLE_BYTES = 256 << 20
"""The description of a module's attributes, without its tensors' data."""
MAXIMUM_MEMBER_BYTES = 16 << 30
MAXIMUM_TOTAL_BYTES = 64 << 30
MAXIMUM_EXPANSION = 100
"""Allowed ratio of unpacked to packed size: code packs 3 to 10 times, tensors are stored as they are."""
_SMALL_ENOUGH_TO_EXPAND = 1 << 20
_ENCRYPTED = 0x1
_LONGEST_SHOWN_NAME = 120
_PICKLES = (("data.pkl", "data"), ("constants.pkl", "constants"))  # and the folder with the data of their tensors
_MAKE_AGAIN = "Copy the file again, or export the model again."


def read_metadata_text(path: Path) -> bytes:
    """``metadata.json`` of an archive whose members are all within the limits. Nothing else is unpacked.

    Raises:
        ArtifactError: Not such an archive; the message says what is wrong with it.
    """
    with open_archive(path) as archive:
        members = _checked_members(archive, path)
        root = members[0].filename.split("/")[0]
        metadata = next((member for member in members if member.filename == f"{root}/{METADATA_MEMBER}"), None)
        if metadata is None:
            kind = "a TorchScript file" if _holds_torchscript(members, root) else "a zip file of something else"
            raise ArtifactError(
                f"{path} is {kind} without {METADATA_NAME}, so it is no .nm artifact. "
                "Make one with export_model(model, folder)."
            )
        _check_one_folder(members, path)
        if not _holds_torchscript(members, root):
            raise ArtifactError(f"{path} has {METADATA_NAME} but no TorchScript module. {_MAKE_AGAIN}")
        packable = max(_SMALL_ENOUGH_TO_EXPAND, MAXIMUM_METADATA_EXPANSION * metadata.compress_size)
        allowed = min(MAXIMUM_METADATA_BYTES, packable)
        if metadata.file_size > allowed:
            raise ArtifactError(
                f"{path}: {METADATA_NAME} has {metadata.file_size} bytes, allowed are {allowed}. "
                "Export the model with fewer or shorter sounds."
            )
        return _read_member(archive, metadata, path)


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip file.

    Raises:
        ArtifactError: Missing, unreadable, not a plain file, empty, truncated, or not a zip file.
    """
    try:
        with open_bounded(path, MAXIMUM_DIRECTORY_BYTES) as file:
            _check_signature(file, path)
            try:
                archive = zipfile.ZipFile(file)
            except (zipfile.BadZipFile, zipfile.LargeZipFile, ValueError, NotImplementedError) as error:
                raise ArtifactError(
                    f"{path} ({file.file_bytes} bytes) is damaged: it starts as a zip file, but its end is missing "
                    f"or unreadable ({error}), as when a copy or download stopped early. {_MAKE_AGAIN}"
                ) from error
            with archive:
                _check_layout(archive, file, path)
                yield archive
    except FileNotFoundError as error:
        raise ArtifactError(f"{path} does not exist. Give a .nm file, or the folder that one is in.") from error
    except OSError as error:
        raise ArtifactError(f"{path} can't be read: {error.strerror or error}.") from error


def _check_signature(file: BoundedFile, path: Path) -> None:
    start = file.read(4)
    if not start:
        raise ArtifactError(f"{path} is empty. {_MAKE_AGAIN}")
    if start != b"PK\x03\x04":
        raise ArtifactError(
            f"{path} is not a .nm artifact: expected a zip archive made by TorchScript, got a file that starts with "
            f"{start!r}. Make one with export_model(model, folder)."
        )
    file.seek(0)


def _check_layout(archive: zipfile.ZipFile, file: BoundedFile, path: Path) -> None:
    """Refuse what lets two readers find two different archives in one file, or one part of it in many members."""
    members = archive.infolist()
    if archive.comment or (members and min(member.header_offset for member in members) != 0):
        raise ArtifactError(f"{path} is damaged: there is something before or after its zip archive. {_MAKE_AGAIN}")
    packed = sum(member.compress_size for member in members)
    if packed > file.file_bytes:
        raise ArtifactError(
            f"{path} is damaged: its members claim {packed} bytes of a file of {file.file_bytes}. {_MAKE_AGAIN}"
        )


def _checked_members(archive: zipfile.ZipFile, path: Path) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    if not members:
        raise ArtifactError(f"{path} is a zip file with nothing in it. {_MAKE_AGAIN}")
    if len(members) > MAXIMUM_MEMBERS:
        raise ArtifactError(f"{path} has {len(members)} members, allowed are {MAXIMUM_MEMBERS}.")
    names: dict[str, str] = {}
    for member in members:
        _check_member(member, path)
        earlier = names.setdefault(member.filename.lower(), member.filename)
        if earlier is not member.filename:
            how = "twice" if earlier == member.filename else f"and {_shown(earlier)}, which PyTorch takes for the same"
            raise ArtifactError(f"{path} has the member {_shown(member.filename)} {how}. {_MAKE_AGAIN}")
    total = sum(member.file_size for member in members)
    if total > MAXIMUM_TOTAL_BYTES:
        raise ArtifactError(f"{path} unpacks to {total} bytes, allowed are {MAXIMUM_TOTAL_BYTES}.")
    packed = sum(member.compress_size for member in members)
    if _expands_too_much(total, packed):
        raise ArtifactError(
            f"{path} unpacks from {packed} to {total} bytes, allowed is {MAXIMUM_EXPANSION} times. "
            "Do not use this file."
        )
    return members


def _check_one_folder(members: list[zipfile.ZipInfo], path: Path) -> None:
    """Names inside it are then different too, and the only ones that PyTorch can find."""
    root = members[0].filename.partition("/")[0]
    for member in members:
        if not member.filename.startswith(f"{root}/"):
            raise ArtifactError(
                f"{path} has the member {_shown(member.filename)} outside its folder {_shown(root)}, where PyTorch "
                f"does not look. {_MAKE_AGAIN}"
            )


def _check_member(member: zipfile.ZipInfo, path: Path) -> None:
    name = member.filename
    if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
        raise ArtifactError(
            f"{path} has a member whose name leads out of the archive: {_shown(name)}. Do not use this file."
        )
    if member.orig_filename != name:  # cut at a NUL, or given once more in an extra field: PyTorch does neither
        raise ArtifactError(f"{path} has a member of two names: {_shown(name)}. {_MAKE_AGAIN}")
    if member.file_size > MAXIMUM_MEMBER_BYTES:
        raise ArtifactError(
            f"{path}: the member {_shown(name)} has {member.file_size} bytes, allowed are {MAXIMUM_MEMBER_BYTES}."
        )
    if _expands_too_much(member.file_size, member.compress_size):
        raise ArtifactError(
            f"{path}: the member {_shown(name)} unpacks from {member.compress_size} to {member.file_size} bytes, "
            f"allowed is {MAXIMUM_EXPANSION} times. Do not use this file."
        )
    if member.flag_bits & _ENCRYPTED or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ArtifactError(
            f"{path}: the member {_shown(name)} is encrypted or packed in a way that TorchScript does not know "
            f"(method {member.compress_type}). {_MAKE_AGAIN}"
        )


def _expands_too_much(unpacked: int, packed: int) -> bool:
    return unpacked > max(_SMALL_ENOUGH_TO_EXPAND, MAXIMUM_EXPANSION * packed)


def _shown(name: str) -> str:
    return repr(name if len(name) <= _LONGEST_SHOWN_NAME else f"{name[:_LONGEST_SHOWN_NAME]}...")


def _holds_torchscript(members: list[zipfile.ZipInfo], root: str) -> bool:
    """PyTorch moves its version into a folder of its own where a model uses an operator that has older versions."""
    names = {member.filename for member in members}
    return f"{root}/data.pkl" in names and not names.isdisjoint({f"{root}/version", f"{root}/.data/version"})


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> bytes:
    try:
        with archive.open(member) as reader:
            return b"".join(iter(lambda: reader.read(COPY_BYTES), b""))
    except Exception as error:  # zipfile lets through what each of its decoders raises
        raise _damaged(member, path, error) from error


def _damaged(member: zipfile.ZipInfo, path: Path, error: Exception) -> ArtifactError:
    return ArtifactError(
        f"{path} is damaged: {_shown(member.filename)} can't be unpacked ({error!s:.200}). {_MAKE_AGAIN}"
    )


def check_contents(path: Path, expected: Mapping[str, str] | None = None) -> None:
    """Read every member and compare its checksum, which PyTorch does not: it would play damaged weights.

    Args:
        path: The archive.
        expected: What :func:`neutone_like.artifact.format.packing.fingerprints` gave at export; None where nobody took
            them.

    Raises:
        ArtifactError: A member is damaged, was changed, is missing or was not there at export; the message names it.
    """
    with open_archive(path) as archive:
        members = _checked_members(archive, path)
        _check_one_folder(members, path)
        found = {name_inside(member.filename): _digest_member(archive, member, path) for member in members}
        if expected is not None:
            _compare(found, expected, path)
        _check_storages(archive, members, path)


def _digest_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> str:
    try:
        with archive.open(member) as reader:
            return digest_of(reader)
    except Exception as error:  # zipfile lets through what each of its decoders raises
        raise _damaged(member, path, error) from error


def _compare(found: Mapping[str, str], expected: Mapping[str, str], path: Path) -> None:
    for name in sorted({*found, *expected} - {METADATA_MEMBER}):
        if found.get(name) != expected.get(name):
            what = "is missing" if name not in found else "was added" if name not in expected else "was changed"
            raise ArtifactError(
                f"{path}: its part {_shown(name)} {what} after export: members_sha256 in {METADATA_NAME} says so. "
                f"{_MAKE_AGAIN}"
            )


def _check_storages(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], path: Path) -> None:
    sizes = {name_inside(member.filename): member for member in members}
    for pickle_name, folder in _PICKLES:
        if (member := sizes.get(pickle_name)) is None:
            continue
        if member.file_size > MAXIMUM_PICKLE_BYTES:
            raise ArtifactError(
                f"{path}: {_shown(member.filename)} has {member.file_size} bytes, allowed are {MAXIMUM_PICKLE_BYTES}."
            )
        lengths = {
            name[len(folder) + 1 :]: record.file_size for name, record in sizes.items() if name.startswith(f"{folder}/")
        }
        try:
            wrong = short_storages(_read_member(archive, member, path), lengths)
        except ValueError as error:
            raise _damaged(member, path, error) from error
        if wrong:
            raise ArtifactError(f"{path} is damaged: the tensor {folder}/{wrong[0]}. {_MAKE_AGAIN}")
