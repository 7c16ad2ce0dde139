"""What of a live model can be in a compiled one, and what can't."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from neutone_like import ModelMetadata, WaveformToWaveformBase, export_model, load_artifact
from neutone_like.errors import CaptureError
from neutone_like.runtime.core_capture import capture_artifact


class _Base(WaveformToWaveformBase):
    metadata = ModelMetadata(name="Fading in", authors=("Ada",), version="1.0.0")
    in_channels = 1
    out_channels = 1


class Counting(_Base):
    """Counts its blocks in a number, and changes its mind after some."""

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.blocks: int = 0

    def reset_model(self) -> None:
        self.blocks = 0

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.blocks += 1
        return x if self.blocks > 2 else 0.5 * x


class CountingInTensor(_Base):
    """Counts them in a tensor."""

    blocks: Tensor

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.register_buffer("blocks", torch.zeros(1))

    def reset_model(self) -> None:
        self.blocks = torch.zeros(1)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        self.blocks = self.blocks + 1.0
        return x * torch.where(self.blocks > 2.0, 1.0, 0.5)


def test_a_number_that_what_is_calculated_depends_on_is_refused(tmp_path: Path) -> None:
    for model in (Counting(), CountingInTensor()):
        export_model(model, tmp_path / type(model).__name__, validate=False, render_samples=False)
    with pytest.raises(CaptureError, match=r"how far core\.blocks has counted. Keep that as a tensor"):
        capture_artifact(load_artifact(tmp_path / "Counting"))
    captured = capture_artifact(load_artifact(tmp_path / "CountingInTensor"))
    assert len(captured.graph.states) == 1
