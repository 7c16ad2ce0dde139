"""What a page plays with, in Node: the sound of ``render_file`` at any rate and quantum."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

from neutone_like import render_file
from neutone_like.compiler import file, plan_graph, write_plan
from neutone_like.compiler.packing import LEAST_SHORT_UNITS
from neutone_like.graph import GraphPlayer, capture
from neutone_like.optimise import quantise
from neutone_like.runtime.choosing import BackendName
from neutone_like.targets.web_player import digest_inside, sources_digest
from support.places import EXPORTED, PROJECT
from support.web_page import NODE, PAGE, Audio, needs_node

HOST = PROJECT / "tests" / "support" / "play_page.mjs"
TOLERANCE = 1e-5
SECONDS = 0.3


@dataclass(frozen=True)
class Case:
    """A model at a host's rate and quanta, with parameters by name."""

    model: str
    rate: int
    quanta: str
    channels: int
    values: dict[str, float]
    backend: BackendName = "torchscript"


CASES = (
    Case("overdrive", 48000, "128", 2, {"drive": 30.0}),
    Case("overdrive", 44100, "100", 2, {}),
    Case("lstm_amp", 44100, "128", 1, {}),
    Case("lstm_amp", 48000, "256", 2, {}),  # stereo to a mono model
    Case("stereo_widener", 44100, "64", 2, {"width": 90.0}),
    Case("echo", 48000, "1000", 2, {"time": 50.0, "mix": 0.8}),
    # Its gate answers to the last bits of a spectrum: compiled, it is 5e-5 from TorchScript on any platform.
    Case("speech_denoiser", 48000, "128,37,1,64", 1, {"reduction": 6.0}, "compiled"),
    Case("speech_denoiser", 44100, "100", 1, {}, "compiled"),
    Case("crossover", 48000, "128", 2, {}),  # six channels come out
)


def noise(case: Case) -> Audio:
    """Noise that swells, ``[channels, samples]``."""
    samples = int(case.rate * SECONDS)
    swell = np.linspace(0.0, 0.5, samples)
    return (swell * np.random.default_rng(5).standard_normal((case.channels, samples))).astype(np.float32)


def in_python(case: Case, sound: Audio, folder: Path) -> Audio:
    """By TorchScript, which shares no code with the page, where the case doesn't say otherwise."""
    soundfile.write(folder / "in.wav", sound.T, case.rate, subtype="FLOAT")
    model = EXPORTED / case.model / "model.nm"
    out = folder / "out.wav"
    render_file(model, folder / "in.wav", out, params=case.values, progress=False, backend=case.backend)
    return soundfile.read(out, dtype="float32", always_2d=True)[0].T


def in_node(case: Case, sound: Audio) -> Audio:
    """By the page's own files."""
    metadata = json.loads((EXPORTED / case.model / "metadata.json").read_text("utf-8"))
    names = [record["name"] for record in metadata["neutone_like"]["parameters"]]
    settings = [f"{names.index(name)}={value}" for name, value in case.values.items()]
    model = EXPORTED / case.model / "model.nlc"
    words = [str(NODE), str(HOST), str(PAGE), str(model), str(case.rate), case.quanta, str(case.channels), *settings]
    done = subprocess.run(words, input=sound.T.tobytes(), capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stderr)
    assert told["kernels"] == "wasm-simd128"
    return np.frombuffer(done.stdout, np.float32).reshape(-1, told["channels"]).T


@needs_node
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.model}-{case.rate}-{case.quanta}")
def test_it_sounds_as_in_python(case: Case, tmp_path: Path) -> None:
    sound = noise(case)
    expected, heard = in_python(case, sound, tmp_path), in_node(case, sound)
    assert heard.shape == expected.shape
    assert float(np.max(np.abs(expected))) > 0.01
    assert float(np.max(np.abs(heard - expected))) <= TOLERANCE


@needs_node
def test_at_a_rate_that_the_model_has_no_plan_for_it_is_converted(tmp_path: Path) -> None:
    """TorchScript plays this one at 192 kHz itself; what can be heard of both is alike."""
    case = Case("echo", 192000, "128", 2, {"time": 20.0, "mix": 0.5})
    seconds = np.arange(int(case.rate * SECONDS)) / case.rate
    sound = np.stack([np.sin(2 * np.pi * hertz * seconds) for hertz in (440.0, 3000.0)])
    swell = 0.3 * np.minimum(1.0, 20.0 * np.minimum(seconds, SECONDS - seconds))
    sound = (swell * sound).astype(np.float32)
    np.testing.assert_allclose(in_node(case, sound), in_python(case, sound, tmp_path), atol=1e-4)


