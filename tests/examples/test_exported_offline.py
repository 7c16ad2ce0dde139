"""The artifacts in ``exported/`` of offline models: they keep loading and keep their sound too."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neutone_like.artifact import Artifact, load_artifact
from support.exported_folders import FOLDERS, LIVE_FOLDERS

OFFLINE_FOLDERS = [folder for folder in FOLDERS if folder not in LIVE_FOLDERS]
# The network of a trained model adds in another order on another processor, and its artifacts in many steps.
TOLERANCE = 1e-4

every_folder = pytest.mark.parametrize("folder", OFFLINE_FOLDERS, ids=lambda folder: folder.name)


def numbered(golden: Any, kind: str) -> list[Any]:
    """``kind_0``, ``kind_1``... of a file of arrays."""
    return [golden[f"{kind}_{index}"] for index in range(sum(name.startswith(f"{kind}_") for name in golden.files))]


def differences(artifact: Artifact, golden_folder: Path) -> dict[str, float]:
    """For each golden output, the largest difference of an artifact's own; as exported/README.md says."""
    found: dict[str, float] = {}
    with np.load(golden_folder / "golden.npz") as golden:
        inputs = [torch.from_numpy(each) for each in numbered(golden, "input")]
        tokens = [each.tolist() for each in numbered(golden, "tokens")]
        for name in (key for key in golden.files if key.startswith("output_")):
            _, rate, values, index = name.split("_")
            module = artifact.fresh_module()
            module.set_daw_sample_rate_and_buffer_size(int(rate), 512)
            outputs = module.forward(inputs, torch.from_numpy(golden[values]), None, tokens or None)
            y = outputs[int(index)].numpy()
            assert y.shape == golden[name].shape
            found[name] = float(np.abs(y - golden[name]).max())
    return found


def test_all_kinds_are_there() -> None:
    artifacts = [load_artifact(folder) for folder in OFFLINE_FOLDERS]
    assert len(artifacts) >= 4
    assert any(len(artifact.audio_out_channels) > 1 for artifact in artifacts)
    assert any(artifact.audio_in_channels == () for artifact in artifacts)
    assert any(artifact.text_parameters and artifact.tokens_parameters for artifact in artifacts)
    assert {bool(artifact.module.is_one_shot_model()) for artifact in artifacts} == {True, False}


@every_folder
def test_todays_loader_plays_it_as_on_the_day_it_was_made(folder: Path) -> None:
    artifact = load_artifact(folder)
    found = differences(artifact, folder)
    assert len(found) == 2 * len(artifact.audio_out_channels)
    assert max(found.values()) <= TOLERANCE, found
    assert artifact.verify_test_vector() <= TOLERANCE


@every_folder
def test_golden_outputs_are_worth_comparing(folder: Path) -> None:
    """Each is sound, not silence; one host's rate is not the model's, if it has one; values make a difference."""
    artifact = load_artifact(folder)
    with np.load(folder / "golden.npz") as golden:
        outputs = {name: golden[name] for name in golden.files if name.startswith("output_")}
        assert all(np.abs(output).max() > 0.01 and np.isfinite(output).all() for output in outputs.values())
        assert artifact.sample_rates == () or set(artifact.sample_rates) != {48000, 44100}
        assert not artifact.numerical_parameters or not np.array_equal(golden["standing"], golden["drawn"])


def test_another_model_does_not_pass_for_it() -> None:
    """Positive control of the comparison."""
    folders = {folder.name: folder for folder in OFFLINE_FOLDERS}
    found = differences(load_artifact(folders["loudness_normaliser"]), folders["diffusion_denoiser"])
    assert min(found.values()) > 100 * TOLERANCE
