"""`.nam` files, compiled: beside their published references and float64, in blocks of several lengths."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

from neutone_like.compiler import plan_graph
from neutone_like.graph import capture
from neutone_like.importers import load_nam
from support.compiled_networks import opened
from support.nam_whole_signal import play

SAMPLES = 1500
FACTOR = 2.0
"""How many times PyTorch's error in float32. A WaveNet's onset after silence is where a tanh whose error has one sign
shows: all taps add up there."""


class _Played(nn.Module):
    """A model as a network of its sound alone."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        played: Tensor = self.model.do_forward_pass(x, {})
        return played


def largest(difference: Tensor) -> float:
    return float(difference.abs().max())


@pytest.mark.parametrize(("name", "most_steps"), [("lstm", 2), ("wavenet_a1_standard", 45)])
def test_compiled_files_err_hardly_more_than_eager_float32(name: str, most_steps: int, shared_folder: Path) -> None:
    folder = shared_folder / "nam"
    file: dict[str, Any] = json.loads((folder / f"{name}.nam").read_text())
    sound, reference = (
        torch.from_numpy(soundfile.read(folder / f"{each}.wav", dtype="float32", frames=SAMPLES)[0])
        for each in ("input_48k", f"{name}_reference")
    )
    exact = play(file, sound, torch.float64)
    allowed = FACTOR * largest(play(file, sound, torch.float32) - exact)
    model = load_nam(folder / f"{name}.nam")
    model.reset_model()
    plan = plan_graph(capture(_Played(model), sound[None, :64]))
    assert len(plan.steps) <= most_steps
    native = opened(plan)
    for block in (1, 17, 64, 256):
        native.reset()
        parts = [
            native.play(np.ascontiguousarray(part), [])
            for part in np.array_split(sound[None].numpy(), range(block, SAMPLES, block), 1)
        ]
        played = torch.from_numpy(np.concatenate(parts, 1)[0])
        assert largest(exact) > 1000 * allowed
        assert largest(played - exact) <= allowed, block
        assert largest(played - reference) <= allowed + largest(reference - exact), block
