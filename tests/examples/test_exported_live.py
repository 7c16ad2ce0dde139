"""What was exported once keeps loading and keeps its sound: the artifacts committed in ``exported/``."""

import filecmp
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from neutone_like import load_compiled
from neutone_like.artifact import load_artifact, read_metadata
from neutone_like.artifact.format.schema import PLAYABLE_SCHEMA_VERSIONS
from support.exported_folders import FOLDERS, LIVE_FOLDERS
from support.places import EXPORTED, PROJECT

LARGEST_ARTIFACT_BYTES = 1_000_000
# Other processors and versions of PyTorch add in another order and fuse multiplications: an LSTM differs by 1e-6 of
# full scale, a gate that decides one bin otherwise by more. A changed format, delay, filter or knob is far above.
TOLERANCE = 1e-4

every_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
every_live_folder = pytest.mark.parametrize("folder", LIVE_FOLDERS, ids=lambda folder: folder.name)


def play(module: Any, rate: int, block: int, audio: NDArray[np.float32], values: NDArray[np.float32]) -> torch.Tensor:
    """As exported/README.md says."""
    module.set_daw_sample_rate_and_buffer_size(rate, block)
    module.reset()
    torch.manual_seed(0)
    outputs = [
        module.forward(
            torch.from_numpy(np.ascontiguousarray(audio[:, start : start + block])),
            torch.from_numpy(np.ascontiguousarray(values[:, start : start + block])),
        )
        for start in range(0, audio.shape[1], block)
    ]
    return torch.cat(outputs, dim=1)


def differences(folder: Path, golden_folder: Path) -> dict[str, float]:
    """For each golden output, the largest difference of an artifact's own."""
    artifact = load_artifact(folder)
    found: dict[str, float] = {}
    with np.load(golden_folder / "golden.npz") as golden:
        for name in (key for key in golden.files if key.startswith("output_")):
            _, rate, block, motion = name.split("_")
            module = artifact.fresh_module()
            y = play(module, int(rate), int(block), golden["input"], golden[motion])
            assert y.shape == golden[name].shape
            found[name] = float(np.abs(y.numpy() - golden[name]).max())
    return found


def test_every_example_is_there() -> None:
    texts = {path.stem: path.read_text(encoding="utf-8") for path in (PROJECT / "examples").glob("*.py")}
    examples = {name for name, text in texts.items() if "\ndef build_model(" in text}
    missing = examples - {folder.name for folder in FOLDERS}
    assert len(FOLDERS) >= 4
    assert not missing, f"run make exported: {sorted(missing)} have no artifact in exported/"


@every_live_folder
def test_todays_loader_plays_it_as_on_the_day_it_was_made(folder: Path) -> None:
    found = differences(folder, folder)
    assert len(found) >= 4
    assert max(found.values()) <= TOLERANCE, found
    assert load_artifact(folder).verify_test_vector() <= TOLERANCE


@every_live_folder
def test_golden_outputs_are_worth_comparing(folder: Path) -> None:
    """Each is sound, not silence; settings and parameters make a difference; one of them is resampled."""
    artifact = load_artifact(folder)
    with np.load(folder / "golden.npz") as golden:
        outputs = {name: golden[name] for name in golden.files if name.startswith("output_")}
        assert all(np.abs(output).max() > 0.01 and np.isfinite(output).all() for output in outputs.values())
        resampled = []
        for name in outputs:
            artifact.module.set_daw_sample_rate_and_buffer_size(*(int(part) for part in name.split("_")[1:3]))
            resampled.append(artifact.module.is_resampling())
        assert any(resampled) or artifact.sample_rates == ()
        assert artifact.parameters == () or not np.array_equal(golden["standing"], golden["moving"])


@every_folder
def test_metadata_is_what_this_version_promises_to_read(folder: Path) -> None:
    metadata = read_metadata(folder)
    assert metadata.neutone_like is not None
    assert metadata.neutone_like.schema_version in PLAYABLE_SCHEMA_VERSIONS
    assert json.loads(metadata.to_json()) == json.loads((folder / "metadata.json").read_text(encoding="utf-8"))


@every_folder
def test_it_is_small_and_alone(folder: Path) -> None:
    files = {path.name for path in folder.iterdir()}
    assert files - {"model.nlc"} == {"golden.npz", "metadata.json", "model.nm"}
    live = folder in LIVE_FOLDERS
    compiles = live or folder.name == "stem_separator"
    assert ("model.nlc" in files) == compiles, "of the offline ones the separator plays blocks"
    assert (folder / "model.nm").stat().st_size < LARGEST_ARTIFACT_BYTES
    assert (folder / "golden.npz").stat().st_size < LARGEST_ARTIFACT_BYTES


def test_compiled_models_belong_to_what_lies_beside_them_and_sound_as_they_did() -> None:
    files = [path.with_name("model.nm") for path in EXPORTED.glob("*/model.nlc")]
    assert len(files) >= 12
    for file in files:
        compiled = load_compiled(file)  # which holds it against the file's digest
        compiled.check_test_vector()


def test_another_model_does_not_pass_for_it() -> None:
    """Positive control of the comparison."""
    found = differences(EXPORTED / "overdrive", EXPORTED / "tone_control")
    assert min(found.values()) > 100 * TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lstm_amp"])
def test_rebuilding_gives_the_same(name: str, tmp_path: Path, subprocess_environment: dict[str, Any]) -> None:
    for folder in ("first", "second"):
        subprocess.run(
            [sys.executable, str(PROJECT / "examples" / "rebuild_exported.py"), name, "--out", str(tmp_path / folder)],
            check=True,
            env=subprocess_environment,
            timeout=600,
        )
    files = ["model.nm", "metadata.json", "golden.npz"]
    same, _, _ = filecmp.cmpfiles(tmp_path / "first" / name, tmp_path / "second" / name, files, shallow=False)
    assert same == files, "the same machine and versions make the same bytes"
    assert max(differences(tmp_path / "first" / name, EXPORTED / name).values()) <= TOLERANCE


def test_what_is_no_example_is_named(subprocess_environment: dict[str, Any]) -> None:
    command = [sys.executable, str(PROJECT / "examples" / "rebuild_exported.py"), "overdrve"]
    result = subprocess.run(command, env=subprocess_environment, capture_output=True, text=True, timeout=600)
    assert result.returncode == 2
    assert "overdrve" in result.stderr
