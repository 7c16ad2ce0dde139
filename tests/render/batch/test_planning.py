"""Which file of a job goes where, and what is refused before anything is rendered."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from neutone_like.errors import MissingExtraError
from neutone_like.render.batch import PlanError
from neutone_like.render.batch.planning import Plan, plan_files, require_no_collision
from support.batch_tools import TREE, make_tree


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "in", samples=10)


@pytest.fixture
def memory() -> Iterator[Any]:
    store = fsspec.filesystem("memory")
    store.store.clear()
    yield store
    store.store.clear()


def checked_plan(source: Any, output: Any, **options: Any) -> Plan:
    plan = plan_files(source, output, **options)
    require_no_collision([(item.input, item.output) for item in plan.items])
    return plan


def planned(source: Any, output: Any, **options: Any) -> dict[str, str]:
    return {item.input: item.output for item in checked_plan(source, output, **options).items}


def refused(message: str, source: Any, output: Any, **options: Any) -> None:
    with pytest.raises(PlanError, match=re.escape(message)):
        checked_plan(source, output, **options)


# ---------------------------------------------------------------------- what is found


def test_a_folder_keeps_its_tree(tree: Path, tmp_path: Path) -> None:
    (tree / "a" / "cover.jpg").write_bytes(b"")
    (tree / ".hidden.wav").write_bytes(b"")
    make_tree(tree / ".trash", ["x.wav"])
    plan = plan_files(tree, tmp_path / "out")
    assert {item.input: item.output for item in plan.items} == {
        str(tree / name): str(tmp_path / "out" / name) for name in TREE
    }
    assert (plan.folder, plan.ignored) == (str(tmp_path / "out"), 1)
    assert not (tmp_path / "out").exists()


def test_another_format(tree: Path, tmp_path: Path) -> None:
    for ending in ("flac", ".FLAC"):
        outputs = planned(tree, tmp_path / "out", ending=ending).values()
        assert sorted(outputs) == sorted(str((tmp_path / "out" / name).with_suffix(".flac")) for name in TREE)


def test_relative_names_are_of_the_working_folder(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree.parent)
    assert planned("in", "out") == planned(tree, tree.parent / "out")
    assert planned(f"file://{tree}", tree.parent / "out") == planned(tree, tree.parent / "out")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.wav", {"one.wav"}),
        ("**/*.wav", set(TREE)),
        ("a/**/*", {"b/three.wav", "b/four.wav", "two.wav"}),
        ("a/b/t*", {"three.wav"}),
        ("[ac]/*.wav", {"a/two.wav", "c/five.wav"}),
    ],
)
def test_a_glob_keeps_the_tree_below_its_first_wildcard(
    tree: Path, tmp_path: Path, pattern: str, names: set[str]
) -> None:
    outputs = planned(f"{tree}/{pattern}", tmp_path / "out").values()
    assert {Path(output).relative_to(tmp_path / "out").as_posix() for output in outputs} == names


def test_a_list_keeps_what_its_files_have_in_common(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = {str(tree / "a" / name): str(tmp_path / "out" / name) for name in ("two.wav", "b/three.wav")}
    assert planned([tree / "a" / "two.wav", "in/a/b/three.wav"], "out") == expected
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbfin/a/two.wav\r\n\n" + str(tree / "a/b/three.wav").encode())
    assert planned("list.txt", "out", listed=True) == expected


def test_a_root_decides_where_the_tree_begins(tree: Path, tmp_path: Path) -> None:
    chosen = [tree / "a" / "b" / "three.wav", tree / "a" / "b" / "four.wav"]
    outputs = planned(chosen, tmp_path / "out", root=tree).values()
    assert set(outputs) == {str(tmp_path / "out" / "a" / "b" / name) for name in ("three.wav", "four.wav")}
    refused(f"does not lie in the root {tree}/c", chosen, tmp_path / "out", root=tree / "c")


def test_a_single_file(tree: Path, tmp_path: Path) -> None:
    source = str(tree / "one.wav")
    assert planned(source, tmp_path / "out.flac") == {source: str(tmp_path / "out.flac")}
    assert planned(source, tmp_path / "out") == {source: str(tmp_path / "out" / "one.wav")}
    assert planned(source, f"{tmp_path}/x.wav/") == {source: str(tmp_path / "x.wav" / "one.wav")}
    (tmp_path / "d.wav").mkdir()
    assert planned(source, tmp_path / "d.wav") == {source: str(tmp_path / "d.wav" / "one.wav")}
    refused("The format .ogg contradicts the output's ending", source, tmp_path / "out.flac", ending="ogg")


def test_outputs_inside_the_input_folder_are_not_inputs(tree: Path) -> None:
    make_tree(tree / "out", ["one.wav", "a/two.wav"])
    for source in (tree, f"{tree}/**/*.wav"):
        outputs = planned(source, tree / "out")
        assert set(outputs.values()) == {str(tree / "out" / name) for name in TREE}


def test_inputs_inside_the_output_folder_are_inputs(tree: Path) -> None:
    for source in (tree / "a", f"{tree}/a/**/*.wav"):
        assert set(planned(source, tree).values()) == {
            str(tree / name) for name in ("two.wav", "b/three.wav", "b/four.wav")
        }


@pytest.mark.skipif(sys.platform == "win32", reason="links need permission there")
def test_links(tree: Path, tmp_path: Path) -> None:
    make_tree(tmp_path / "elsewhere", ["far.wav", "deep/far.wav"])
    (tree / "linked").symlink_to(tmp_path / "elsewhere")
    (tree / "link.wav").symlink_to(tree / "one.wav")
    (tmp_path / "elsewhere" / "deep" / "circle").symlink_to(tree)
    outputs = planned(tree, tmp_path / "out").values()
    names = {Path(output).relative_to(tmp_path / "out").as_posix() for output in outputs}
    assert names == {*TREE, "link.wav", "linked/far.wav", "linked/deep/far.wav"}


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
def test_odd_names(tmp_path: Path) -> None:
    names = ["a b.wav", "[1].wav", "*.wav", "ü.wav", "new\nline.wav", "'.WAV", "a::b.wav", os.fsdecode(b"\xff.wav")]
    for name in names:
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"")
    outputs = planned(tmp_path / "in", tmp_path / "out")
    assert outputs == {str(tmp_path / "in" / name): str(tmp_path / "out" / name) for name in names}
    one = str(tmp_path / "in" / "[1].wav")
    assert planned(one, tmp_path / "out") == {one: str(tmp_path / "out" / "[1].wav")}


# ---------------------------------------------------------------------- stores


def test_urls(memory: Any, tmp_path: Path) -> None:
    for name in ("d/one.wav", "d/a/two.wav", "d/.x.wav", "d/notes.txt", "d/out/one.wav"):
        memory.pipe_file(f"/{name}", b"")
    expected = {
        "memory://d/one.wav": "memory://d/out/one.flac",
        "memory://d/a/two.wav": "memory://d/out/a/two.flac",
    }
    assert planned("memory://d", "memory://d/out", ending="flac") == expected
    assert planned("memory://d/**/*.wav", "memory://d/out", ending="flac") == expected
    assert planned(["memory://d/one.wav", "memory://d/a/two.wav"], "memory://d/out", ending="flac") == expected
    there = str(tmp_path / "two.wav")
    assert planned("memory://d/a/two.wav", tmp_path) == {"memory://d/a/two.wav": there}
    assert planned("memory://d/a/two.wav", "memory://x.ogg") == {"memory://d/a/two.wav": "memory://x.ogg"}


def test_a_folder_in_an_archive(tree: Path, tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for name in TREE:
            archive.write(tree / name, f"top/{name}")
    outputs = planned(f"zip://top::{tmp_path}/in.zip", tmp_path / "out")
    assert outputs == {f"zip://top/{name}::{tmp_path}/in.zip": str(tmp_path / "out" / name) for name in TREE}


def test_what_is_wrong_with_urls(memory: Any, tree: Path, tmp_path: Path) -> None:
    refused("nonsense://x can't be used: Protocol not known: nonsense", "nonsense://x", tmp_path)
    refused("There is no file or folder memory://none", "memory://none", tmp_path)
    refused("must be in one store, to have a tree to keep", [tree / "one.wav", "memory://one.wav"], tmp_path)
    refused("one of them is a URL", [tree / "one.wav"], tmp_path, root="memory://")
    memory.pipe_file("/x/one.wav", b"")
    memory.pipe_file("/y/one.wav", b"")
    refused("have no folder in common", ["memory://x/one.wav", "memory://y/one.wav"], tmp_path)


def test_a_protocol_whose_package_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(MissingExtraError, match=r"s3://bucket/x needs a package that is not installed: .*s3fs"):
        plan_files("s3://bucket/x", tmp_path)


# ---------------------------------------------------------------------- what is refused


def test_two_inputs_for_one_output(tree: Path, tmp_path: Path) -> None:
    make_tree(tree, ["one.flac"], samples=100)
    assert len(planned(tree, tmp_path / "out")) == len(TREE) + 1
    both = f"{tree}/one.flac and {tree}/one.wav -> {tmp_path}/out/one.ogg"
    refused(f"Two inputs may not become the same output: {both}", tree, tmp_path / "out", ending="ogg")
    refused("Two inputs may not become the same output", [tree / "one.wav"] * 2, tmp_path / "out")
    many = make_tree(tmp_path / "many", [f"{n}.{e}" for n in range(8) for e in ("wav", "flac")], samples=10)
    refused("; and 3 more. Render them to different folders", many, tmp_path / "out", ending="wav")


def test_an_output_that_is_an_input(tree: Path, tmp_path: Path) -> None:
    refused("Input and output must be different folders", tree, tree)
    refused("An output may not be one of the inputs", tree / "one.wav", tree / "one.wav")
    refused("An output may not be one of the inputs", f"{tree}/*.wav", tree)
    refused(f"An output may not be one of the inputs: {tree}/one.wav", [tree / "one.wav"], tree)
    if sys.platform != "win32":
        (tmp_path / "same").symlink_to(tree)
        refused("Input and output must be different folders", tree, tmp_path / "same")
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "one.wav").symlink_to(tree / "one.wav")
        refused("An output may not be one of the inputs", tree, tmp_path / "out")


def test_nothing_to_render(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    refused(f"There are no audio files in {tmp_path}/in. Looked for: .aif", tmp_path / "in", tmp_path / "out")
    (tmp_path / "in" / "notes.txt").write_text("")
    refused("(1 files have other endings)", tmp_path / "in", tmp_path / "out")
    refused("There are no audio files in", f"{tmp_path}/*.wav", tmp_path / "out")
    refused(f"There is no file or folder {tmp_path}/none.", tmp_path / "none", tmp_path / "out")
    refused("Expected at least one input file, got an empty list.", [], tmp_path / "out")
    refused("Expected the name of a file or folder, got ''.", "", tmp_path / "out")


def test_lists_that_are_none(tmp_path: Path) -> None:
    refused("which was to list the inputs", tmp_path / "none.txt", tmp_path / "out", listed=True)
    (tmp_path / "list.txt").write_text("\n \n")
    refused("names no file. Write one path or URL a line.", tmp_path / "list.txt", tmp_path / "out", listed=True)
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe")
    refused("it is not UTF-8 text", tmp_path / "list.txt", tmp_path / "out", listed=True)


def test_formats_that_can_t_be_written(tree: Path, tmp_path: Path) -> None:
    (tree / "old.au").write_bytes(b"")
    refused(f"1 of 6 files have an ending that can be read but not written: {tree}/old.au.", tree, tmp_path / "out")
    refused("The format must be one of .aiff, .flac, .mp3, .ogg, .wav, got '.doc'.", tree, tmp_path, ending="doc")


def test_an_output_folder_that_is_a_file(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    refused(f"Expected a folder to write into, got {tmp_path}/out, which is a file.", tree, tmp_path / "out")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="an administrator may read anything")
def test_a_folder_that_can_t_be_listed(tree: Path, tmp_path: Path) -> None:
    (tree / "a").chmod(0)
    try:
        refused("can't be listed: Permission denied.", tree, tmp_path / "out")
    finally:
        (tree / "a").chmod(0o700)
