"""Memory does not grow with the length of a file."""

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

# Prints the growth of peak memory while a long file is rendered, after a short one has loaded all that is needed.
RENDER = """
import json, sys
sys.path[:0] = [{tests!r}]
import pedalboard
from support.render_models import PureDelay
from neutone_like.render import Board, render_file

def peak_megabytes():
    # Not getrusage: its peak outlives exec, and so is the parent's.
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024

def make():
    return Board([PureDelay((44100,), (512,)), pedalboard.Compressor()])

render_file(make(), {short!r}, {target!r})
before = peak_megabytes()
result = render_file(make(), {long!r}, {target!r})
grown = peak_megabytes() - before
hoard = bytearray({long_bytes})  # a positive control: what holding the file would have cost is seen
hoard[::4096] = b"x" * len(hoard[::4096])
print(json.dumps(dict(grown=grown, held=peak_megabytes() - before, samples=result.samples, rtf=result.rtf)))
"""


def write_noise(path: Path, seconds: float) -> int:
    rng = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", RATE, 2, subtype="PCM_16") as file:
        for start in range(0, int(seconds * RATE), RATE):
            count = min(RATE, int(seconds * RATE) - start)
            file.write((0.3 * rng.standard_normal((count, 2))).astype(np.float32))
    return int(seconds * RATE)


def growth(tmp_path: Path, environment: dict[str, str], seconds: float) -> dict[str, float]:
    write_noise(tmp_path / "short.wav", 4.0)
    samples = write_noise(tmp_path / "long.wav", seconds)
    code = RENDER.format(
        tests=str(TESTS),
        short=str(tmp_path / "short.wav"),
        long=str(tmp_path / "long.wav"),
        target=str(tmp_path / "out.wav"),
        long_bytes=samples * 2 * 4,
    )
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=1200)
    assert run.returncode == 0, run.stderr
    measured = json.loads(run.stdout)
    assert measured["samples"] == samples == soundfile.info(tmp_path / "out.wav").frames
    return measured


def test_five_minutes(tmp_path: Path, subprocess_environment: dict[str, str]) -> None:
    measured = growth(tmp_path, subprocess_environment, 300.0)
    print(f"five minutes of stereo: {measured['grown']:.0f} MB more than a few seconds; RTF {measured['rtf']:.4f}")
    assert measured["grown"] < 30.0
    assert measured["held"] > 80.0
