"""Models that do what artifacts may not, where somebody trusts them: from the command line, and in other processes."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neutone_like.artifact import load_artifact
from neutone_like.errors import ArtifactError
from neutone_like.optimise.budget import searching
from support.cli_runner import FELL_SHORT, GOOD, WRONG_USE, Run, runner

MODEL_FILE = """
import torch
from neutone_like import ModelMetadata, WaveformToWaveformBase

class Keeps(WaveformToWaveformBase):
    metadata = ModelMetadata(name="Keeps", authors=("Ada",), version="1.0.0")

    def do_forward_pass(self, x: torch.Tensor, params: dict[str, torch.Tensor]) -> torch.Tensor:
        torch.save(x, "mark")
        return 0.5 * x

def build_model():
    return Keeps()
"""
ALLOWED = ("--allow-operators", "aten::save")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


def test_a_trusted_model_is_exported_rendered_compiled_and_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("keeps.py").write_text(MODEL_FILE)
    soundfile.write("in.wav", np.zeros((3000, 2)), 48000)
    export = ("export", "keeps.py", "--out", "out", "--no-validate", "--no-samples", "--no-report", "--formats", "nm")
    refused, _, message = run(*export)
    assert refused != GOOD
    assert "--allow-operators aten::save" in message
    assert not Path("out").exists()
    assert run(*export, *ALLOWED)[0] == GOOD
    for verb in (
        ("render", "out", "in.wav", "one.wav", "--no-progress"),
        ("render", "out", "in.wav", "many/", "--no-progress"),
        ("bench", "out", "--rates", "48000", "--blocks", "512"),
    ):
        code, _, message = run(*verb)
        assert code != GOOD, verb
        assert "--allow-operators aten::save" in message, verb
        code, _, message = run(*verb, *ALLOWED)
        assert code == GOOD, (verb, message)
    assert Path("one.wav").exists()
    assert Path("many/in.wav").exists()
    code, _, message = run("compile", "out", "--plan")
    assert code != GOOD
    assert "--allow-operators aten::save" in message
    assert "--allow-operators aten::save" not in run("compile", "out", "--plan", *ALLOWED)[2]
    optimise = ("optimise", "keeps.py", "--out", "small", "--methods", "quantise", "--rate", "48000", "--blocks", "64")
    # The fresh process is told what is allowed too, in tests of the search itself.
    monkeypatch.setattr(searching, "confirmed", lambda _, points: (list(points), "left out"))
    code, _, message = run(*optimise)
    assert (code, "--allow-operators aten::save" in message) == (FELL_SHORT, True)
    code, printed, message = run(*optimise, *ALLOWED, "--json")
    assert (code, [each["name"] for each in json.loads(printed)["points"]]) == (FELL_SHORT, ["original"]), message
    for wrong in ("save", ",", "aten::", "aten::save;x"):
        code, _, message = run("render", "out", "in.wav", "two.wav", "--allow-operators", wrong)
        assert code == WRONG_USE, wrong
        assert "--allow-operators" in message, wrong

    trusted = load_artifact("out", allow_operators=["aten::save"])
    pickle.loads(pickle.dumps(trusted)).fresh_module()  # as another process gets it
    with pytest.raises(ArtifactError, match="allow_operators must be a list"):
        load_artifact("out", allow_operators=3)  # pyright: ignore[reportArgumentType]
