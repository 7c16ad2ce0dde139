"""Rendering that is interrupted while the model computes, and artifacts that other makers wrote."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from neutone_like import ContinuousParameter, TextParameter
from neutone_like.render import OfflinePlugin, render_file
from neutone_like.render.foreign_offline import ForeignOffline
from support.float_files import noise, read, write
from support.offline_models import WholeDelay
from support.places import TESTS

INTERRUPTED = """
import sys
sys.path[:0] = [{tests!r}]
from support.offline_models import Endless, scripted
from neutone_like.render import OfflinePlugin, render_file
plugin = OfflinePlugin(Endless())
if {as_script}:
    plugin.module = scripted(Endless())
try:
    render_file(plugin, {source!r}, {target!r}, progress=lambda done, total: print(done, flush=True))
except KeyboardInterrupt:
    print("stopped", plugin.module.nrb.asked)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another matter there")
@pytest.mark.parametrize("as_script", [False, True])
def test_ctrl_c_while_the_model_computes(
    tmp_path: Path, subprocess_environment: dict[str, str], as_script: bool
) -> None:
    source = write(tmp_path / "in.wav", noise(2, 5000))
    code = INTERRUPTED.format(
        tests=str(TESTS), source=str(source), target=str(tmp_path / "out.wav"), as_script=as_script
    )
    run = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code],
        env=subprocess_environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    while run.stdout.readline().strip() != "2500":  # the model runs, and says so
        assert run.poll() is None
    run.send_signal(signal.SIGINT)
    output, errors = run.communicate(timeout=600)
    assert output.splitlines()[-1] == "stopped 1", errors
    assert os.listdir(tmp_path) == ["in.wav"]


class ForeignWrapper:
    """Answers as the Neutone SDK's wrapper does: a whole signal, given back at the model's rate."""

    def __init__(self) -> None:
        self.given: list[Any] = []
        self.cancelled = False

    def set_daw_sample_rate_and_buffer_size(self, rate: int, block: int) -> int:
        return -1

    def reset(self) -> None:
        self.given.clear()

    def get_audio_in_channels(self) -> list[int]:
        return [2]

    def get_audio_out_channels(self) -> list[int]:
        return [2]

    def get_current_model_sample_rate(self) -> int:
        return 24000

    def get_progress_percentage(self) -> float:
        return 50.0

    def is_one_shot_model(self) -> bool:
        return True

    def forward(self, audio: list[Tensor], params: Tensor | None, texts: Any, tokens: Any) -> list[Tensor]:
        self.given = [params, texts, tokens]
        return [audio[0][:, ::2].contiguous()]


def test_artifacts_of_another_maker_come_back_at_the_hosts_rate(tmp_path: Path) -> None:
    time_axis = np.arange(48001) / 48000
    x = np.tile((0.3 * np.sin(2 * np.pi * 300 * time_axis) * np.hanning(48001)).astype(np.float32), (2, 1))
    plugin = OfflinePlugin(Parametrised(), {"knob": 0.25, "words": "hello"})
    foreign = ForeignWrapper()
    plugin.module = ForeignOffline(foreign)
    render_file(plugin, write(tmp_path / "in.wav", x), tmp_path / "out.wav")
    np.testing.assert_allclose(read(tmp_path / "out.wav")[:, :48000], x[:, :48000], atol=1e-4)
    assert plugin.module.get_audio_in_labels() == ["input 1"]
    assert plugin.module.nonfinite_samples() == 0


class Parametrised(WholeDelay):
    parameters = (ContinuousParameter("knob"), TextParameter("words"))
