"""What ``neutone-like plugin`` writes, refuses and says."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from neutone_like.errors import ArtifactError, CompileError, RuntimeEngineError
from neutone_like.plugin import PluginLoad, build_plugin, building
from neutone_like.plugin.binary import BINARY, plugin_binary
from neutone_like.plugin.identity import plugin_identity
from neutone_like.runtime.native_files import NATIVE_FOLDER
from support.cli_runner import FELL_SHORT, GOOD, WRONG_USE, runner
from support.places import EXPORTED
from support.plugin_tools import needs_plugin

OVERDRIVE = EXPORTED / "overdrive"
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

    monkeypatch.setattr(building, "_written", full)
    with pytest.raises(OSError, match="disk full"):
        build_plugin(EXPORTED / "lstm_amp", tmp_path)
    assert contents(tmp_path) == before


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
    assert one.file_name == "Big_Amp"
    assert (one.clap_id, one.vst3_id, one.lv2_uri) == (again.clap_id, again.vst3_id, again.lv2_uri)
    for key in ("clap_id", "vst3_id", "lv2_uri"):
        assert len({getattr(each, key) for each in (one, *others)}) == 5
    assert len(one.vst3_id) == 32
    assert others[-1].file_name == "model"
    assert len(plugin_identity({**NAMES, "model_name": "x", "model_authors": ["é" * 99]}).vendor.encode()) <= 63


@pytest.mark.parametrize(
    ("name", "said"), [("stem_separator", "offline model"), ("crossover", "2 channels and gives 6")]
)
def test_models_that_are_no_plugin(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(CompileError, match=said):
        build_plugin(EXPORTED / name, tmp_path / "out")
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
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(RuntimeEngineError, match="on Linux and for Linux"):
        build_plugin(OVERDRIVE, tmp_path / "out")


@needs_plugin
def test_the_binary_shows_hosts_its_entries_and_nothing_else() -> None:
    if shutil.which("nm") is None:
        pytest.skip("no nm to list names with (Debian: apt-get install binutils)")
    command = ["nm", "--dynamic", "--defined-only", "--format=posix", NATIVE_FOLDER / BINARY]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = {line.split()[0] for line in told.splitlines()}
    assert names == {"clap_entry", "lv2_descriptor", "GetPluginFactory", "ModuleEntry", "ModuleExit"}


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
    assert "Overdrive.vst3" in said
    code, _, said = run("plugin", EXPORTED / "crossover", "--out", out)
    assert code == FELL_SHORT
    assert "does not become a plugin: A plugin plays mono and stereo" in said
    code, _, said = run("plugin", OVERDRIVE, "--out", out, "--format", "au")
    assert code == WRONG_USE
    assert "clap, vst3, lv2" in said
