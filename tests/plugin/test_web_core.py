"""What a page plays with, in Node: the sound of ``render_file`` at any rate and quantum."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

from neutone_like import render_file
from neutone_like.compiler import Plan, file, plan_graph, write_plan
from neutone_like.compiler.packing import LEAST_SHORT_UNITS
from neutone_like.graph import GraphPlayer, capture
from neutone_like.optimise import quantise
from neutone_like.runtime.choosing import BackendName
from neutone_like.targets.web_player import digest_inside, sources_digest
from support.places import EXPORTED, PROJECT
from support.web_page import KERNELS, NODE, PAGE, Audio, needs_node

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


def in_node(case: Case, sound: Audio, player: str = "player.wasm") -> Audio:
    """By the page's own files."""
    metadata = json.loads((EXPORTED / case.model / "metadata.json").read_text("utf-8"))
    names = [record["name"] for record in metadata["neutone_like"]["parameters"]]
    settings = [f"{names.index(name)}={value}" for name, value in case.values.items()]
    model = EXPORTED / case.model / "model.nlc"
    return played(player, model, case.rate, case.quanta, sound, settings)


def played(player: str, model: Path, rate: int, quanta: str, sound: Audio, settings: Sequence[str] = ()) -> Audio:
    """What one of the page's players makes of a sound in Node."""
    words = [str(NODE), str(HOST), str(PAGE), player, str(model), str(rate), quanta, str(len(sound)), *settings]
    done = subprocess.run(words, input=sound.T.tobytes(), capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stderr)
    assert told["kernels"] == KERNELS[player]
    return np.frombuffer(done.stdout, np.float32).reshape(-1, told["channels"]).T


@needs_node
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.model}-{case.rate}-{case.quanta}")
def test_it_sounds_as_in_python(case: Case, tmp_path: Path) -> None:
    sound = noise(case)
    expected = in_python(case, sound, tmp_path)
    assert float(np.max(np.abs(expected))) > 0.01
    for player in KERNELS:
        heard = in_node(case, sound, player)
        assert heard.shape == expected.shape
        assert float(np.max(np.abs(heard - expected))) <= TOLERANCE, player


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
    model = written(plan, samples, 1, tmp_path)
    exact = GraphPlayer(graph, torch.float64)
    with torch.no_grad():
        expected = torch.cat([exact(block.double()) for block in blocks], 1).numpy()
    peak = float(np.max(np.abs(expected)))
    assert peak > 0.01
    for player in KERNELS:
        heard = played(player, model, 48000, str(samples), torch.cat(blocks, 1).numpy())
        assert float(np.max(np.abs(heard - expected))) <= 5e-6 * peak, player
        assert float(np.max(np.abs(heard[:, ::-1] - expected))) > 1e-3 * peak


def written(plan: Plan, samples: int, out_channels: int, folder: Path) -> Path:
    """A file of a network of mono sound, in blocks of ``samples`` at 48 kHz."""
    nothing = np.zeros((1, 0), np.float32)
    own = {"schema_version": 1, "quality": "high", "in_channels": 1, "out_channels": out_channels, "parameters": []}
    facts: dict[str, Any] = {"model_name": "Network", "model_version": "1", "model_short_description": ""}
    facts |= {"native_sample_rates": [48000], "native_buffer_sizes": [samples]}
    facts |= {"look_behind_samples": 0, "compiled": {"defaults": []}, "neutone_like": own}
    silence = np.zeros((out_channels, 0), np.float32)
    (folder / "model.nlc").write_bytes(
        write_plan(plan, json.dumps(facts), file.TestVector(nothing, nothing[0], silence))
    )
    return folder / "model.nlc"


class Curves(nn.Module):
    """Of the sound itself, ``[1, N]`` to ``[3 * ROWS + 3, N]``: in the rows of a product, and element by element."""

    ROWS = 3

    def __init__(self) -> None:
        super().__init__()
        self.same = nn.Conv1d(1, self.ROWS, 1, bias=False)
        nn.init.ones_(self.same.weight)

    def forward(self, x: Tensor) -> Tensor:
        of_rows = [curve(self.same(x)) for curve in (torch.tanh, torch.sigmoid, torch.relu)]
        return torch.cat([*of_rows, torch.tanh(x), torch.sigmoid(x), torch.exp(x)])


@needs_node
def test_curves_are_exact_to_a_few_units_in_the_last_place(tmp_path: Path) -> None:
    """Beside float64, for the smallest and the largest values that they have, in whole vectors and not."""
    samples = 77
    places = (np.geomspace(1e-30, 1e-3, 5 * samples), np.geomspace(1e-3, 20.0, 95 * samples))
    sizes = np.concatenate(places).astype(np.float32)
    sound = np.ravel(np.column_stack((sizes, -sizes)))[np.newaxis]
    network = Curves().eval()
    plan = plan_graph(capture(network, (torch.zeros(1, samples),)))
    with torch.no_grad():
        expected = network.double()(torch.from_numpy(sound).double()).numpy()
    model = written(plan, samples, len(expected), tmp_path)
    unit = np.spacing(np.abs(expected).astype(np.float32)).astype(np.float64)
    most = np.repeat([6.0, 16.0, 0.0, 3.0, 3.0, 3.0], [Curves.ROWS] * 3 + [1] * 3)  # a sigmoid of -20 is 2e-9
    for player in KERNELS:
        heard = played(player, model, 48000, str(samples), sound)
        assert heard.shape == expected.shape
        errors = np.max(np.abs(heard - expected) / unit, 1)
        assert np.all(errors <= most), (player, errors)
        assert float(np.max(np.abs(1.000001 * heard[0] - expected[0]) / unit[0])) > most[0]


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
    command = [str(NODE), str(HOST), str(PAGE), "player.wasm", str(tmp_path / "model.nlc"), "48000", "128", "2"]
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
    for player in KERNELS:
        np.testing.assert_allclose(in_node(case, broken, player), in_node(case, silent, player), atol=1e-7)


@pytest.mark.parametrize("player", KERNELS)
def test_players_were_made_of_these_sources(player: str) -> None:
    assert digest_inside((PAGE / player).read_bytes()) == sources_digest(), (
        "native/ has changed since it was compiled: run make web-player, and commit the files"
    )
