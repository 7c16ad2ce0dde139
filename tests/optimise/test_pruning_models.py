"""Whole models pruned: the amps of the examples and two of somebody else's, played as artifacts."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neutone_like import load_artifact
from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.errors import ModelError
from neutone_like.importers import load_nam
from neutone_like.model import NonRealtimeBase
from neutone_like.optimise import prune
from neutone_like.render import Board, ModelPlugin
from support.places import PROJECT

SOUND = (0.3 * np.random.default_rng(0).standard_normal((1, 6000))).astype(np.float32)


@pytest.fixture
def examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PROJECT / "examples"))


@torch.no_grad()
def in_blocks(model: Any, sizes: tuple[int, ...]) -> np.ndarray[Any, Any]:
    model.prepare_model(48000, max(sizes))
    model.reset_model()
    x, done = torch.from_numpy(SOUND), 0
    made: list[torch.Tensor] = []
    while done < x.size(1):
        size = sizes[len(made) % len(sizes)]
        made.append(model.do_forward_pass(x[:, done : done + size], {}))
        done += size
    return torch.cat(made, 1).numpy()


@pytest.mark.parametrize(("name", "after"), [("lstm_amp", 14), ("tcn_amp", 7)])
def test_an_amp_of_the_examples_is_pruned_exported_and_played(
    name: str, after: int, examples: None, tmp_path: Path
) -> None:
    __import__(name)
    model = sys.modules[name].build_model()
    result = prune(model, ratio=0.4)
    small: Any = result.model
    assert type(small) is type(model)
    assert result.equality <= 1e-6
    assert {each.after for each in result.layers} == {after}
    artifact = load_artifact(write_artifact(small, tmp_path, render_samples=False).directory)
    played = Board([ModelPlugin(artifact)])(SOUND, 48000)
    expected = in_blocks(small, (64, 1, 300))
    assert np.abs(played - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("name", ["lstm.nam", pytest.param("wavenet_a1_standard.nam", marks=pytest.mark.slow)])
def test_nam_models(name: str, shared_folder: Path) -> None:
    model = load_nam(shared_folder / "nam" / name)
    result = prune(model, ratio=0.4)
    assert result.equality <= 1e-6
    assert result.parameters_after < 0.6 * result.parameters_before
    whole, one_by_one = in_blocks(result.model, (6000,)), in_blocks(result.model, (333, 64, 1603))
    assert np.abs(whole - one_by_one).max() <= 1e-5 * np.abs(whole).max()
    if name.startswith("wavenet"):  # what every array's layers hear of one another, and what their head hears
        assert sorted({(each.before, each.after) for each in result.layers}) == [(8, 5), (16, 10)]


def test_models_that_prune_does_not_take(examples: None) -> None:
    with pytest.raises(ModelError, match=r"is an offline model: prune its network, prune\(model.model, example\)"):
        prune(NonRealtimeBase())
    from lstm_amp import build_model  # pyright: ignore[reportMissingImports, reportUnknownVariableType]

    with pytest.raises(ModelError, match="leave the example out"):
        prune(build_model(), torch.zeros(1, 64))
    with pytest.raises(ModelError, match="prune takes a network in Python"):
        prune("model.nm")  # pyright: ignore[reportArgumentType]
