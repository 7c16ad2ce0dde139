"""Files that appear whole or not at all, under any name that a file system allows."""

import errno
import os
from pathlib import Path

import pytest

from neutone_like.whole_file import appearing_whole, parts_of_temporary, temporary_stem, write_whole

NAMES = ["a.wav", "-a", "a. ", "a.", "new\nline", "n" * 255, "ä" * 127, "n" * 101, ".hidden"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name(name: str, tmp_path: Path) -> None:
    with appearing_whole(tmp_path / name) as file:
        file.write(b"new")
        (temporary,) = os.listdir(tmp_path)
        parts = parts_of_temporary(temporary)
        assert parts is not None
        assert parts.stem == temporary_stem(name)
    assert os.listdir(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == b"new"


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"old")

    def fail() -> None:
        with appearing_whole(tmp_path / "a") as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=os.strerror(errno.ENAMETOOLONG)):
        write_whole(tmp_path / ("n" * 256), b"new")
    assert os.listdir(tmp_path) == []


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.parametrize(
    "name", ["a.wav", ".a.wav.part", ".a.wav.0123abc.part", ".a.wav.0123abcd.tmp", "a.0123abcd.part"]
)
def test_other_files_are_no_leftovers(name: str) -> None:
    assert parts_of_temporary(name) is None


def test_what_the_system_refuses_is_said_of_the_file_that_was_wanted(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "a", tmp_path / "folder"):
        with pytest.raises(OSError) as caught:  # noqa: PT011 - which one is the system's
            write_whole(path, b"new")
        assert (caught.value.filename, caught.value.filename2) == (str(path), None)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]
