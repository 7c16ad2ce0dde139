"""`.nam` files played in blocks of any length, beside a computation at once that shares nothing with the importer."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch
from torch import Tensor

from neutone_like.importers import load_nam
from neutone_like.model import WaveformToWaveformBase
from neutone_like.streaming import reset_streaming
from support.nam_whole_signal import play

LENGTHS = (1, 2, 3, 5, 7, 15, 16, 64, 333, 997)


def in_random_blocks(model: WaveformToWaveformBase, sound: Tensor, rng: random.Random) -> Tensor:
    model.reset_model()
    parts: list[Tensor] = []
    at = 0
    while at < len(sound):
        length = rng.choice(LENGTHS)
        parts.append(model.do_forward_pass(sound[None, at : at + length], {})[0])
        at += length
    return torch.cat(parts)


def largest(difference: Tensor) -> float:
    return float(difference.abs().max())


def amp(channels: int, head: int, **changes: Any) -> dict[str, Any]:
    array = {"input_size": 1, "condition_size": 1, "channels": channels, "head_size": head, "kernel_size": 3}
    return {**array, "dilations": [1, 2, 4, 8], "activation": "Tanh", "gated": False, "head_bias": False, **changes}


def weight_count(config: dict[str, Any]) -> int:
    """Of a WaveNet, summed up by hand."""
    count = 1  # the scale
    for array in config["layers"]:
        channels, wide = array["channels"], array["channels"] * (2 if array["gated"] else 1)
        layer = wide * (channels * array["kernel_size"] + 1) + wide + channels * (channels + 1)
        count += channels * array["input_size"] + layer * len(array["dilations"])
        count += array["head_size"] * (channels + (1 if array["head_bias"] else 0))
    return count


def made(architecture: str, config: dict[str, Any], count: int, rng: random.Random) -> dict[str, Any]:
    weights = [rng.uniform(-0.6, 0.6) for _ in range(count)]
    return {"version": "0.5.4", "architecture": architecture, "config": config, "weights": weights}


def wavenets(rng: random.Random) -> list[dict[str, Any]]:
    gated = [amp(4, 3, gated=True), amp(3, 1, input_size=4, head_bias=True, kernel_size=2)]
    plain = [amp(5, 1, activation="ReLU", dilations=[3, 1])]
    configs: list[dict[str, Any]] = [{"layers": each, "head": None, "head_scale": 0.5} for each in (gated, plain)]
    return [made("WaveNet", config, weight_count(config), rng) for config in configs]


def lstm(layers: int, hidden: int, rng: random.Random) -> dict[str, Any]:
    cells = 4 * hidden * (1 + hidden + 1) + 2 * hidden
    cells += (layers - 1) * (4 * hidden * (2 * hidden + 1) + 2 * hidden)
    config = {"input_size": 1, "hidden_size": hidden, "num_layers": layers}
    return made("LSTM", config, cells + hidden + 1, rng)


def test_made_files_play_as_their_layout_says_at_any_chunking(tmp_path: Path) -> None:
    rng = random.Random(3)
    path = tmp_path / "made.nam"
    for file in [*wavenets(rng), lstm(2, 3, rng)]:
        path.write_text(json.dumps(file))
        model, sound = load_nam(path), 0.5 * torch.randn(1500)
        expected = play(file, sound, torch.float64)
        for _ in range(3):
            played = in_random_blocks(model, sound, rng)
            assert largest(played - expected) <= 2e-6 * max(1.0, largest(expected)), file["architecture"]


def test_a_batch_plays_as_each_of_it_alone(tmp_path: Path) -> None:
    rng, path = random.Random(7), tmp_path / "made.nam"
    for file in [*wavenets(rng), lstm(2, 3, rng)]:
        path.write_text(json.dumps(file))
        network = load_nam(path).model
        sounds = 0.5 * torch.randn(3, 1, 200)
        reset_streaming(network)
        together = torch.cat([network(each) for each in sounds.split(90, 2)], 2)
        for sound, found in zip(sounds, together, strict=True):
            alone = in_random_blocks(load_nam(path), sound[0], rng)
            assert largest(found[0] - alone) <= 1e-5 * max(1.0, largest(alone)), file["architecture"]
        reset_streaming(network)  # and one sound goes again afterwards
        assert network(sounds[:1]).shape == (1, 1, 200)


@pytest.mark.parametrize("name", ["lstm", "wavenet_a1_standard"])
def test_published_files_err_at_most_twice_as_much_as_eager_float32(name: str, shared_folder: Path) -> None:
    folder, samples = shared_folder / "nam", 6000
    file: dict[str, Any] = json.loads((folder / f"{name}.nam").read_text())
    sound, reference = (
        torch.from_numpy(soundfile.read(folder / f"{each}.wav", dtype="float32", frames=samples)[0])
        for each in ("input_48k", f"{name}_reference")
    )
    exact = play(file, sound, torch.float64)
    allowed = 2 * largest(play(file, sound, torch.float32) - exact)
    model, rng = load_nam(folder / f"{name}.nam"), random.Random(5)
    for _ in range(2):
        played = in_random_blocks(model, sound, rng)
        assert largest(played - exact) <= allowed
        assert largest(played - reference) <= allowed


def test_without_the_silence_before_the_first_samples_differ(shared_folder: Path) -> None:
    """The control: states of zeros, which is not where players start, are far outside of what is allowed."""
    model = load_nam(shared_folder / "nam" / "wavenet_a1_standard.nam")
    sound = torch.zeros(1, 64)
    settled = model.do_forward_pass(sound, {})
    for name, buffer in model.named_buffers():
        if name.endswith(".past"):
            buffer.zero_()
    assert largest(model.do_forward_pass(sound, {}) - settled) > 1e-4
