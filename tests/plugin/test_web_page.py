"""The folder of a web page: what is in it, what is refused, and what stays as it was."""

import errno
import gzip
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile

from neutone_like import ArtifactError, AudioError, CompileError
from neutone_like.artifact.format.archive import COMPILED_NAME
from neutone_like.plugin import build_web_page, web_page
from neutone_like.plugin.web_facts import page_facts
from neutone_like.validate import ValidationReport
from neutone_like.validate.html import write_report
from support.cli_runner import FELL_SHORT, GOOD, runner
from support.compiled_files import late_model
from support.places import EXPORTED
from support.web_page import PAGE

OVERDRIVE = EXPORTED / "overdrive"


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def facts_of(index: Path) -> Any:
    found = re.search(r'<script id="facts" type="application/json">(.*?)</script>', index.read_text("utf-8"))
    assert found is not None
    return json.loads(found[1])


def test_it_holds_the_model_and_what_plays_it(tmp_path: Path) -> None:
    index = build_web_page(OVERDRIVE, tmp_path / "page")
    made = content_of(tmp_path / "page")
    assert index == tmp_path / "page" / "index.html"
    assert made["model.nlc"] == (OVERDRIVE / COMPILED_NAME).read_bytes()
    assert made["player.wasm"] == (PAGE / "player.wasm").read_bytes()
    assert gzip.decompress(made["player_relaxed.wasm.gz"]) == (PAGE / "player_relaxed.wasm").read_bytes()
    assert "player_relaxed.wasm" not in made
    facts = facts_of(index)
    assert set(facts["files"]) == set(made) - {"index.html"}
    assert facts["parameters"] == [
        {"name": "drive", "description": "Input gain", "unit": "dB", "labels": []}
        | {"minimum": 0.0, "maximum": 36.0, "default": 12.0}
    ]
    assert facts["mix"] == {"wet": 1.0, "dry": 0.0, "inputGain": 1.0, "outputGain": 1.0}
    texts = [content.decode() for name, content in made.items() if name.endswith((".html", ".js", ".css"))]
    assert len(texts) > 8
    assert re.findall(r"https?://(?!localhost)[^\s']+", "".join(texts)) == []


def test_a_page_of_a_recurrent_network_is_below_a_megabyte(tmp_path: Path) -> None:
    """With two seconds of sound, as exports write four."""
    artifact = tmp_path / "artifact"
    shutil.copytree(EXPORTED / "lstm_amp", artifact)
    (artifact / "samples").mkdir()
    sound = np.cumsum(np.random.default_rng(1).standard_normal(96000)) / 2000.0
    soundfile.write(artifact / "samples" / "riff_in.wav", sound, 48000, subtype="PCM_16")
    build_web_page(artifact, tmp_path / "page")
    assert sum(map(len, content_of(tmp_path / "page").values())) < 1_000_000


