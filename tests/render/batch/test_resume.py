"""What a job that is resumed leaves out: what is the same, by content; and all else it renders."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from neutone_like.render.batch import settings
from support.batch_tools import Noisy, artifact_of, changed_input, contents, counts, here, make_tree, rendered_counts
from support.render_models import Volume


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return artifact_of(Noisy(), tmp_path_factory.mktemp("noisy") / "artifact")


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return artifact_of(Volume(nn.Identity()), tmp_path_factory.mktemp("volume") / "artifact")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "in")


def test_resume_leaves_out_what_is_finished(volume: Path, tree: Path, tmp_path: Path) -> None:
    assert counts(here(volume, tree, tmp_path / "out")) == (5, 0, 0)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.wav")}
    assert counts(here(volume, tree, tmp_path / "out", resume=True)) == (0, 5, 0)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.wav")} == before
    assert set(rendered_counts(tmp_path / "out" / "manifest.jsonl").values()) == {1}
    assert counts(here(volume, tree, tmp_path / "out")) == (5, 0, 0)  # unless told, it renders


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
