"""Exported artifacts through files and boards."""

from pathlib import Path

import numpy as np
import pedalboard
import pytest
import soundfile
import torch

from neutone_like import ArtifactError, ParameterError
from neutone_like.artifact import Artifact, load_artifact, write_artifact
from neutone_like.render import Board, ModelPlugin, render_file
from neutone_like.render.foreign_module import ForeignModule
from support.render_models import Echo, PureDelay


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_artifact(Echo(), tmp_path_factory.mktemp("artifacts") / "echo", render_samples=False).directory


@pytest.fixture
def source(tmp_path: Path) -> Path:
    x = np.random.default_rng(0).uniform(-0.3, 0.3, (2, 30_000))
    soundfile.write(tmp_path / "in.wav", x.T, 44100, subtype="FLOAT")
    return tmp_path / "in.wav"


def test_every_way_to_name_a_model_sounds_alike(folder: Path, source: Path, tmp_path: Path) -> None:
    artifact = load_artifact(folder)
    sounds = []
    params = {"feedback": [(0.1, 0.2), (0.5, 0.9)]}
    for model in (artifact, folder, folder / "model.nm", str(folder / "model.nm"), Echo(), ModelPlugin(folder, params)):
        render_file(model, source, tmp_path / "out.wav", params=None if isinstance(model, ModelPlugin) else params)
        sounds.append(soundfile.read(tmp_path / "out.wav")[0])
    for sound in sounds[1:]:
        np.testing.assert_allclose(sound, sounds[0], atol=1e-6)


def test_an_artifact_keeps_its_own_state(folder: Path, source: Path, tmp_path: Path) -> None:
    artifact: Artifact = load_artifact(folder)
    module = artifact.module
    module.set_daw_sample_rate_and_buffer_size(48000, 100)
    impulse = torch.zeros(2, 100)
    impulse[:, 0] = 1.0
    module.forward(impulse)
    board = Board([artifact, pedalboard.Gain(0.0), artifact])
    board(np.ones((2, 500), dtype=np.float32), 44100)
    render_file(artifact, source, tmp_path / "out.wav")
    assert module.forward(torch.zeros(2, 100))[0, 0] == pytest.approx(0.5)


def test_a_scripted_model_at_another_rate(tmp_path: Path) -> None:
    folder = write_artifact(PureDelay((48000,), (512,)), tmp_path / "delay", render_samples=False).directory
    x = np.zeros((2, 20_001), dtype=np.float32)
    x[0, 12_345] = x[1, 20_000] = 0.5
    y = Board([folder])(x, 44100)
    assert y.shape == x.shape
    assert np.abs(y).argmax(axis=1).tolist() == [12_345, 20_000]


def test_no_artifact(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="none.nm"):
        render_file(tmp_path / "none.nm", source, tmp_path / "out.wav")
    (tmp_path / "text.nm").write_text("no model")
    with pytest.raises(ArtifactError, match="text.nm"):
        Board([tmp_path / "text.nm"])
    assert not (tmp_path / "out.wav").exists()


class OtherMaker(torch.nn.Module):
    """The common contract and nothing more: one parameter, a delay of a block, four rows of host values or an error."""

    def set_daw_sample_rate_and_buffer_size(self, sample_rate: int, block_size: int) -> None:
        self.past = torch.zeros(2, block_size)

    def reset(self) -> None:
        self.past = torch.zeros_like(self.past)

    def calc_buffering_delay_samples(self) -> int:
        return self.past.size(1) - 1

    def calc_model_delay_samples(self) -> int:
        return 1

    def forward(self, x: torch.Tensor, params: torch.Tensor | None = None) -> torch.Tensor:
        if params is None or params.size(0) != 4:
            raise ValueError("the contract has four rows")
        y, self.past = self.past, x * params[0]
        return y


def test_artifacts_of_other_makers() -> None:
    plugin = ModelPlugin(Echo(), {"feedback": 0.45})
    plugin.module = ForeignModule(OtherMaker())
    x = np.random.default_rng(0).uniform(-0.3, 0.3, (2, 5000)).astype(np.float32)
    np.testing.assert_allclose(Board([plugin])(x, 44100), 0.5 * x, atol=1e-6)
    for knob, message in (("wet", "wet and dry: this artifact of another maker"), ("input_gain_db", "has no gains")):
        setattr(plugin, knob, 0.5)
        with pytest.raises(ParameterError, match=message):
            Board([plugin])(x, 44100)
        setattr(plugin, knob, None)
