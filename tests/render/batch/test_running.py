"""A job from its inputs to its result: what is rendered, what is left out, what fails, and what the manifest says."""

import errno
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import nn

from neutone_like import AudioError, RenderError, render_file
from neutone_like.render import RenderInterrupted
from neutone_like.render.batch import PlanError
from support.batch_tools import (
    TREE,
    Noisy,
    artifact_of,
    changed_input,
    contents,
    counts,
    here,
    lines,
    make_tree,
    rendered_counts,
)
from support.file_owner_tools import writer_of_nothing
from support.render_models import Echo, Poison, Volume


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return artifact_of(Noisy(), tmp_path_factory.mktemp("noisy") / "artifact")


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return artifact_of(Volume(nn.Identity()), tmp_path_factory.mktemp("volume") / "artifact")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "in")


# ---------------------------------------------------------------------- what is rendered


def test_every_file_is_what_render_file_makes_of_it(tree: Path, tmp_path: Path) -> None:
    echo = artifact_of(Echo(), tmp_path / "echo")
    result = here(echo, tree, tmp_path / "out", params={"feedback": 0.9}, out_sample_rate=44100, bit_depth=24)
    assert counts(result) == (5, 0, 0)
    assert set(contents(tmp_path / "out")) == set(TREE)
    for name in TREE:
        alone = tmp_path / "alone.wav"
        expected = render_file(echo, tree / name, alone, params={"feedback": 0.9}, out_sample_rate=44100, bit_depth=24)
        assert (tmp_path / "out" / name).read_bytes() == alone.read_bytes()
        (record,) = [each for each in result.records if each.output == str(tmp_path / "out" / name)]
        assert record.audio is not None
        assert (record.audio["samples"], record.audio["peak"]) == (expected.samples, expected.peak)


def test_what_comes_out_does_not_depend_on_what_came_before(noisy: Path, tree: Path, tmp_path: Path) -> None:
    here(noisy, tree, tmp_path / "forwards")
    here(noisy, [tree / name for name in reversed(TREE)], tmp_path / "backwards")
    assert contents(tmp_path / "forwards") == contents(tmp_path / "backwards")
    audio = [soundfile.read(tmp_path / "forwards" / name)[0] - soundfile.read(tree / name)[0] for name in TREE[:2]]
    assert np.abs(audio[0]).max() > 0.1  # it is noisy
    assert np.abs(audio[0][:100] - audio[1][:100]).max() > 0.1  # and each file has a noise of its own


def test_the_caller_s_random_numbers_are_left_alone(noisy: Path, tree: Path, tmp_path: Path) -> None:
    before = torch.get_rng_state()
    here(noisy, tree, tmp_path / "out")
    assert torch.equal(torch.get_rng_state(), before)


def test_the_manifest_says_what_became_of_every_file(volume: Path, tree: Path, tmp_path: Path) -> None:
    (tree / "bad.wav").write_text("no audio")
    result = here(volume, tree, tmp_path / "out")
    assert result.manifest == str(tmp_path / "out" / "manifest.jsonl")
    first, *files, last = lines(tmp_path / "out" / "manifest.jsonl")
    assert (first["kind"], first["files"], first["version"]) == ("run", 6, 1)
    assert first["versions"]["torch"] == torch.__version__
    assert {key: last[key] for key in ("kind", "done", "skipped", "failed")} == {
        "kind": "end",
        "done": 5,
        "skipped": 0,
        "failed": 1,
    }
    digests = contents(tmp_path / "out")
    for line in files:
        name = os.path.relpath(line["output"], tmp_path / "out")
        if name == "bad.wav":
            assert line["status"] == "failed"
            assert line["error_kind"] == "AudioError"
            continue
        (written,) = line["written"]
        assert (written["location"], written["sha256"]) == (line["output"], digests[name])
        assert line["audio"]["samples"] == soundfile.info(line["output"]).frames
    assert {line["run"] for line in files} == {first["run"]}
    assert len(files) == 6


def test_a_single_file_has_no_manifest_unless_named(volume: Path, tree: Path, tmp_path: Path) -> None:
    result = here(volume, tree / "one.wav", tmp_path / "one.flac")
    assert (counts(result), result.manifest) == ((1, 0, 0), None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "one.flac"]
    for expected in ((1, 0, 0), (0, 1, 0)):
        result = here(volume, tree / "one.wav", tmp_path / "one.flac", manifest=tmp_path / "m.jsonl", resume=True)
        assert counts(result) == expected
    with pytest.raises(PlanError, match="a single file has none unless it is named"):
        here(volume, tree / "one.wav", tmp_path / "one.flac", resume=True)


