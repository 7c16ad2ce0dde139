"""``inspect`` and the loader answer for any path at once: folders, pipes, devices, sparse giants, other formats."""

import os
from pathlib import Path

import pytest

from neutone_like import ArtifactError
from neutone_like.artifact import load_artifact, read_metadata
from support import attacks

OVERDRIVE = attacks.EXPORTED / "overdrive" / "model.nm"


def refused(path: Path | str, match: str) -> None:
    for read in (read_metadata, load_artifact):
        with pytest.raises(ArtifactError, match=match):
            read(path)


def test_inspect_answers_for_a_folder(tmp_path: Path) -> None:
    refused(tmp_path, r"is a folder without model\.nm\. Give the folder that export_model made")
    (tmp_path / "model.nm").mkdir()
    refused(tmp_path, r"is a folder without model\.nm")
    refused(tmp_path / "model.nm", r"is a folder without model\.nm")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_inspect_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.nm")
    refused(tmp_path / "pipe.nm", r"pipe\.nm is a named pipe\. Give a \.nm file")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_inspect_does_not_open_devices(device: str) -> None:
    if not os.path.exists(device):
        pytest.skip(f"no {device} here")
    refused(device, rf"{device} is a device\. Give a \.nm file")


def test_inspect_answers_for_huge_files_at_once(tmp_path: Path) -> None:
    """Sparse: terabytes that take no room on the disk."""
    for start in (b"", b"PK\x03\x04"):
        with open(tmp_path / "huge.nm", "wb") as file:
            file.write(start)
            file.truncate(1 << 40)
        refused(tmp_path / "huge.nm", r"huge\.nm.* (is not a \.nm artifact|is damaged: it starts as a zip file)")


def test_inspect_does_not_read_a_directory_of_gigabytes(tmp_path: Path) -> None:
    with open(tmp_path / "huge.nm", "wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(3 << 30)
        file.seek(0, os.SEEK_END)
        file.write(b"PK\x05\x06" + bytes(4) + b"\xff\xff\xff\xff" + b"\x00\x00\x00\x80" + bytes(4) + bytes(2))
    refused(tmp_path / "huge.nm", r"is damaged: .*a part of 2147483648 bytes where 4194304 are allowed")


@pytest.mark.parametrize("path", ["\0", "a\0b.nm", "x" * 5000, "", "/proc/self/mem"])
def test_inspect_answers_for_any_path(path: str) -> None:
    if path.startswith("/proc") and not os.path.exists(path):
        pytest.skip("no /proc here")
    refused(path, "no file can have|can't be read|is a folder without|is empty|does not exist")


def test_inspect_answers_for_a_file_nobody_may_read(tmp_path: Path) -> None:
    path = tmp_path / "secret.nm"
    path.write_bytes(OVERDRIVE.read_bytes())
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    refused(path, r"secret\.nm can't be read: Permission denied")


@pytest.mark.parametrize("content", [b"\x80\x04.", b"GIF89a", b"\x7fELF", b"PK\x05\x06" + bytes(18), b"\n" * 1000])
def test_inspect_answers_for_files_of_other_kinds(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.nm").write_bytes(content)
    refused(tmp_path / "a.nm", r"is not a \.nm artifact: expected a zip archive made by TorchScript, got a file that")
