"""What must work with every dependency at its lower bound: `make lowest` runs it where they are, warnings as errors.

Import, help, export, validation, a batch of one file, and, unless --without-engine, the engine.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor, nn

from neutone_like import (
    ContinuousParameter,
    ModelMetadata,
    WaveformToWaveformBase,
    export_model,
    render_file,
    validate_artifact,
)


class Level(WaveformToWaveformBase):
    metadata = ModelMetadata(
        name="Level", authors=("Ada",), version="1.0.0", short_description="A gain", tags=("utility",)
    )
    parameters = (ContinuousParameter("gain", "What the input is multiplied by", default=0.5),)
    in_channels = 2
    out_channels = 2
    sample_rates = (48000,)
    block_sizes = (512,)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * params["gain"]


def command_line(*arguments: str) -> str:
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-m", "neutone_like", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main(engine: bool, folder: Path) -> None:
    for verb in ("", "export", "validate", "render", "inspect"):
        assert "--help" in command_line(*verb.split(), "--help")
    artifact = export_model(Level(nn.Identity()), folder / "level", validate=False).model_path
    report = validate_artifact(artifact, quick=True)
    assert report.passed, report
    sound = np.linspace(-0.5, 0.5, 44100, dtype=np.float32)
    soundfile.write(folder / "in.wav", np.stack([sound, sound], 1), 44100, subtype="FLOAT")
    render_file(artifact, folder / "in.wav", folder / "out.wav", params={"gain": 0.25})
    played, rate = soundfile.read(folder / "out.wav")
    assert rate == 44100
    assert np.abs(played[1000:-1000, 0] - 0.25 * sound[1000:-1000]).max() < 1e-3
    command_line("render", str(artifact), str(folder / "in.wav"), str(folder / "again.wav"), "--param", "gain=0.25")
    if engine:
        from neutone_like.runtime import Engine, HostConfig

        with Engine() as opened, opened.open(artifact, HostConfig(44100, 64, 2)) as session:
            assert session.process(np.zeros((2, 64), np.float32)).shape == (2, 64)
    sys.stdout.write(f"All works with torch {torch.__version__} and numpy {np.__version__}\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main("--without-engine" not in sys.argv, Path(temporary))
