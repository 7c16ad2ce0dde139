"""What ``neutone-like plugin`` writes, refuses and says."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from neutone_like.errors import ArtifactError, CompileError, RuntimeEngineError
from neutone_like.plugin import PluginLoad, build_plugin, building, bundles
from neutone_like.plugin.binary import BINARY, id_in, plugin_binary
from neutone_like.plugin.identity import plugin_identity
from neutone_like.runtime.native_files import NATIVE_FOLDER
from support.cli_runner import FELL_SHORT, GOOD, WRONG_USE, runner
from support.places import EXPORTED
from support.plugin_tools import hand_made, needs_plugin

OVERDRIVE = EXPORTED / "overdrive"
PLACE = b"neutone-like: here stands which plugin this is"
NAMES = {"model_version": "1.0.0", "model_short_description": "d"}


def contents(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}


@needs_plugin
def test_what_is_written(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("stays")
    result = build_plugin(OVERDRIVE, tmp_path)
    assert {name.replace("aarch64", "x86_64") for name in contents(tmp_path)} == {
        *("other.txt", "Overdrive.clap", "Overdrive.vst3/Contents/x86_64-linux/Overdrive.so"),
        *("Overdrive.lv2/Overdrive.so", "Overdrive.lv2/Overdrive.ttl", "Overdrive.lv2/manifest.ttl"),
    }
    assert [each.format for each in result.files] == ["clap", "vst3", "lv2"]
    assert all(each.size_bytes - result.model_bytes < 2_000_000 for each in result.files)
    assert "Overdrive.clap" in str(result)
    assert (tmp_path / "Overdrive.clap").read_bytes().endswith((OVERDRIVE / "model.nlc").read_bytes())
    assert json.loads(json.dumps(result.identity.__dict__))["vendor"] == "Ada"


@needs_plugin
def test_an_older_one_is_replaced_and_a_failure_leaves_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_plugin(OVERDRIVE, tmp_path, ["clap", "lv2"])
    held = (tmp_path / "Overdrive.clap").open("rb")
    (tmp_path / "Overdrive.lv2" / "left.over").write_text("")
    (tmp_path / "Overdrive.lv2" / "._overdrive.so").write_bytes(b"\x00\x05\x16\x07")  # as macOS leaves them
    build_plugin(OVERDRIVE, tmp_path, ["clap", "lv2"])
    assert not (tmp_path / "Overdrive.lv2" / "left.over").exists()
    assert held.read() == (tmp_path / "Overdrive.clap").read_bytes(), "the file that a host has open was not written to"
    held.close()
    before = contents(tmp_path)

    def full(path: Path, content: bytes) -> Path:
        if path.suffix == ".ttl":
            raise OSError("disk full")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    monkeypatch.setattr(bundles, "written", full)
    with pytest.raises(CompileError, match="Can't write the plugin to .*: disk full. Choose a folder"):
        build_plugin(EXPORTED / "lstm_amp", tmp_path)
    assert contents(tmp_path) == before


def whole(folder: Path) -> dict[str, str | bytes]:
    """Everything in a folder: links as what they say, and files' content."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    return {
        name: os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
        for name, path in found.items()
    }


def _file(place: Path, other: Path) -> None:
    place.write_bytes(b"by somebody else")


def _folder(place: Path, other: Path) -> None:
    (place / "sounds").mkdir(parents=True)
    (place / "sounds" / "Overdrive.so").write_bytes(b"by somebody else")


def _empty(place: Path, other: Path) -> None:
    place.mkdir()


def _link_to_nothing(place: Path, other: Path) -> None:
    place.symlink_to("nowhere")


def _another_models(place: Path, other: Path) -> None:
    shutil.copyfile(other, place)


@needs_plugin
@pytest.mark.parametrize("put", [_file, _folder, _empty, _link_to_nothing, _another_models])
def test_other_peoples_plugins_stay(tmp_path: Path, put: Callable[[Path, Path], None]) -> None:
    """Of the last format, when those before it could be replaced."""
    out = tmp_path / "out"
    build_plugin(OVERDRIVE, out, ["clap", "vst3"], worker=True)
    other = build_plugin(EXPORTED / "lstm_amp", tmp_path / "other", ["clap"], worker=False).files[0].path
    put(out / "Overdrive.lv2", other)
    before = whole(out)
    with pytest.raises(CompileError, match=r"Overdrive\.lv2 is another plugin, which would be lost\. Choose another"):
        build_plugin(OVERDRIVE, out, worker=False)
    assert whole(out) == before
    shutil.move(out / "Overdrive.lv2", tmp_path / "gone")
    build_plugin(OVERDRIVE, out, worker=False)
    assert b'"worker": 0' in (out / "Overdrive.clap").read_bytes()


