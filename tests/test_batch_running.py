"""A job from its inputs to its result: what is rendered, what is left out, what fails, and what the manifest says."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import soundfile
import torch
from torch import nn

from batch_tools import TREE, Noisy, artifact_of, contents, lines, make_tree, rendered_counts
from neutone_like import (
    ArtifactError,
    AudioError,
    BatchResult,
    MissingExtraError,
    ModelError,
    ParameterError,
    RenderError,
    load_artifact,
    render_file,
    render_files,
)
from neutone_like.render import RenderInterrupted
from neutone_like.render.batch import PlanError, settings
from render_models import Echo, Poison, Volume


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return artifact_of(Noisy(), tmp_path_factory.mktemp("noisy") / "artifact")


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return artifact_of(Volume(nn.Identity()), tmp_path_factory.mktemp("volume") / "artifact")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "in")


def here(model: Any, source: Any, output: Any, **options: Any) -> BatchResult:
    """In this process, where a test sees everything."""
    chosen: dict[str, Any] = {"workers": 0, "progress": False, **options}
    return render_files(model, source, output, **chosen)


def counts(result: BatchResult) -> tuple[int, int, int]:
    return len(result.done), len(result.skipped), len(result.failed)


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
        r"6 of 7 files rendered, 1 failed, 1 other files ignored; [\d.]+ s, [\d.]+ x real time", result.summary()
    )
    clipped, poisoned = result.warnings()
    assert clipped.startswith("5 files are over full scale")
    assert poisoned.startswith("1 file is with samples that the model gave as NaN")
    told = result.to_dict()
    assert (told["total"], told["done"], told["skipped"], told["remaining"], told["ignored"]) == (7, 6, 0, 0, 1)
    assert [failure["input"] for failure in told["failed"]] == [str(tree / "bad.wav")]
    assert told["audio_seconds"] == pytest.approx((5 * 5000 + 10 + 100) / 48000)


# ---------------------------------------------------------------------- what is left out


def test_resume_leaves_out_what_is_finished(volume: Path, tree: Path, tmp_path: Path) -> None:
    assert counts(here(volume, tree, tmp_path / "out")) == (5, 0, 0)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.wav")}
    assert counts(here(volume, tree, tmp_path / "out", resume=True)) == (0, 5, 0)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.wav")} == before
    assert set(rendered_counts(tmp_path / "out" / "manifest.jsonl").values()) == {1}
    assert counts(here(volume, tree, tmp_path / "out")) == (5, 0, 0)  # unless told, it renders


def changed_input(tree: Path, out: Path) -> None:
    x, rate = soundfile.read(tree / "one.wav")
    x[7] += 1e-3
    soundfile.write(tree / "one.wav", x, rate)


def damaged_output(tree: Path, out: Path) -> None:
    content = bytearray((out / "one.wav").read_bytes())
    content[-1] ^= 1
    (out / "one.wav").write_bytes(content)


@pytest.mark.parametrize(
    "change",
    [
        changed_input,
        damaged_output,
        lambda tree, out: (out / "one.wav").unlink(),
        lambda tree, out: (out / "one.wav").write_bytes(b""),
    ],
)
def test_resume_renders_what_changed(volume: Path, tree: Path, tmp_path: Path, change: Any) -> None:
    out = tmp_path / "out"
    here(volume, tree, out)
    change(tree, out)
    result = here(volume, tree, out, resume=True)
    assert counts(result) == (1, 4, 0)
    assert [Path(record.input).name for record in result.done] == ["one.wav"]
    here(volume, tree, tmp_path / "fresh")
    assert contents(out) == contents(tmp_path / "fresh")


def test_a_touched_or_moved_input_is_the_same(volume: Path, tree: Path, tmp_path: Path) -> None:
    here(volume, tree, tmp_path / "out")
    os.utime(tree / "one.wav", (0, 0))
    shutil.copytree(tree, tmp_path / "copy")
    assert counts(here(volume, tmp_path / "copy", tmp_path / "out", resume=True)) == (0, 5, 0)


@pytest.mark.parametrize(
    "options",
    [
        {"params": {"gain": 2.0}},
        {"wet": 0.5},
        {"output_gain_db": 1.0},
        {"out_sample_rate": 44100},
        {"bit_depth": 16},
    ],
)
def test_resume_with_other_settings_renders_anew(
    volume: Path, tree: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    here(volume, tree, tmp_path / "out")
    assert counts(here(volume, tree, tmp_path / "out", resume=True, **options)) == (5, 0, 0)
    assert counts(here(volume, tree, tmp_path / "out", resume=True, **options)) == (0, 5, 0)


def test_resume_with_another_model_renders_anew(volume: Path, noisy: Path, tree: Path, tmp_path: Path) -> None:
    here(volume, tree, tmp_path / "out")
    assert counts(here(noisy, tree, tmp_path / "out", resume=True)) == (5, 0, 0)
    elsewhere = tmp_path / "renamed.nm"
    shutil.copy(noisy, elsewhere)
    assert counts(here(elsewhere, tree, tmp_path / "out", resume=True)) == (0, 5, 0)


def test_resume_with_another_torch_renders_anew(
    volume: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here(volume, tree, tmp_path / "out")
    monkeypatch.setattr(settings, "versions", lambda: {"torch": "99.0"})
    assert counts(here(volume, tree, tmp_path / "out", resume=True)) == (5, 0, 0)


def test_values_that_mean_the_same_are_the_same(volume: Path, tree: Path, tmp_path: Path) -> None:
    curve = [(0.0, 1), (0.05, 4)]
    same = (curve, np.array(curve), [[0, 1.0], [0.05, 4.0]])
    here(volume, tree, tmp_path / "out", params={"gain": curve})
    for value in same:
        assert counts(here(volume, tree, tmp_path / "out", params={"gain": value}, resume=True)) == (0, 5, 0)
    other = [(0.0, 1), (0.06, 4)]
    assert counts(here(volume, tree, tmp_path / "out", params={"gain": other}, resume=True)) == (5, 0, 0)


def test_resume_tries_failures_again(volume: Path, tree: Path, tmp_path: Path) -> None:
    good = (tree / "one.wav").read_bytes()
    (tree / "one.wav").write_bytes(good[:1000])
    assert counts(here(volume, tree, tmp_path / "out")) == (4, 0, 1)
    (tree / "one.wav").write_bytes(good)
    assert counts(here(volume, tree, tmp_path / "out", resume=True)) == (1, 4, 0)


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


# ---------------------------------------------------------------------- stores


@pytest.fixture
def memory() -> Iterator[Any]:
    store = fsspec.filesystem("memory")
    store.store.clear()
    yield store
    store.store.clear()


def test_inputs_outputs_model_and_manifest_in_a_store(volume: Path, tree: Path, tmp_path: Path, memory: Any) -> None:
    for name in TREE:
        memory.put_file(str(tree / name), f"/in/{name}")
    memory.put_file(str(volume), "/model.nm")
    memory.pipe_file("/in/bad.wav", b"no audio")
    result = here("memory://model.nm", "memory://in", "memory://out")
    assert counts(result) == (5, 0, 1)
    assert result.manifest == "memory://out/manifest.jsonl"
    assert str(result.failed[0].error).endswith(".wav.")
    here(volume, tree, tmp_path / "out")
    for name in TREE:
        assert memory.cat_file(f"/out/{name}") == (tmp_path / "out" / name).read_bytes()
    assert memory.cat_file("/out/manifest.jsonl").count(b"\n") == 8
    assert counts(here("memory://model.nm", "memory://in", "memory://out", resume=True)) == (0, 5, 1)
    memory.rm("/out/one.wav")
    assert counts(here("memory://model.nm", "memory://in", "memory://out", resume=True)) == (1, 4, 1)


def test_a_store_that_fails(volume: Path, tree: Path, memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(times: int) -> None:
        calls = 0

        def put_file(self: Any, *arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls <= times:
                raise ConnectionError("the wire is cut")
            return whole(self, *arguments, **options)

        monkeypatch.setattr(type(memory), "put_file", put_file)

    whole = type(memory).put_file
    cut(2)
    assert counts(here(volume, tree / "one.wav", "memory://out")) == (1, 0, 0)
    cut(2)
    result = here(volume, tree / "one.wav", "memory://out", retries=1)
    (record,) = result.failed
    assert record.error == "memory://out/one.wav can't be reached: ConnectionError: the wire is cut"
    assert record.error_kind == "StoreError"


# ---------------------------------------------------------------------- wrong use


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"workers": -1}, PlanError, "workers must be a whole number, 0 or more, got -1."),
        ({"retries": True}, PlanError, "retries must be a whole number, 0 or more, got True."),
        ({"engine": "spark"}, PlanError, "engine must be 'processes' or 'dask', got 'spark'."),
        ({"engine": "dask", "workers": None}, PlanError, "engine 'dask' needs the address of a scheduler"),
        ({"engine": "dask", "scheduler": "x:1"}, PlanError, "A Dask cluster has its own workers"),
        ({"scheduler": "x:1"}, PlanError, "A scheduler (x:1) is for engine 'dask' only."),
        ({"params": {"drive": 1}}, ParameterError, "The model has no parameter 'drive'"),
        ({"wet": 2.0}, ParameterError, "wet: allowed is 0..1, got 2.0."),
        ({"device": "cuda"}, ParameterError, "device: a live model runs on the CPU, got 'cuda'."),
        ({"bit_depth": 13}, AudioError, "output.wav can't be written at 44100 Hz with 2 channels"),
        ({"file_format": "ogg", "quality": "golden"}, AudioError, "output.ogg can't be written"),
        ({"file_format": "mp3", "out_sample_rate": 96000}, AudioError, "output.mp3 can't be written at 96000 Hz"),
    ],
)
def test_wrong_use(
    volume: Path, tree: Path, tmp_path: Path, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        here(volume, tree, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_models_that_workers_can_t_load(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="got Noisy. Workers load the model from a file: export it first"):
        here(Noisy(), tree, tmp_path / "out")
    with pytest.raises(ArtifactError, match=r"none.nm can't be read: .*No such file"):
        here(tmp_path / "none.nm", tree, tmp_path / "out")
    (tmp_path / "bad.nm").write_text("no artifact")
    with pytest.raises(ArtifactError, match=r"bad.nm"):
        here(tmp_path / "bad.nm", tree, tmp_path / "out")


def test_a_loaded_artifact_and_its_folder(volume: Path, tree: Path, tmp_path: Path) -> None:
    here(load_artifact(volume), tree, tmp_path / "a")
    assert counts(here(volume.parent, tree, tmp_path / "a", resume=True)) == (0, 5, 0)


def test_the_model_may_change_while_it_is_used(volume: Path, tree: Path, tmp_path: Path) -> None:
    """The job keeps its own copy."""
    model = tmp_path / "model.nm"
    shutil.copy(volume, model)
    result = here(model, tree, tmp_path / "out", progress=lambda done, total: model.write_bytes(b""))
    assert counts(result) == (5, 0, 0)


def test_dask_is_an_extra(volume: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=re.escape('pip install "neutone-like[dask]"')):
        render_files(volume, tree, tmp_path / "out", engine="dask", scheduler="x:1")


def test_two_jobs_for_one_folder(volume: Path, tree: Path, tmp_path: Path) -> None:
    def again(done: int, total: int) -> None:
        with pytest.raises(RenderError, match="Another render is writing to"):
            here(volume, tree, tmp_path / "out")

    assert counts(here(volume, tree, tmp_path / "out", progress=again)) == (5, 0, 0)