def test_sounds_are_smaller_and_the_same(tmp_path: Path) -> None:
    artifact = tmp_path / "artifact"
    shutil.copytree(OVERDRIVE, artifact)
    (artifact / "samples").mkdir()
    sound = 0.3 * np.sin(np.arange(20000) / 20.0)
    for name, subtype in (("my_riff_in", "PCM_16"), ("my_riff_out", "PCM_16"), ("voice", "FLOAT")):
        soundfile.write(artifact / "samples" / f"{name}.wav", sound, 44100, subtype=subtype)
    index = build_web_page(artifact, tmp_path / "page")
    assert facts_of(index)["sounds"] == [
        {"name": "My riff", "file": "sounds/my_riff.flac"},
        {"name": "Voice", "file": "sounds/voice.wav"},
    ]
    given, rate = soundfile.read(artifact / "samples" / "my_riff_in.wav", dtype="int16")
    kept = soundfile.read(tmp_path / "page" / "sounds" / "my_riff.flac", dtype="int16")
    assert kept[1] == rate
    np.testing.assert_array_equal(kept[0], given)
    (artifact / "samples" / "voice.wav").write_bytes(b"no sound")
    with pytest.raises(AudioError, match=r"voice\.wav can't be read as a sound(.|\n)*Take it away"):
        build_web_page(artifact, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_sound_that_lost_its_end_is_refused(tmp_path: Path) -> None:
    artifact = tmp_path / "artifact"
    shutil.copytree(OVERDRIVE, artifact)
    (artifact / "samples").mkdir()
    path = artifact / "samples" / "riff_in.wav"
    soundfile.write(path, np.zeros(20000), 44100, subtype="PCM_16")
    path.write_bytes(path.read_bytes()[:-20000])
    with pytest.raises(AudioError, match=r"riff_in\.wav is cut off: its header promises 20000 samples"):
        build_web_page(artifact, tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_a_name_is_no_part_of_an_address_and_no_sound_hides_another(tmp_path: Path) -> None:
    artifact = tmp_path / "artifact"
    shutil.copytree(OVERDRIVE, artifact)
    (artifact / "samples").mkdir()
    names = ("take #1?.wav", "x.wav", "x_2.wav", "x_in.wav")
    for number, name in enumerate(names):
        soundfile.write(artifact / "samples" / name, np.full(100 + number, 0.1), 44100, subtype="PCM_16")
        (artifact / "samples" / f"._{name}").write_bytes(b"\x00\x05\x16\x07")  # as macOS leaves them
    facts = facts_of(build_web_page(artifact, tmp_path / "page"))
    files = [each["file"] for each in facts["sounds"]]
    assert files == ["sounds/take%20%231%3F.flac", "sounds/x.flac", "sounds/x_2.flac", "sounds/x_3.flac"]
    assert set(files) < set(facts["files"])
    lengths = [soundfile.info(tmp_path / "page" / unquote(file)).frames for file in files]
    assert lengths == [100, 101, 102, 103]
    assert [each["name"] for each in facts["sounds"]] == ["Take #1?", "X", "X 2", "X 3"]


def test_only_sliders_have_a_double_click(tmp_path: Path) -> None:
    metadata = json.loads((OVERDRIVE / "metadata.json").read_text("utf-8"))
    assert "double-click" in build_web_page(OVERDRIVE, tmp_path / "page").read_text("utf-8")
    metadata["neutone_like"]["parameters"] = []
    (tmp_path / "model.nlc").write_bytes(late_model(json.dumps(metadata)))
    assert "double-click" not in build_web_page(tmp_path / "model.nlc", tmp_path / "without").read_text("utf-8")


def test_texts_of_a_model_stay_texts(tmp_path: Path) -> None:
    hostile = '</script><script>alert("1")</script>'
    metadata = json.loads((OVERDRIVE / "metadata.json").read_text("utf-8")) | {"model_name": hostile}
    (tmp_path / "model.nlc").write_bytes(late_model(json.dumps(metadata)))
    page = build_web_page(tmp_path / "model.nlc", tmp_path / "page").read_text("utf-8")
    assert "<script>alert" not in page
    assert page.count("</script>") == 2
    assert facts_of(tmp_path / "page" / "index.html")["name"] == hostile


def test_choices_have_labels_and_gains_are_factors() -> None:
    choice = {"name": "kind", "description": "", "type": "categorical", "labels": ["a", "b", "c"], "default": 1}
    ours = {"in_channels": 1, "out_channels": 1, "parameters": [choice]}
    gains = {"input_gain_default_value": 0.6, "output_gain_default_value": 0.25}
    rest = {"wet_default_value": 0.5, "dry_default_value": 0.5, "native_sample_rates": [], "model_name": "x"}
    facts = page_facts({"neutone_like": ours, **gains, **rest}, [], [])
    (knob,) = facts["parameters"]
    assert (knob["minimum"], knob["maximum"], knob["default"], knob["labels"]) == (0, 2, 1, ["a", "b", "c"])
    assert facts["mix"]["inputGain"] == pytest.approx(10 ** (6 / 20))
    assert facts["mix"]["outputGain"] == pytest.approx(10 ** (-15 / 20))


def test_what_is_no_live_model_is_refused(tmp_path: Path) -> None:
    for name in ("stem_separator", "diffusion_denoiser"):
        with pytest.raises(CompileError, match=r"offline model, which takes whole sounds(.|\n)*neutone-like render"):
            build_web_page(EXPORTED / name, tmp_path / "page")
    with pytest.raises(CompileError, match="offline model"):
        build_web_page(EXPORTED / "stem_separator" / "model.nlc", tmp_path / "page")
    with pytest.raises(ArtifactError, match="is a folder without model.nm"):
        build_web_page(tmp_path, tmp_path / "page")
    (tmp_path / "model.nlc").write_bytes((OVERDRIVE / "model.nlc").read_bytes()[:-1])
    with pytest.raises(ArtifactError, match="no compiled model that can be played"):
        build_web_page(tmp_path / "model.nlc", tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_an_older_page_is_replaced_and_everything_else_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page"
    build_web_page(EXPORTED / "lstm_amp", page)
    (page / "mine.txt").write_text("mine")
    before = content_of(page)
    with monkeypatch.context() as patch:
        patch.setattr(web_page, "page_facts", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            build_web_page(OVERDRIVE, page)
    assert content_of(page) == before
    build_web_page(OVERDRIVE, page)
    assert facts_of(page / "index.html")["name"] == "Overdrive"
    assert (page / "mine.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page"]


def test_the_report_links_to_the_page_of_its_own_model(tmp_path: Path) -> None:
    for name in ("model.nm", "model.nlc"):
        (tmp_path / name).write_bytes((OVERDRIVE / name).read_bytes())
    validation = ValidationReport("Overdrive", (), ())
    report = write_report(tmp_path, validation, tmp_path)

    def links() -> bool:
        return re.search(r'<p [^>]*id="web-page">\s*<a href="web/index.html">', report.read_text("utf-8")) is not None

    build_web_page(tmp_path, tmp_path / "page")
    assert not links()
    index = build_web_page(tmp_path, tmp_path / "web")
    assert links()
    assert index == tmp_path / "web" / "index.html"
    write_report(tmp_path, validation, tmp_path)
    assert links()
    build_web_page(EXPORTED / "lstm_amp", tmp_path / "web")
    assert not links()


def test_a_page_of_somebody_else_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("<h1>Mine</h1>")
    with pytest.raises(CompileError, match=r"index\.html is another page, which would be lost"):
        build_web_page(OVERDRIVE, tmp_path / "page")
    (tmp_path / "file").write_text("")
    with pytest.raises(CompileError, match="file is a file, and a folder is written"):
        build_web_page(OVERDRIVE, tmp_path / "file")
    assert content_of(tmp_path) == {"page/index.html": b"<h1>Mine</h1>", "file": b""}


def test_files_of_somebody_else_are_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("style.css", "page.js", "service.js", "model.nlc"):
        folder = tmp_path / name.replace(".", "_")
        folder.mkdir()
        (folder / name).write_text("mine")
        with monkeypatch.context() as patch:
            patch.setattr(web_page, "compiled_of", lambda *_: 1 / 0)  # it is said before an hour of compiling
            with pytest.raises(CompileError, match=rf"{name} is there already and would be lost(.|\n)*--out"):
                build_web_page(OVERDRIVE, folder)
        assert content_of(folder) == {name: b"mine"}
    artifact, folder = tmp_path / "artifact", tmp_path / "page"
    shutil.copytree(OVERDRIVE, artifact)
    for sounds in (artifact / "samples", folder / "sounds"):
        sounds.mkdir(parents=True)
    soundfile.write(artifact / "samples" / "riff_in.wav", np.zeros(100), 44100, subtype="PCM_16")
    (folder / "sounds" / "riff.flac").write_text("mine")
    with pytest.raises(CompileError, match=r"riff\.flac is there already"):
        build_web_page(artifact, folder)
    assert content_of(folder) == {"sounds/riff.flac": b"mine"}
    assert [path.name for path in folder.iterdir()] == ["sounds"]


def test_all_is_staged_within_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside it nothing may be written, and renaming may cross file systems where the folder is a link."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "parent").mkdir()
    (tmp_path / "parent" / "page").symlink_to(tmp_path / "elsewhere")
    moved: list[tuple[Path, Path]] = []
    replace = os.replace

    def recorded(source: Path, target: Path) -> None:
        moved.append((source.resolve(), target.parent.resolve()))
        replace(source, target)

    monkeypatch.setattr(os, "replace", recorded)
    index = build_web_page(OVERDRIVE, tmp_path / "parent" / "page")
    assert index.is_file()
    assert len(moved) > 8
    assert all(path.is_relative_to(tmp_path / "elsewhere") for pair in moved for path in pair)
    assert not [path.name for path in (tmp_path / "elsewhere").iterdir() if path.name.startswith(".")]


def test_a_new_folder_is_gone_again_where_nothing_came_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_page, "page_facts", lambda *_: 1 / 0)
    (tmp_path / "old").mkdir()
    for name in ("old", "new"):
        with pytest.raises(ZeroDivisionError):
            build_web_page(OVERDRIVE, tmp_path / name)
    assert [path.name for path in tmp_path.rglob("*")] == ["old"]


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "page" / "index.html").mkdir(parents=True)
    for out, reason in ((tmp_path / "file" / "page", "Not a directory"), (tmp_path / "page", "Is a directory")):
        with pytest.raises(CompileError) as caught:
            build_web_page(OVERDRIVE, out)
        assert str(caught.value).startswith(f"Can't write the page to {out}: {reason}: ")
        assert str(caught.value).endswith(". Choose a folder that you may write to.")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(CompileError, match="No space left on device"):
        build_web_page(OVERDRIVE, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = runner(capsys)
    (tmp_path / "my page").mkdir()
    (tmp_path / "my page" / "mine.txt").write_text("mine")
    code, printed, _ = run("web", OVERDRIVE, "--out", tmp_path / "my page", "--json")
    assert code == GOOD
    told = json.loads(printed)
    assert Path(told["page"]) == tmp_path / "my page" / "index.html"
    assert told["folder_bytes"] == sum(map(len, content_of(tmp_path / "my page").values())) - len("mine")
    code, printed, said = run("web", EXPORTED / "diffusion_denoiser", "--out", tmp_path / "other")
    assert (code, printed) == (FELL_SHORT, "")
    assert "There is no page of" in said
    code, printed, _ = run("web", OVERDRIVE, "--out", tmp_path / "my page")
    assert code == GOOD
    assert f"python -m http.server --directory '{tmp_path / 'my page'}', then" in printed
