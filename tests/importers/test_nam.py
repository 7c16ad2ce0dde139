"""`.nam` files: the reference output from the first sample, any chunking, and refusals by name."""

import json
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch
from torch import Tensor

from neutone_like.errors import ModelFileError
from neutone_like.importers import load_nam


def linear(**changes: Any) -> dict[str, Any]:
    """A whole file of the smallest architecture."""
    config = {"receptive_field": 3, "bias": True}
    return {"version": "0.5.4", "architecture": "Linear", "config": config, "weights": [1.0, 2.0, 3.0, 0.5], **changes}


def written(folder: Path, file: object) -> Path:
    """The file on disk."""
    path = folder / "model.nam"
    path.write_text(json.dumps(file))
    return path


@pytest.mark.parametrize("name", ["lstm", "wavenet_a1_standard"])
def test_reference_output_from_the_first_sample_at_any_chunking(name: str, shared_folder: Path) -> None:
    folder = shared_folder / "nam"
    sound, expected = (
        torch.from_numpy(soundfile.read(folder / f"{file}.wav", dtype="float32")[0])[None, :3000]
        for file in ("input_48k", f"{name}_reference")
    )
    model = load_nam(folder / f"{name}.nam")
    whole = model.do_forward_pass(sound, {})
    exact = load_nam(folder / f"{name}.nam").double().do_forward_pass(sound.double(), {})
    allowed = 2 * float((whole - exact).abs().max())
    for block in (997, 64, 7):
        model.reset_model()
        played = torch.cat([model.do_forward_pass(part, {}) for part in sound.split(block, 1)], 1)
        assert float((played - expected).abs().max()) <= allowed, block


def test_linear_is_the_impulse_response_and_a_container_plays_its_largest(tmp_path: Path) -> None:
    small = {"max_value": 0.5, "model": linear(weights=[9.0, 9.0, 9.0, 9.0])}
    container = {"submodels": [small, {"max_value": 1.0, "model": linear()}]}
    file = {"version": "0.7.0", "architecture": "SlimmableContainer", "config": container, "weights": []}
    impulse: Tensor = torch.tensor([[1.0, 0.0, 0.0, 0.0]])
    for each in (linear(), file):
        model = load_nam(written(tmp_path, each))
        assert model.do_forward_pass(impulse, {}).tolist() == [[1.5, 2.5, 3.5, 0.5]]
        assert model.sample_rates == (48000,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": "0.8.0"}, "version is '0.8.0'; known here are"),
        ({"architecture": "CatLSTM"}, "architecture 'CatLSTM' is not known"),
        ({"weights": [1.0, 2.0]}, "needs more"),
        ({"weights": [1.0] * 5}, "has 5 numbers, and the architecture takes 4"),
        ({"weights": [1.0, 2.0, float("nan"), 0.5]}, r"weights\[2\] must be a finite number, got nan"),
        ({"weights": [1.0, 10**400, 3.0, 0.5]}, r"weights\[1\] must be a finite number"),
        ({"config": {"receptive_field": 10**12, "bias": True}}, "receptive_field must be an integer in"),
        ({"config": {"bias": True}}, "has no 'receptive_field'"),
        ({"config": {"receptive_field": 3, "bias": True, "drive": 2}}, "has 'drive', which is not known here"),
        ({"sample_rate": "fast"}, "sample_rate must lie in"),
    ],
)
def test_what_is_unknown_or_damaged_is_refused_by_name(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=message):
        load_nam(written(tmp_path, linear(**changes)))


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, linear())
    path.write_text(path.read_text()[:-9])
    with pytest.raises(ModelFileError, match="not whole JSON"):
        load_nam(path)


def test_notes_beside_the_model_and_early_names_in_it_change_nothing(tmp_path: Path) -> None:
    """Files of January 2026 call three things otherwise, and published ones have notes; a head may be said twice."""
    array = {"input_size": 1, "condition_size": 1, "channels": 2, "kernel_size": 2, "dilations": [1, 3]}
    array |= {"activation": "Tanh", "gating_mode": "none", "conv_pre_film": {"active": True, "shift": False}}
    film, one = {"active": True, "shift": True}, {"active": True, "out_channels": 4, "groups": 2}
    now = {"head1x1": one, "layer1x1_post_film": film, "layer1x1": {"active": True, "groups": 2}}
    now |= {"head": {"out_channels": 1, "kernel_size": 1, "bias": True}, "head_size": 1, "head_bias": True}
    early = {"head_1x1": one, "1x1_post_film": film, "groups_1x1": 2, "head_size": 1, "head_bias": True}
    count = 2 + 2 * (10 + 2 + 4 + 8 + 2 * 2 + 4 * 2) + 5 + 1
    played: list[Tensor] = []
    for names in (now, early):
        config = {"layers": [{**array, **names}], "head": None, "head_scale": 0.5}
        weights = torch.linspace(-0.6, 0.7, count).tolist()
        file = linear(version="0.6.0", architecture="WaveNet", config=config, weights=weights, notes=["a test case"])
        played.append(load_nam(written(tmp_path, file)).do_forward_pass(torch.linspace(-1.0, 1.0, 40)[None], {}))
    assert torch.equal(*played)
    assert float(played[0].std()) > 0.01


@pytest.mark.parametrize(
    ("scale", "limits", "message"),
    [
        ("loud", (0.5, 1.0), "head_scale must be a finite number, got 'loud'"),
        (float("nan"), (0.5, 1.0), "head_scale must be a finite number, got nan"),
        (1.0, (0.5, float("nan")), "max_value must grow, and end at 1 or above"),
        (1.0, (0.5, float("inf")), "max_value must grow, and end at 1 or above"),
    ],
)
def test_numbers_that_do_not_sound_are_checked_too(
    scale: object, limits: tuple[float, float], message: str, tmp_path: Path
) -> None:
    array = {"input_size": 1, "condition_size": 1, "channels": 1, "head_size": 1, "kernel_size": 2, "dilations": [1]}
    config = {"layers": [{**array, "activation": "Tanh", "head_bias": False}], "head_scale": scale}
    model = linear(architecture="WaveNet", config=config, weights=[0.5] * 9)
    entries = [{"max_value": limit, "model": model} for limit in limits]
    container = linear(architecture="SlimmableContainer", config={"submodels": entries}, weights=[])
    with pytest.raises(ModelFileError, match=message):
        load_nam(written(tmp_path, container))


def test_what_a_file_says_of_itself_is_taken_where_it_is_text(tmp_path: Path) -> None:
    odd = {"name": ["a"], "modeled_by": {}, "gear_type": 3, "date": {"year": True, "month": 1, "day": 2}}
    said = load_nam(written(tmp_path, linear(metadata=odd))).metadata
    assert (said.name, said.authors, said.version, said.tags) == ("model", ("unknown",), "1.0.0", ("nam",))
    told = {"name": " Lead\n2 ", "modeled_by": "Ada", "gear_type": "amp", "date": {"year": 2024, "month": 1, "day": 2}}
    said = load_nam(written(tmp_path, linear(metadata=told))).metadata
    assert (said.name, said.authors, said.version, said.tags) == ("Lead 2", ("Ada",), "2024.1.2", ("nam", "amp"))