class Recurrent(nn.Module):
    """One layer of each kind, which forget between blocks, ``[1, N]`` to ``[1, N]``."""

    def __init__(self) -> None:
        super().__init__()
        units = LEAST_SHORT_UNITS
        self.layers = nn.ModuleList([nn.LSTM(1, units), nn.GRU(units, units), nn.RNN(units, units)])
        self.out = nn.Linear(units, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = x.T
        for layer in self.layers:
            y = layer(y)[0]
        return self.out(y).T


@needs_node
@pytest.mark.parametrize("weights", ["int8", "fp16"])
@pytest.mark.parametrize("samples", [48, 1])
def test_recurrent_layers_of_short_weights_are_as_exact_there(weights: Any, samples: int, tmp_path: Path) -> None:
    """In blocks for which weights are made longer first, and in blocks for which they aren't."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = quantise(Recurrent().eval(), weights, measure=False).model
        blocks = list(0.5 * torch.randn(4, 1, samples))
    graph = capture(network, (torch.zeros(1, 48),))
    plan = plan_graph(graph)
    steps = [step for step in plan.steps if step.kernel.name in ("LSTM", "GRU", "RNN")]
    assert [len(step.integers) >= 4 for step in steps] == [True] * 3
    nothing = np.zeros((1, 0), np.float32)
    own = {"schema_version": 1, "quality": "high", "in_channels": 1, "out_channels": 1, "parameters": []}
    facts: dict[str, Any] = {"model_name": "Recurrent", "model_version": "1", "model_short_description": ""}
    facts |= {"native_sample_rates": [48000], "native_buffer_sizes": [samples]}
    facts |= {"look_behind_samples": 0, "compiled": {"defaults": []}, "neutone_like": own}
    model = tmp_path / "model.nlc"
    model.write_bytes(write_plan(plan, json.dumps(facts), file.TestVector(nothing, nothing[0], nothing)))
    exact = GraphPlayer(graph, torch.float64)
    with torch.no_grad():
        expected = torch.cat([exact(block.double()) for block in blocks], 1).numpy()
    command = [str(NODE), str(HOST), str(PAGE), str(model), "48000", str(samples), "1"]
    sound = torch.cat(blocks, 1).numpy().T.tobytes()
    done = subprocess.run(command, input=sound, capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr.decode()
    heard = np.frombuffer(done.stdout, np.float32)[np.newaxis]
    peak = float(np.max(np.abs(expected)))
    assert peak > 0.01
    assert float(np.max(np.abs(heard - expected))) <= 5e-6 * peak
    assert float(np.max(np.abs(heard[:, ::-1] - expected))) > 1e-3 * peak


@needs_node
def test_another_value_is_another_sound(tmp_path: Path) -> None:
    """What the cases compare is not silence, nor all one."""
    sound = noise(CASES[0])
    expected = in_python(CASES[0], sound, tmp_path)
    other = in_node(Case("overdrive", 48000, "128", 2, {"drive": 29.9}), sound)
    assert float(np.max(np.abs(other - expected))) > TOLERANCE


@needs_node
@pytest.mark.parametrize(
    ("kept", "words"), [(0, "no compiled model"), (3000, "no compiled model"), (-1, "no compiled")]
)
def test_a_file_that_is_cut_off_is_refused_in_words(kept: int, words: str, tmp_path: Path) -> None:
    content = (EXPORTED / "overdrive" / "model.nlc").read_bytes()
    (tmp_path / "model.nlc").write_bytes(content[:kept])
    command = [str(NODE), str(HOST), str(PAGE), str(tmp_path / "model.nlc"), "48000", "128", "2"]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=600, check=False)
    assert done.returncode == 1
    assert done.stderr.decode().startswith("Error: The model is no compiled model that can be played: ")


@needs_node
def test_nan_becomes_silence_and_passes() -> None:
    case = Case("lstm_amp", 48000, "128", 1, {})
    sound = noise(case)
    broken = sound.copy()
    broken[0, 5000:5003] = (np.nan, np.inf, -np.inf)
    silent = sound.copy()
    silent[0, 5000:5003] = 0.0
    np.testing.assert_allclose(in_node(case, broken), in_node(case, silent), atol=1e-7)


def test_the_player_was_made_of_these_sources() -> None:
    assert digest_inside((PAGE / "player.wasm").read_bytes()) == sources_digest(), (
        "native/ has changed since player.wasm was compiled: run make web-player, and commit the file"
    )
