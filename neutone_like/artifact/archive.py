"""The zip archive that a ``.nm`` is: looked at with suspicion, and packed without what nobody needs."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from neutone_like.errors import ArtifactError

MODEL_NAME = "model.nm"
METADATA_NAME = "metadata.json"
MAXIMUM_METADATA_BYTES = 64 << 20
"""Metadata may carry three pairs of MP3 files in base64; more than this is no metadata."""
MAXIMUM_MEMBERS = 20_000
MAXIMUM_MEMBER_BYTES = 16 << 30
MAXIMUM_TOTAL_BYTES = 64 << 30
MAXIMUM_EXPANSION = 200
"""Allowed ratio of unpacked to packed size: code packs 3 to 10 times, tensors are stored as they are."""
_SMALL_ENOUGH_TO_EXPAND = 16 << 20

_ALIGNMENT = 64  # of tensor data in the file, so that it can be mapped
_LOCAL_HEADER_BYTES = 30
_COPY_BYTES = 1 << 20
_MAKE_AGAIN = "Copy the file again, or export the model again."


def read_metadata_text(path: Path) -> bytes:
    """``metadata.json`` of an archive whose members are all within the limits. Nothing else is unpacked.

    Raises:
        ArtifactError: Not such an archive; the message says what is wrong with it.
    """
    with open_archive(path) as archive:
        members = _checked_members(archive, path)
        root = members[0].filename.split("/")[0]
        metadata = next((member for member in members if member.filename == f"{root}/extra/{METADATA_NAME}"), None)
        if metadata is None:
            kind = "a TorchScript file" if _holds_torchscript(members, root) else "a zip file of something else"
            raise ArtifactError(
                f"{path} is {kind} without {METADATA_NAME}, so it is no .nm artifact. "
                "Make one with export_model(model, folder)."
            )
        if not _holds_torchscript(members, root):
            raise ArtifactError(f"{path} has {METADATA_NAME} but no TorchScript module. {_MAKE_AGAIN}")
        if metadata.file_size > MAXIMUM_METADATA_BYTES:
            raise ArtifactError(
                f"{path}: {METADATA_NAME} has {metadata.file_size} bytes, allowed are {MAXIMUM_METADATA_BYTES}. "
                "Export the model with fewer or shorter sounds."
            )
        return _read_member(archive, metadata, path)


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip file.

    Raises:
        ArtifactError: Missing, unreadable, empty, truncated, or not a zip file.
    """
    try:
        with open(path, "rb") as file:
            _check_signature(file, path)
            try:
                archive = zipfile.ZipFile(file)
            except (zipfile.BadZipFile, zipfile.LargeZipFile, ValueError, NotImplementedError) as error:
                raise ArtifactError(
                    f"{path} ({path.stat().st_size} bytes) is damaged: it starts as a zip file, but its end is missing "
                    f"or unreadable ({error}), as when a copy or download stopped early. {_MAKE_AGAIN}"
                ) from error
            with archive:
                yield archive
    except FileNotFoundError as error:
        raise ArtifactError(f"{path} does not exist. Give a .nm file, or the folder that one is in.") from error
    except OSError as error:
        raise ArtifactError(f"{path} can't be read: {error.strerror or error}.") from error


def _check_signature(file: BinaryIO, path: Path) -> None:
    start = file.read(4)
    if not start:
        raise ArtifactError(f"{path} is empty. {_MAKE_AGAIN}")
    if start != b"PK\x03\x04":
        raise ArtifactError(
            f"{path} is not a .nm artifact: expected a zip archive made by TorchScript, got a file that starts with "
            f"{start!r}. Make one with export_model(model, folder)."
        )
    file.seek(0)