def test_progress_counts_files(volume: Path, tree: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    here(volume, tree, tmp_path / "out", progress=lambda done, total: seen.append((done, total)))
    assert seen == [(number, 5) for number in range(1, 6)]


def test_the_result(tree: Path, tmp_path: Path) -> None:
    poison = artifact_of(Poison(nn.Identity()), tmp_path / "poison")
    for name, level in (("loud.wav", 0.95), ("notes.txt", 0.0)):
        soundfile.write(tree / name, np.full((100, 2), level), 48000, format="WAV", subtype="FLOAT")
    (tree / "bad.wav").write_text("no audio")
    result = here(poison, tree, tmp_path / "out", output_gain_db=12.0, file_format="flac")
    assert re.fullmatch(
        r"6 of 7 files rendered, 1 failed, 1 other file ignored; [\d.]+ s, [\d.]+ x real time", result.summary()
    )
    clipped, poisoned = result.warnings()
    assert clipped.startswith("5 files are over full scale")
    assert poisoned.startswith("1 file is with samples that the model gave as NaN")
    told = result.to_dict()
    assert (told["total"], told["done"], told["skipped"], told["remaining"], told["ignored"]) == (7, 6, 0, 0, 1)
    assert [failure["input"] for failure in told["failed"]] == [str(tree / "bad.wav")]
    assert told["audio_seconds"] == pytest.approx((5 * 5000 + 10 + 100) / 48000)


# ---------------------------------------------------------------------- what fails


def test_files_that_fail_do_not_stop_the_others(volume: Path, tree: Path, tmp_path: Path) -> None:
    (tree / "corrupt.flac").write_bytes(b"fLaC" + b"\x07" * 1000)
    (tree / "empty.wav").write_bytes(b"")
    soundfile.write(tree / "nothing.wav", np.zeros((0, 2)), 48000)
    soundfile.write(tree / "many.wav", np.zeros((10, 5)), 48000)
    (tmp_path / "out" / "a").mkdir(parents=True)
    (tmp_path / "out" / "a" / "b").write_text("a file where a folder must be")
    names = [str(tree / name) for name in (*TREE, "corrupt.flac", "empty.wav", "nothing.wav", "many.wav", "none.wav")]
    result = here(volume, names, tmp_path / "out")
    failed = {Path(record.input).name: str(record.error) for record in result.failed}
    messages = {
        "corrupt.flac": f"{tree}/corrupt.flac can't be read as audio",
        "empty.wav": f"{tree}/empty.wav is an empty file: there is no audio in it.",
        "nothing.wav": f"{tree}/nothing.wav holds no audio: it is 0 samples long.",
        "many.wav": "Volume takes mono or stereo (1 or 2 channels), got 5 channels.",
        "none.wav": f"There is no file {tree}/none.wav.",
        "three.wav": f"The folder {tmp_path}/out/a/b can't be made: File exists.",
        "four.wav": f"The folder {tmp_path}/out/a/b can't be made: File exists.",
    }
    assert set(failed) == set(messages)
    for name, message in messages.items():
        assert failed[name].startswith(message)
    assert set(contents(tmp_path / "out")) == {"one.wav", "a/two.wav", "c/five.wav", "a/b"}


def test_a_file_that_vanishes_during_the_run(volume: Path, tree: Path, tmp_path: Path) -> None:
    def remove(done: int, total: int) -> None:
        (tree / "one.wav").unlink(missing_ok=True)

    result = here(volume, tree, tmp_path / "out", progress=remove)
    assert [record.error for record in result.failed] == [f"There is no file {tree}/one.wav."]
    assert counts(result) == (4, 0, 1)


def test_a_file_that_changes_while_it_is_rendered(
    volume: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from neutone_like.render.batch import player

    def rewriting(model: Any, source: Path, *rest: Any, **options: Any) -> Any:
        result = render_file(model, source, *rest, **options)
        if source.name == "one.wav":
            changed_input(tree, tmp_path)
        return result

    monkeypatch.setattr(player, "render_file", rewriting)
    result = here(volume, tree, tmp_path / "out")
    assert [record.error for record in result.failed] == [
        f"{tree}/one.wav was changed while it was rendered. Render it again."
    ]
    assert not (tmp_path / "out" / "one.wav").exists()


def test_an_error_that_nobody_expected_is_a_failure_too(
    volume: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from neutone_like.render.batch import player

    def failing(*arguments: Any, **options: Any) -> Any:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(player, "render_file", failing)
    result = here(volume, tree, tmp_path / "out")
    assert {record.error for record in result.failed} == {"Unexpected error: ZeroDivisionError: by zero"}
    assert len(result.failed) == 5


def test_an_interruption_leaves_whole_files_and_can_be_resumed(volume: Path, tree: Path, tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".one.wav.0123abcd.part").write_text("of an earlier run that was killed")
    with pytest.raises(RenderInterrupted, match=r"Interrupted: 2 of 5 files rendered, 3 are left; ") as caught:
        here(volume, tree, tmp_path / "out", progress=interrupt)
    assert caught.value.result.remaining == 3
    assert len(contents(tmp_path / "out")) == 2
    assert counts(here(volume, tree, tmp_path / "out", resume=True)) == (3, 2, 0)
    assert set(rendered_counts(tmp_path / "out" / "manifest.jsonl").values()) == {1}


def test_leftovers_of_a_killed_run_are_removed(volume: Path, tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "a").mkdir(parents=True)
    for name in (".one.wav.0123abcd.part", "a/.two.wav.0123abcd.part", ".mine.wav.0123abcd.part", ".one.wav.part"):
        (out / name).write_text("half")
    here(volume, tree, out)
    assert set(contents(out)) == {*TREE, ".mine.wav.0123abcd.part", ".one.wav.part"}


def test_what_another_render_is_writing_stays(volume: Path, tree: Path, tmp_path: Path) -> None:
    """Two scripts, or two machines on one disk, with a manifest each; and one that is stopped, not dead."""
    out = tmp_path / "out"
    out.mkdir()
    with writer_of_nothing() as other:
        theirs = out / f".one.wav.{other.mark}.part"
        far_away = out / f".one.wav.00000000-{os.getpid()}-00000000-00000000.part"
        for file in (theirs, far_away):
            file.write_text("half")
        other.process.send_signal(signal.SIGSTOP)
        here(volume, tree, out, manifest=tmp_path / "mine.jsonl")
        assert theirs.exists()
        assert far_away.exists()
    a_week_ago = time.time() - 7 * 86_400
    os.utime(far_away, (a_week_ago, a_week_ago))
    here(volume, tree, out, manifest=tmp_path / "mine.jsonl")
    assert set(contents(out)) == set(TREE)


def test_a_link_in_the_output_folder_is_not_written_through(volume: Path, tree: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious.wav"
    precious.write_text("mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "one.wav").symlink_to(precious)
    (tmp_path / "out" / "a").symlink_to(tmp_path / "elsewhere")  # a folder may lie on another disk
    result = here(volume, tree, tmp_path / "out")
    message = f"{tmp_path}/out/one.wav is a link to {precious}, which would be replaced. Remove the link"
    assert [str(record.error)[: len(message)] for record in result.failed] == [message]
    assert counts(result) == (4, 0, 1)
    assert precious.read_text() == "mine"
    assert (tmp_path / "elsewhere" / "b" / "four.wav").exists()


class FullDisk:
    """Has no room for some files: for each name, how often."""

    def __init__(self, times: dict[str, int]) -> None:
        self.times = times

    def render(self, model: Any, source: Path, *rest: Any, **options: Any) -> Any:
        if self.times.get(source.name, 0) > 0:
            self.times[source.name] -= 1
            raise AudioError("can't be written: No space left on device.") from OSError(errno.ENOSPC, "full")
        return render_file(model, source, *rest, **options)


@pytest.mark.parametrize(("times", "failed"), [({"two.wav": 9}, ["two.wav"]), ({"two.wav": 1, "one.wav": 1}, [])])
def test_a_file_without_room_does_not_stop_the_others(
    volume: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: dict[str, int], failed: list[str]
) -> None:
    from neutone_like.render.batch import player

    monkeypatch.setattr(player, "render_file", FullDisk(times).render)
    result = here(volume, tree, tmp_path / "out")
    assert [Path(record.input).name for record in result.failed] == failed
    assert all("Make room, and resume." in str(record.error) for record in result.failed)
    assert counts(result) == (5 - len(failed), 0, len(failed))
    assert set(rendered_counts(tmp_path / "out" / "manifest.jsonl").values()) == {1}


def test_where_nothing_has_room_the_job_stops(volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from neutone_like.render.batch import player

    names = [f"{number}.wav" for number in range(30)]
    disk = FullDisk(dict.fromkeys(names, 9))
    monkeypatch.setattr(player, "render_file", disk.render)
    with pytest.raises(RenderError, match=r"No space left on device. Make room, and resume. Stopped: 0 of 30 files"):
        here(volume, make_tree(tmp_path / "many", names, samples=100), tmp_path / "out")
    assert sum(disk.times.values()) == 30 * 9 - 10
