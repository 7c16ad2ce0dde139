"""Memory does not grow with the length of a file that goes through a blocked offline model."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from support.places import TESTS

STATUS = Path("/proc/self/status")
pytestmark = pytest.mark.skipif(not STATUS.exists(), reason="peak memory is read from /proc, which Linux has")

RATE = 48000

# Prints the growth of peak memory above the loaded program, with a resampled, overlapping model of two outputs.
RENDER = """
import json, sys
sys.path[:0] = [{tests!r}]
import pedalboard, soundfile, soxr, torch
from support.offline_models import Mixer, WholeDelay, scripted
from neutone_like.render import OfflinePlugin, render_file

def megabytes(field):
    # Not getrusage: its peak outlives exec, and so is the parent's.
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024

options = dict(sample_rates=(44100,), block_sizes=(44100,), overlap_window="hann", overlap_hop_samples=22050)
plugin = OfflinePlugin(WholeDelay(**options))
plugin.module = scripted(WholeDelay(**options))
before = megabytes("VmRSS:")
result = render_file(plugin, {source!r}, {target!r})
grown = megabytes("VmHWM:") - before
hoard = bytearray(500_000_000)  # a positive control: 500 MB are seen
hoard[::4096] = b"x" * len(hoard[::4096])
held = megabytes("VmHWM:") - before
print(json.dumps(dict(loaded=before, grown=grown, held=held, samples=result.samples, rtf=result.rtf)))
"""


def growth(tmp_path: Path, environment: dict[str, str], seconds: int) -> dict[str, float]:
    rng = np.random.default_rng(0)
    second = (0.3 * rng.standard_normal((RATE, 2))).astype(np.float32)
    with soundfile.SoundFile(tmp_path / "in.wav", "w", RATE, 2, subtype="PCM_16") as file:
        for _ in range(seconds):
            file.write(second)
    code = RENDER.format(
        tests=str(TESTS),
        source=str(tmp_path / "in.wav"),
        target=str(tmp_path / "out.wav"),
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1200)
    assert run.returncode == 0, run.stderr
    measured = json.loads(run.stdout)
    assert measured["samples"] == seconds * RATE == soundfile.info(tmp_path / "out.wav").frames
    return measured


@pytest.mark.slow
def test_twenty_minutes(tmp_path: Path, subprocess_environment: dict[str, str]) -> None:
    measured = growth(tmp_path, subprocess_environment, 1200)
    print(
        f"twenty minutes of stereo: {measured['grown']:.0f} MB above the {measured['loaded']:.0f} MB of the loaded "
        f"program; RTF {measured['rtf']:.4f}"
    )
    assert measured["grown"] < 300.0
    assert measured["held"] > 450.0
