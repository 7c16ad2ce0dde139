"""The manifest: complete lines whatever ends the process, and nothing taken for one that is none."""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from neutone_like import RenderError
from neutone_like.render.batch import FileRecord, WrittenFile, manifest
from neutone_like.render.batch.manifest import open_manifest


def record(name: str, **fields: Any) -> FileRecord:
    written = (WrittenFile(f"/out/{name}", "ab" * 32, 123),)
    usual: dict[str, Any] = {
        "status": "done",
        "key": "k",
        "input_sha256": "cd" * 32,
        "written": written,
        "audio": {"samples": 1},
    }
    return FileRecord(f"/in/{name}", f"/out/{name}", **{**usual, **fields})


def fill(place: str | Path, *names: str) -> None:
    with open_manifest(str(place)) as book:
        if not book.done:
            book.append("run", {"version": 1, "run": "r"})
        for name in names:
            book.add(record(name), "r")


def read(place: str | Path) -> dict[str, FileRecord]:
    with open_manifest(str(place)) as book:
        return book.done


@pytest.fixture
def memory() -> Iterator[Any]:
    store = fsspec.filesystem("memory")
    store.store.clear()
    yield store
    store.store.clear()


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    place = tmp_path / "new" / "m.jsonl"
    odd = os.fsdecode(b"\xff\n.wav") if sys.platform != "win32" else "odd.wav"
    fill(place, "one.wav", odd)
    assert read(place) == {f"/out/{name}": record(name) for name in ("one.wav", odd)}
    with open_manifest(str(place)) as book:
        book.add(record("two.wav", status="failed", written=(), error="broken"), "r")
        book.add(record("one.wav", key="later"), "r")
    assert read(place)["/out/one.wav"].key == "later"
    assert "/out/two.wav" not in read(place)
    kinds = [json.loads(line)["kind"] for line in place.read_text().splitlines()]
    assert kinds == ["run", "file", "file", "file", "file"]


def test_a_line_is_on_the_disk_as_soon_as_it_is_added(tmp_path: Path) -> None:
    with open_manifest(str(tmp_path / "m.jsonl")) as book:
        book.append("run", {"version": 1})
        for count in range(1, 4):
            book.add(record(f"{count}.wav"), "r")
            assert (tmp_path / "m.jsonl").read_bytes().count(b"\n") == count + 1


def test_a_line_torn_at_any_byte_costs_that_line_alone(tmp_path: Path) -> None:
    place = tmp_path / "m.jsonl"
    fill(place, "one.wav", "two.wav")
    whole = place.read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for cut in range(last, len(whole)):
        place.write_bytes(whole[:cut])
        fill(place, "three.wav")
        assert set(read(place)) == {"/out/one.wav", "/out/three.wav"}
        assert place.read_bytes().startswith(whole[:last])
    place.write_bytes(whole[:20])  # not even the first line
    fill(place, "three.wav")
    assert set(read(place)) == {"/out/three.wav"}


def test_what_a_power_failure_leaves_goes_on(tmp_path: Path) -> None:
    """The file as long as it was to be, and zeros where its last part never reached the disk."""
    place = tmp_path / "m.jsonl"
    fill(place, "one.wav", "two.wav")
    whole = place.read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for cut in range(last, len(whole)):
        place.write_bytes(whole[:cut].ljust(len(whole), b"\0"))
        fill(place, "three.wav")
        assert set(read(place)) == {"/out/one.wav", "/out/three.wav"}
        assert b"\0" not in place.read_bytes()
    for content, done in ((b"", set()), (b"\0" * 4096, set()), (whole + b"\0" * 512, {"one.wav", "two.wav"})):
        place.write_bytes(content)
        fill(place, "three.wav")
        assert set(read(place)) == {f"/out/{name}" for name in (*done, "three.wav")}
    place.write_bytes(whole + whole)  # written twice
    assert set(read(place)) == {"/out/one.wav", "/out/two.wav"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"RIFF\x00\x00WAVE", "Line 1 of .* is not one of a render's manifest: it ends without a line break"),
        (b"some\ntext\n", "Line 1 of .* is not one of a render's manifest: Expecting value"),
        (b'{"kind": "file", "status": "done"}\n', "Line 1 .*: it does not begin with a run"),
        (b'{"kind": "run", "version": 2}\n', "Line 1 .*: its version is 2, and this program writes 1"),
        (b'{"kind": "run", "version": 1}\n\0\0\0\0\n', "Line 2 .*take the line out, and its file is rendered again"),
        (b'{"kind": "run"}\n{"kind": "file", "status": "done"}\n', "Line 2 .*'input' and 'output'"),
        (b'{"kind": "run"}\n{"kind": "file", "status": "done", "output": "x", "y": 1}\n', "Line 2 .*'y'"),
        (b'{"kind": "run"}\n[]\n', "Line 2 "),
        (b'{"kind": "run"}\nmore', "Line 2 .*: it ends without a line break"),
    ],
)
def test_what_is_no_manifest_is_left_as_it_is(tmp_path: Path, memory: Any, content: bytes, message: str) -> None:
    place = tmp_path / "m.jsonl"
    place.write_bytes(content)
    with pytest.raises(RenderError, match=message):
        fill(place, "one.wav")
    assert place.read_bytes() == content
    memory.pipe_file("/m.jsonl", content)
    with pytest.raises(RenderError, match=message):
        fill("memory://m.jsonl", "one.wav")
    assert memory.cat_file("/m.jsonl") == content


def test_one_run_at_a_time(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("no lock there")
    place = str(tmp_path / "m.jsonl")
    with open_manifest(place):
        with pytest.raises(RenderError, match=re.escape(f"Another render is writing to {place}.")):
            fill(place)
        assert os.path.getsize(place) == 0
    fill(place, "one.wav")


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"The manifest .* can't be written: Is a directory"):
        fill(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(RenderError, match=r"The manifest .* can't be written: File exists"):
        fill(tmp_path / "file" / "m.jsonl")


def test_a_line_that_does_not_fit_leaves_no_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "m.jsonl"
    fill(place, "one.wav")
    before = place.read_bytes()
    whole_write = os.write
    with open_manifest(str(place)) as book:
        monkeypatch.setattr(manifest.os, "write", lambda file, data: whole_write(file, data[:10]))
        with pytest.raises(RenderError, match=r"can't be written: No space left on device. Make room, and resume."):
            book.add(record("two.wav"), "r")
    assert place.read_bytes() == before


def test_a_store_gets_the_whole_manifest_now_and_then(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "STORE_SECONDS", 0.0)
    with open_manifest("memory://d/m.jsonl") as book:
        book.append("run", {"version": 1})
        book.add(record("one.wav"), "r")
        assert memory.cat_file("/d/m.jsonl").count(b"\n") == 2
        monkeypatch.setattr(manifest, "STORE_SECONDS", 1000.0)
        book.add(record("two.wav"), "r")
        assert memory.cat_file("/d/m.jsonl").count(b"\n") == 2
    assert memory.cat_file("/d/m.jsonl").count(b"\n") == 3
    assert set(read("memory://d/m.jsonl")) == {"/out/one.wav", "/out/two.wav"}