@needs_plugin
def test_what_was_replaced_comes_back_where_another_format_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_plugin(OVERDRIVE, tmp_path, worker=True)
    before, replace = whole(tmp_path), os.replace

    def refusing(source: Path, target: Path) -> None:
        if target == tmp_path / "Overdrive.lv2" and source.name == target.name:
            monkeypatch.undo()
            raise PermissionError(13, "Permission denied")
        replace(source, target)

    monkeypatch.setattr(os, "replace", refusing)
    with pytest.raises(CompileError, match="Can't write the plugin to .*: Permission denied. Choose a folder"):
        build_plugin(OVERDRIVE, tmp_path, worker=False)
    assert whole(tmp_path) == before


@needs_plugin
def test_folders_that_cant_be_written(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("stays")
    for out, said in (
        (in_the_way, "File exists"),
        (in_the_way / "out", "Not a directory"),
        (Path("/proc/neutone-like"), "No such file or directory"),
    ):
        with pytest.raises(CompileError) as caught:
            build_plugin(OVERDRIVE, out, ["clap"])
        assert str(caught.value) == f"Can't write the plugin to {out}: {said}. Choose a folder that you may write to."
    assert in_the_way.read_text() == "stays"


@needs_plugin
def test_a_rate_that_no_host_has(tmp_path: Path) -> None:
    for rate in (500, 999, 384_001):
        with pytest.raises(CompileError, match=f"1000 to 384000 Hz, and this one is for {rate} Hz"):
            build_plugin(hand_made(tmp_path, native_sample_rates=[48000, rate]), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    build_plugin(hand_made(tmp_path, native_sample_rates=[1000]), tmp_path / "out", ["clap"])


@needs_plugin
def test_names_that_leave_nothing_to_call_files_by(tmp_path: Path) -> None:
    names = ("..", "日本", "日本語", "a b", "a_b!", "a/b")
    for name in names:
        build_plugin(hand_made(tmp_path, model_name=name), tmp_path / "out", ["clap", "lv2"], worker=False)
    made = sorted((tmp_path / "out").glob("*.clap"))
    assert len(made) == len(names)
    assert len({id_in(each.read_bytes()) for each in made}) == len(names)


@needs_plugin
@pytest.mark.parametrize(("p99", "worker"), [(4e-4, False), (6e-4, True)])
def test_a_heavy_model_gets_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, p99: float, worker: bool) -> None:
    load = PluginLoad(48000, 64, 2e-5, p99)
    monkeypatch.setattr(building, "measure_load", lambda *_: load)
    result = build_plugin(OVERDRIVE, tmp_path, ["clap"])
    assert (result.worker, load.is_heavy) == (worker, worker)
    assert ("on a thread of its own, 20 ms later" in str(result)) == worker
    assert load.part == pytest.approx(p99 * 750)
    data = result.files[0].path.read_bytes()
    assert (b'"worker": 1' in data) == worker
    build_plugin(OVERDRIVE, tmp_path, ["clap"], worker=not worker)
    assert (b'"worker": 1' in result.files[0].path.read_bytes()) == (not worker)


def test_models_are_told_apart() -> None:
    one = plugin_identity({**NAMES, "model_name": "Big Amp!", "model_authors": ["Ada"]})
    again = plugin_identity({**NAMES, "model_name": "Big Amp!", "model_authors": ["Ada"], "model_version": "2.0.0"})
    others = [
        plugin_identity({**NAMES, "model_name": name, "model_authors": authors})
        for name, authors in (("Big Amp", ["Ada"]), ("Big Amp!", ["Bob"]), ("Big Amp!", ["Ada", "Bob"]), ("é", []))
    ]
    assert others[0].file_name == "Big_Amp"
    assert re.fullmatch("Big_Amp-[0-9a-f]{6}", one.file_name)
    assert one.file_name == again.file_name
    assert len({each.file_name for each in (one, *others)}) == 5
    assert (one.clap_id, one.vst3_id, one.lv2_uri) == (again.clap_id, again.vst3_id, again.lv2_uri)
    for key in ("clap_id", "vst3_id", "lv2_uri"):
        assert len({getattr(each, key) for each in (one, *others)}) == 5
    assert len(one.vst3_id) == 32
    assert re.fullmatch("model-[0-9a-f]{6}", others[-1].file_name)
    assert len(plugin_identity({**NAMES, "model_name": "x", "model_authors": ["é" * 99]}).vendor.encode()) <= 63


def test_an_offline_model_is_no_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is told first, also where no plugin can be made."""
    with pytest.raises(CompileError, match="offline model"):
        build_plugin(EXPORTED / "stem_separator", tmp_path / "out")
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(CompileError, match="offline model"):
        build_plugin(EXPORTED / "stem_separator", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_no_artifact(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="folder without model.nm"):
        build_plugin(tmp_path, tmp_path / "out")
    edited = tmp_path / "edited"
    shutil.copytree(OVERDRIVE, edited)
    model = bytearray((edited / "model.nlc").read_bytes())
    model[-200] ^= 1
    (edited / "model.nlc").write_bytes(model)
    with pytest.raises(ArtifactError, match="model.nlc"):
        build_plugin(edited, tmp_path / "out")
    with pytest.raises(CompileError, match="clap, vst3, lv2, got 'au'"):
        build_plugin(OVERDRIVE, tmp_path / "out", ["clap", "au"])
    assert not (tmp_path / "out").exists()


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = plugin_identity({**NAMES, "model_name": "a", "model_authors": []})
    monkeypatch.setattr("neutone_like.runtime.native_files.NATIVE_FOLDER", tmp_path)
    with pytest.raises(RuntimeEngineError, match="no working C\\+\\+ compiler"):
        plugin_binary(identity, b"", 0)
    (tmp_path / BINARY).write_bytes(b"an older one")
    with pytest.raises(RuntimeEngineError, match="not the plugin's binary of this version"):
        plugin_binary(identity, b"", 0)
    (tmp_path / BINARY).write_bytes(b'{"name": "x"}\0{"name": 1\0' + PLACE.ljust(5000, b"\0"))
    assert id_in((tmp_path / BINARY).read_bytes()) is None
    assert id_in(b"of an older version" + plugin_binary(identity, b"model", 0)) == identity.clap_id
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(RuntimeEngineError, match="made on Linux"):
        build_plugin(OVERDRIVE, tmp_path / "out")


@needs_plugin
def test_the_binary_shows_hosts_its_entries_and_nothing_else() -> None:
    if shutil.which("nm") is None:
        pytest.skip("no nm to list names with (Debian: apt-get install binutils)")
    command = ["nm", "--dynamic", "--defined-only", "--format=posix", NATIVE_FOLDER / BINARY]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = {line.split()[0] for line in told.splitlines()}
    lv2 = {"lv2_descriptor", "lv2ui_descriptor"}
    assert names == {"clap_entry", *lv2, "GetPluginFactory", "ModuleEntry", "ModuleExit"}


@needs_plugin
def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, out = runner(capsys), tmp_path / "out"
    code, said, _ = run("plugin", OVERDRIVE, "--out", out, "--format", "clap, LV2", "--worker", "--json")
    assert code == GOOD
    told = json.loads(said)
    assert [each["format"] for each in told["files"]] == ["clap", "lv2"]
    assert Path(told["files"][0]["path"]).stat().st_size == told["files"][0]["bytes"]
    assert told["identity"]["name"] == "Overdrive"
    assert told["worker"] is True
    assert 0.0 < told["load"]["median_seconds"] <= told["load"]["p99_seconds"]
    code, said, _ = run("plugin", OVERDRIVE, "--out", out)
    assert code == GOOD
    told = {line.split(":")[0].strip() for line in said.splitlines()}
    assert told == {"PluginResult", "clap", "vst3", "lv2", "load", "plays", "tail", "identity"}
    code, _, said = run("plugin", EXPORTED / "stem_separator", "--out", out)
    assert code == FELL_SHORT
    assert "does not become a plugin: This is an offline model" in said
    code, _, said = run("plugin", OVERDRIVE, "--out", out, "--format", "au")
    assert code == WRONG_USE
    assert "clap, vst3, lv2" in said


@needs_plugin
def test_the_players_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, out = runner(capsys), tmp_path / "out"
    code, said, _ = run("plugin", "--player", "--out", out, "--format", "clap", "--json")
    assert code == GOOD
    told = json.loads(said)
    assert (told["identity"]["clap_id"], told["artifact"]) == ("neutone-like.player", None)
    code, said, _ = run("plugin", "--player", OVERDRIVE, "--out", out, "--format", "clap")
    assert code == GOOD
    assert f"begins with: {OVERDRIVE}" in said
    assert str(OVERDRIVE).encode() in (out / "Neutone-like_Player.clap").read_bytes()
    code, _, said = run("plugin", "--player", EXPORTED / "stem_separator", "--out", out)
    assert code == FELL_SHORT
    assert "offline model" in said
    for wrong, why in (((), "which artifact becomes a plugin"), (("--player", "--inline"), "the player decides")):
        code, _, said = run("plugin", *wrong, "--out", out)
        assert code == WRONG_USE
        assert why in " ".join(said.replace("│", " ").split())


@needs_plugin
def test_where_no_program_can_be_loaded_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise OSError(f"{path}: failed to map segment from shared object")

    monkeypatch.setattr("ctypes.CDLL", refuse)
    with pytest.raises(CompileError, match="failed to map segment.* mounted with noexec.* Choose another folder"):
        build_plugin(OVERDRIVE, tmp_path)
    assert contents(tmp_path) == set()
