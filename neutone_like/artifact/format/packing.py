"""Pack the zip archive that a ``.nm`` is, without what nobody needs, and fingerprint what is in it."""

import hashlib
import zipfile
from pathlib import Path
from typing import IO

from neutone_like.uninterrupted import uninterrupted

METADATA_MEMBER = "extra/metadata.json"
"""Inside the one folder that all members of a TorchScript archive are in, and whose name is free."""
COPY_BYTES = 1 << 20

_FOLDER = "model"  # that all members are in; PyTorch names it after the file, and of a file in memory "archive"
_ALIGNMENT = 64  # of tensor data in the file, so that it can be mapped
_LOCAL_HEADER_BYTES = 30
_DEBUG_RECORD = ".debug_pkl"


def fingerprints(source: Path | IO[bytes]) -> dict[str, str]:
    """SHA-256 of every member that :func:`repack` keeps, by name inside; not of metadata, which is to hold them."""
    with zipfile.ZipFile(source) as archive:
        digests: dict[str, str] = {}
        for member in archive.infolist():
            name = name_inside(member.filename)
            if name != METADATA_MEMBER and not name.endswith(_DEBUG_RECORD):
                with archive.open(member) as reader:
                    digests[name] = digest_of(reader)
    return digests


def name_inside(member_name: str) -> str:
    """A member's name without the folder that all of them are in, which is to be checked in files from elsewhere."""
    return member_name.partition("/")[2]


def digest_of(reader: IO[bytes]) -> str:
    """SHA-256 of all that is left to read, in hexadecimal digits."""
    digest = hashlib.sha256()
    while chunk := reader.read(COPY_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def repack(source: Path | IO[bytes], target: Path | IO[bytes], metadata_json: str | None = None) -> None:
    """Copy a TorchScript archive without its debug records, with tensors on 64-byte boundaries, or with other metadata.

    The debug records hold the source of the model once more, and the paths of the machine it was made on: about a third
    of a small artifact, and nothing that a host should get to see.
    """
    uninterrupted(lambda: _repack(source, target, metadata_json))  # else closing it fails, with an error of its own


def _repack(source: Path | IO[bytes], target: Path | IO[bytes], metadata_json: str | None) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for member in old.infolist():
            name = name_inside(member.filename)
            if name == METADATA_MEMBER and metadata_json is not None:
                fresh = _fresh_member(name)
                fresh.compress_type = zipfile.ZIP_DEFLATED
                new.writestr(fresh, metadata_json, compresslevel=9)
            elif not name.endswith(_DEBUG_RECORD):
                _copy_member(old, member, new)


def _fresh_member(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(f"{_FOLDER}/{name}", date_time=(1980, 1, 1, 0, 0, 0))


def _copy_member(old: zipfile.ZipFile, member: zipfile.ZipInfo, new: zipfile.ZipFile) -> None:
    fresh = _fresh_member(name_inside(member.filename))
    fresh.file_size = member.file_size
    if name_inside(member.filename).startswith(("code/", "extra/")):  # text; tensors must stay as they are to be mapped
        fresh.compress_type = zipfile.ZIP_DEFLATED
    else:
        fresh.compress_type = zipfile.ZIP_STORED
        fresh.extra = _padding(new, fresh)
    with old.open(member) as reader, new.open(fresh, "w") as writer:
        while chunk := reader.read(COPY_BYTES):
            writer.write(chunk)
    fresh.extra = b""  # padding is of use before the data only, not once more in the directory at the end


def _padding(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """An extra field that nobody reads, as long as it takes for the data to start on a boundary."""
    if member.file_size == 0:
        return b""
    position = archive.start_dir + _LOCAL_HEADER_BYTES + len(member.filename.encode()) + 4
    length = -position % _ALIGNMENT
    return b"FB" + length.to_bytes(2, "little") + b"Z" * length
