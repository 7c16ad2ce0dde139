"""How much memory the render of a long file takes, in a process of its own."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.table import Table

RATE = 48000
STATUS = Path("/proc/self/status")
# Peak memory is read from the kernel's own record: getrusage's peak is inherited from the parent.
PROGRAM = """
import json, sys, warnings
warnings.simplefilter("ignore")
import numpy, soundfile
from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.artifact.reading.loader import load_artifact
from neutone_like.bench.models import Delay
from neutone_like.render import render_file

folder, minutes, rate = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])

def peak_megabytes():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024

def write(path, seconds):
    noise = numpy.random.default_rng(0).uniform(-0.5, 0.5, (rate, 2)).astype(numpy.float32)
    with soundfile.SoundFile(path, "w", rate, 2, subtype="PCM_16") as file:
        for second in range(seconds):
            file.write(noise)

write(folder + "/short.wav", 4)
write(folder + "/long.wav", round(60 * minutes))
write_artifact(Delay(37, (44100,), (512,)), folder + "/model", render_samples=False)
artifact = load_artifact(folder + "/model")
render_file(artifact, folder + "/short.wav", folder + "/out.wav")
before = peak_megabytes()
result = render_file(artifact, folder + "/long.wav", folder + "/out.wav")
print(json.dumps({"before": before, "after": peak_megabytes(), "rtf": result.rtf, "samples": result.samples}))
"""


def render_memory_table(minutes: float = 60.0) -> Table:
    """Render a stereo file of so many minutes through a resampling artifact, and say what it added to peak memory."""
    table = Table(
        title=f"Render of {minutes:g} minutes of stereo at {RATE} Hz through a 44.1 kHz model: peak memory in MB",
        caption="promised: 300 MB above the loaded program for 60 minutes",
        title_justify="left",
    )
    for heading in ("program, after 4 s rendered", "after the whole file", "added", "RTF"):
        table.add_column(heading, justify="right")
    if not STATUS.exists():
        table.add_row("not measured: needs /proc", "-", "-", "-")
        return table
    with tempfile.TemporaryDirectory(prefix="neutone_like_") as folder:
        command = [sys.executable, "-c", PROGRAM, folder, str(minutes), str(RATE)]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["no message"])[-1]
        table.add_row(f"not measured: {why}", "-", "-", "-")
        return table
    answer = json.loads(done.stdout)
    added = answer["after"] - answer["before"]
    table.add_row(f"{answer['before']:.0f}", f"{answer['after']:.0f}", f"{added:.0f}", f"{answer['rtf']:.4f}")
    return table
