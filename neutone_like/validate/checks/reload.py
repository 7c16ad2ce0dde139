"""The file plays in a new process that has torch and nothing of this package."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from neutone_like.validate.context import Context, Outcome, verdict
from neutone_like.validate.playing import HostSetting, play

PLAYER = """
import json, sys, warnings
warnings.simplefilter("ignore")
import torch
torch.set_num_threads(1)
model_path, case_path = sys.argv[1:]
extra = {"metadata.json": ""}
module = torch.jit.load(model_path, map_location="cpu", _extra_files=extra)
json.loads(extra["metadata.json"])
case = torch.load(case_path, weights_only=True)
module.set_daw_sample_rate_and_buffer_size(case["sample_rate"], case["block_size"])
module.reset()
difference = 0.0
with torch.no_grad():
    for x, expected in zip(case["inputs"], case["outputs"]):
        difference = max(difference, float((module.forward(x) - expected).abs().max()))
foreign = sorted(name for name in sys.modules if name.split(".")[0] in ("neutone_like", "pedalboard", "soxr"))
print(json.dumps({"difference": difference, "foreign": foreign}))
"""
SECONDS_ALLOWED = 300.0
DIFFERENCE_ALLOWED = 1e-6


class PlayingProcess:
    """A process of its own that plays a file; started early, asked late, since most of its time is torch's start.

    Args:
        player: Its program, which prints the ``difference`` that it found, and what ``foreign`` modules it imported.
        model_path: The ``.nm`` file.
        case: What it plays, and what came out here.
        peak: The greatest sample of that, or 1: differences are held against it.
    """

    def __init__(self, player: str, model_path: Path, case: dict[str, Any], peak: float) -> None:
        self.peak = peak
        self._folder = tempfile.TemporaryDirectory(prefix="neutone_like_")
        case_path = Path(self._folder.name) / "case.pt"
        torch.save(case, case_path)
        # -I: neither this folder nor PYTHONPATH can lend the process anything.
        command = [sys.executable, "-I", "-c", player, str(model_path), str(case_path)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def result(self) -> tuple[int, str, str]:
        """Exit code, output and errors, once it is done."""
        try:
            output, errors = self._process.communicate(timeout=SECONDS_ALLOWED)
        except subprocess.TimeoutExpired:
            self.close()
            return -1, "", f"it took longer than {SECONDS_ALLOWED:.0f} s"
        return self._process.returncode, output, errors

    def close(self) -> None:
        """Stop the process if it still runs, and remove what it was given."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()
        self._folder.cleanup()


class FreshProcess(PlayingProcess):
    """Plays a live model, block by block."""

    def __init__(self, context: Context) -> None:
        setting = HostSetting(context.native_rate, 512)
        x = context.sound(4 * setting.block_size)
        inputs = list(x.split(setting.block_size, 1))
        outputs = list(play(context.fresh(setting), x, [setting.block_size] * 4).split(setting.block_size, 1))
        case = {
            "sample_rate": setting.sample_rate,
            "block_size": setting.block_size,
            "inputs": [block.clone() for block in inputs],
            "outputs": [block.clone() for block in outputs],
        }
        peak = max(1.0, *(float(block.abs().max()) for block in outputs))
        super().__init__(PLAYER, context.artifact.path, case, peak)


def check_reloads_in_a_fresh_process(context: object, process: PlayingProcess) -> Outcome:
    """Compare what the other process heard with what this one does."""
    limit = DIFFERENCE_ALLOWED * process.peak
    allowed = f"loads with torch alone, and plays within {limit:.2g}"
    advice = "The file must hold all that it needs: no Python code, no custom operators, no files beside it."
    code, output, errors = process.result()
    if code != 0:
        last = errors.strip().splitlines()[-1:] or ["no message"]
        return verdict(False, f"the process ended with code {code}: {last[0]}", allowed, advice)
    answer = json.loads(output)
    if answer["foreign"]:
        return verdict(False, f"it imported {', '.join(answer['foreign'])}", allowed, advice)
    difference = float(answer["difference"])
    return verdict(difference <= limit, f"largest difference {difference:.2g}", allowed, advice)
