"""Jobs in stores, and jobs that are refused before anything starts."""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from torch import nn

from neutone_like import (
    ArtifactError,
    AudioError,
    MissingExtraError,
    ModelError,
    ParameterError,
    RenderError,
    load_artifact,
    render_files,
)
from neutone_like.render.batch import PlanError
from support.batch_tools import TREE, Noisy, artifact_of, counts, here, make_tree
from support.render_models import Volume


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return artifact_of(Volume(nn.Identity()), tmp_path_factory.mktemp("volume") / "artifact")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "in")


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
