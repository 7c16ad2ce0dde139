"""The file plays in a new process that has torch and nothing of this package."""

import io
import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack

import torch

from neutone_like.child_process import child_process
from neutone_like.errors import ArtifactError
from neutone_like.scratch_folder import scratch_folder
from neutone_like.validate.outcome import Outcome, loudest, verdict
from neutone_like.validate.playing import HostSetting
from neutone_like.validate.subject import Subject

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
    for arguments, expected in zip(case["calls"], case["outputs"]):
        outputs = module.forward(*arguments)
        outputs = [outputs] if isinstance(outputs, torch.Tensor) else outputs
        if [output.shape for output in outputs] != [output.shape for output in expected]:
            difference = 1e9
            break
        for output, one in zip(outputs, expected):
            difference = max(difference, float((output - one).abs().max()))
foreign = sorted(name for name in sys.modules if name.split(".")[0] in ("neutone_like", "pedalboard", "soxr"))
print(json.dumps({"difference": difference, "foreign": foreign}))
"""
SECONDS_ALLOWED = 300.0
DIFFERENCE_ALLOWED = 1e-6
ADVICE = "The file must hold all that it needs: no Python code, no custom operators, no files beside it."


class FreshProcess:
    """A process of its own that plays the file; started early, asked late, since most of its time is torch's start.

    Attributes:
        peak: The greatest sample of what came out here, or 1: differences are held against it.
    """

    def __init__(self, subject: Subject) -> None:
        """Raises ArtifactError where there is no room for what it is to play."""
        setting = HostSetting(subject.native_rate, subject.native.block_size or 512)
        module, values = subject.reused(subject.native), subject.defaults
        calls = subject.calls_until_output(module, subject.native)
        memories = [subject.memory(subject.native, values, seed=call) for call in range(calls)]
        outputs = [[output.clone() for output in subject.call(module, memory.copy())] for memory in memories]
        case = {
            "sample_rate": setting.sample_rate,
            "block_size": setting.block_size,
            "calls": [subject.arguments(memory) for memory in memories],
            "outputs": outputs,
        }
        self.peak = max(1.0, *(loudest(each) for each in outputs))
        content = io.BytesIO()  # PyTorch's own writer ends the process where a disk is full
        torch.save(case, content)
        with ExitStack() as opened:
            try:
                case_path = opened.enter_context(scratch_folder()) / "case.pt"
                case_path.write_bytes(content.getbuffer())
            except OSError as error:
                raise ArtifactError(
                    f"What another process is to play can't be written to {tempfile.gettempdir()}: "
                    f"{error.strerror or error}. Make room there, or set TMPDIR to a folder on another disk."
                ) from error
            # -I: neither this folder nor PYTHONPATH can lend the process anything.
            command = [sys.executable, "-I", "-c", PLAYER, str(subject.artifact.path), str(case_path)]
            playing = child_process(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self._process = opened.enter_context(playing)
            self._opened = opened.pop_all()

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
        self._opened.close()


def check_reloads_in_a_fresh_process(subject: object, process: FreshProcess) -> Outcome:
    """Compare what the other process heard with what this one does."""
    limit = DIFFERENCE_ALLOWED * process.peak
    allowed = f"loads with torch alone, and plays within {limit:.2g}"
    code, output, errors = process.result()
    if code != 0:
        last = errors.strip().splitlines()[-1:] or ["no message"]
        return verdict(False, f"the process ended with code {code}: {last[0]}", allowed, ADVICE)
    answer = json.loads(output)
    if answer["foreign"]:
        return verdict(False, f"it imported {', '.join(answer['foreign'])}", allowed, ADVICE)
    difference = float(answer["difference"])
    return verdict(difference <= limit, f"largest difference {difference:.2g}", allowed, ADVICE)