def _checked_members(archive: zipfile.ZipFile, path: Path) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    if not members:
        raise ArtifactError(f"{path} is a zip file with nothing in it. {_MAKE_AGAIN}")
    if len(members) > MAXIMUM_MEMBERS:
        raise ArtifactError(f"{path} has {len(members)} members, allowed are {MAXIMUM_MEMBERS}.")
    names: set[str] = set()
    for member in members:
        _check_member(member, path)
        if member.filename in names:
            raise ArtifactError(f"{path} has the member {member.filename!r} twice. {_MAKE_AGAIN}")
        names.add(member.filename)
    total = sum(member.file_size for member in members)
    if total > MAXIMUM_TOTAL_BYTES:
        raise ArtifactError(f"{path} unpacks to {total} bytes, allowed are {MAXIMUM_TOTAL_BYTES}.")
    return members


def _check_member(member: zipfile.ZipInfo, path: Path) -> None:
    name = member.filename
    if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
        raise ArtifactError(f"{path} has a member whose name leads out of the archive: {name!r}. Do not use this file.")
    if member.file_size > MAXIMUM_MEMBER_BYTES:
        raise ArtifactError(
            f"{path}: the member {name!r} has {member.file_size} bytes, allowed are {MAXIMUM_MEMBER_BYTES}."
        )
    if member.file_size > max(_SMALL_ENOUGH_TO_EXPAND, MAXIMUM_EXPANSION * member.compress_size):
        raise ArtifactError(
            f"{path}: the member {name!r} unpacks from {member.compress_size} to {member.file_size} bytes, allowed is "
            f"{MAXIMUM_EXPANSION} times. Do not use this file."
        )


def _holds_torchscript(members: list[zipfile.ZipInfo], root: str) -> bool:
    names = {member.filename for member in members}
    return f"{root}/data.pkl" in names and f"{root}/version" in names


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> bytes:
    try:
        return archive.read(member)
    except Exception as error:  # zipfile lets through what each of its decoders raises
        raise _damaged(member, path, error) from error


def _damaged(member: zipfile.ZipInfo, path: Path, error: Exception) -> ArtifactError:
    return ArtifactError(f"{path} is damaged: {member.filename} can't be unpacked ({error}). {_MAKE_AGAIN}")


def check_contents(path: Path) -> None:
    """Read every member and compare its checksum, which PyTorch does not: it would play damaged weights.

    Raises:
        ArtifactError: A member is damaged; the message names it.
    """
    with open_archive(path) as archive:
        for member in _checked_members(archive, path):
            try:
                with archive.open(member) as reader:
                    while reader.read(_COPY_BYTES):
                        pass
            except Exception as error:  # zipfile lets through what each of its decoders raises
                raise _damaged(member, path, error) from error


def repack(source: Path, target: Path) -> None:
    """Copy a TorchScript archive without its debug records, and with tensors on 64-byte boundaries.

    The debug records hold the source of the model once more, and the paths of the machine it was made on: about a third
    of a small artifact, and nothing that a host should get to see.
    """
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for member in old.infolist():
            if not member.filename.endswith(".debug_pkl"):
                _copy_member(old, member, new)


def _copy_member(old: zipfile.ZipFile, member: zipfile.ZipInfo, new: zipfile.ZipFile) -> None:
    fresh = zipfile.ZipInfo(member.filename, date_time=(1980, 1, 1, 0, 0, 0))
    fresh.file_size = member.file_size
    folder = member.filename.split("/")[1] if "/" in member.filename else ""
    if folder in ("code", "extra"):  # text; tensors must stay as they are to be mapped
        fresh.compress_type = zipfile.ZIP_DEFLATED
    else:
        fresh.compress_type = zipfile.ZIP_STORED
        fresh.extra = _padding(new, fresh)
    with old.open(member) as reader, new.open(fresh, "w") as writer:
        while chunk := reader.read(_COPY_BYTES):
            writer.write(chunk)
    fresh.extra = b""  # padding is of use before the data only, not once more in the directory at the end


def _padding(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """An extra field that nobody reads, as long as it takes for the data to start on a boundary."""
    if member.file_size == 0:
        return b""
    position = archive.start_dir + _LOCAL_HEADER_BYTES + len(member.filename.encode()) + 4
    length = -position % _ALIGNMENT
    return b"FB" + length.to_bytes(2, "little") + b"Z" * length
