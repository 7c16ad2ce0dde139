"""Networks whose TorchScript is out of the ordinary export: made before, or with operators that have older versions."""

import zipfile
from pathlib import Path

import torch
from torch import Tensor, nn

from neutone_like import WaveformToWaveformBase, load_artifact
from neutone_like.artifact import write_artifact
from support.artifact_models import Faded
from support.host_models import metadata, noise


class Filtered(WaveformToWaveformBase):
    metadata = metadata("Filtered")
    in_channels = 1
    out_channels = 1

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return self.model(x.unsqueeze(0))[0]


def test_a_scripted_network_exports(tmp_path: Path) -> None:
    network = nn.Conv1d(1, 1, 1)
    write_artifact(Filtered(torch.jit.script(network)), tmp_path, render_samples=False)
    x = noise(512, 1)
    with torch.no_grad():
        expected = network(x.unsqueeze(0))[0]
    torch.testing.assert_close(load_artifact(tmp_path / "model.nm").module.forward(x), expected)


def test_an_operator_with_older_versions(tmp_path: Path) -> None:
    written = write_artifact(Faded(), tmp_path / "faded", render_samples=False)
    with zipfile.ZipFile(written.model_path) as archive:
        assert any(name.endswith("/.data/version") for name in archive.namelist()), "another operator is needed here"
    load_artifact(written.model_path, verify_test_vector=True)
