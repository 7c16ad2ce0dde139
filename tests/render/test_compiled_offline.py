"""Offline models that play blocks, compiled: the same files come out, to rounding, and it is said what played."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from neutone_like import RenderResult, load_artifact, render_file, render_files
from neutone_like.artifact import write_artifact
from neutone_like.cli.program import app
from neutone_like.errors import ArtifactError, CompileError, ParameterError
from neutone_like.export import export_model
from neutone_like.model import NonRealtimeBase
from neutone_like.render import OfflinePlugin
from neutone_like.runtime import Engine, HostConfig
from neutone_like.runtime.choosing import BackendName
from neutone_like.runtime.compiling import compile_artifact, compile_model
from neutone_like.validate.checks.compiled import check_compiled_equals_eager
from neutone_like.validate.conditions import optimiser
from neutone_like.validate.offline_subject import OfflineSubject
from support.compiled_files import resealed, section
from support.compiled_offline_models import (
    AtOnce,
    Counting,
    Duet,
    Frames,
    Generating,
    Prompted,
    Resonance,
    SizedBlocks,
    Told,
)
from support.offline_models import without_the_optimiser as without_the_optimiser

SAMPLES = 9_011
_CONSTANTS = 7


def written(model: NonRealtimeBase, folder: Path) -> Path:
    with optimiser(False):
        return write_artifact(model, folder, render_samples=False, capture="script").model_path


@pytest.fixture(scope="module")
def duet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact with its compiled form beside it; tests leave both as they are."""
    path = written(Duet(), tmp_path_factory.mktemp("duet"))
    compile_model(path)
    return path


def noise(folder: Path, rate: int, channels: int, samples: int = SAMPLES) -> Path:
    x = np.random.default_rng(channels).uniform(-0.7, 0.7, (samples, channels))
    soundfile.write(folder / f"{channels}.wav", x, rate, subtype="FLOAT")
    return folder / f"{channels}.wav"


def rendered(model: Any, sources: Any, target: Path, **settings: Any) -> tuple[RenderResult, list[Any]]:
    result = render_file(model, sources, target, progress=False, **settings)
    return result, [soundfile.read(path, dtype="float32", always_2d=True)[0] for path in result.out_paths]


def near(got: list[Any], wanted: list[Any]) -> None:
    """The same length, and aligned: noise that is moved by a sample is another."""
    for one, other in zip(got, wanted, strict=True):
        assert one.shape == other.shape
        assert np.abs(other).max() > 0.01
        assert np.abs(one - other).max() < 1e-5 * np.abs(other).max()


def compared(path: Path, sources: list[Path], folder: Path, params: dict[str, Any] | None = None) -> None:
    by_torch, wanted = rendered(path, sources, folder / "torch.wav", params=params, backend="torchscript")
    result, got = rendered(path, sources, folder / "compiled.wav", params=params)
    assert (by_torch.backend_name, result.backend_name) == ("torchscript", "compiled")
    assert (by_torch.samples, by_torch.latency_samples) == (result.samples, result.latency_samples)
    near(got, wanted)


@pytest.mark.parametrize("rate", [48000, 44100])
def test_several_inputs_and_outputs_come_out_as_torchscript_makes_them(duet: Path, rate: int, tmp_path: Path) -> None:
    sources = [noise(tmp_path, rate, 1), noise(tmp_path, rate, 2)]
    compared(duet, sources, tmp_path)
    moving = {
        "drive": [(0.0, 0.5), (0.1, 4.0), (0.15, 1.0)],
        "level": np.random.default_rng(0).uniform(0.0, 1.0, SAMPLES),
        "curve": [(0.0, "soft"), (0.08, "square")],
    }
    compared(duet, sources, tmp_path, moving)


@pytest.mark.parametrize(("model", "rates"), [(Frames, (22050, 48000)), (Resonance, (48000, 44100))])
def test_frames_and_rates(model: type[NonRealtimeBase], rates: tuple[int, ...], tmp_path: Path) -> None:
    path = written(model(), tmp_path / "model")
    compiled = compile_model(path)
    assert compiled.sample_rates == ((22050,) if model is Frames else (44100, 48000))
    for rate in rates:
        compared(path, [noise(tmp_path, rate, 1)], tmp_path)


def test_validation_plays_both(duet: Path, tmp_path: Path) -> None:
    """The control: other weights, in a file that says that it belongs to the model."""
    path = Path(shutil.copytree(duet.parent, tmp_path / "duet")) / duet.name
    subject = OfflineSubject(load_artifact(path), None, quick=True)
    assert check_compiled_equals_eager(subject).status == "passed"
    file = path.with_name("model.nlc")
    data = file.read_bytes()
    start, length = section(data, _CONSTANTS)
    weights = np.frombuffer(data[start : start + length], np.float32) * np.float32(1.1)
    file.write_bytes(resealed(data, start, weights.tobytes()))
    outcome = check_compiled_equals_eager(subject)
    assert outcome.status == "failed"
    assert "largest difference" in outcome.measured


def test_inspect_says_so_and_a_copy_plays_alike(duet: Path) -> None:
    said = CliRunner().invoke(app, ["inspect", str(duet), "--json"])
    assert json.loads(said.stdout)["compiled"]["steps"] > 0
    assert "model.nlc" in CliRunner().invoke(app, ["inspect", str(duet)]).stdout
    plugin = OfflinePlugin(duet, backend="compiled")
    restore, arguments = plugin.__reduce__()
    assert restore(*arguments).backend == "compiled"


def test_an_engine_refuses_it_and_says_what_does_play_it(duet: Path) -> None:
    with Engine(realtime_priority=False) as engine:
        with pytest.raises(ArtifactError, match=r"model\.nlc holds no live model .* rendered: render_file"):
            engine.open(duet.with_name("model.nlc"), HostConfig(sample_rate=48000, block_size=64), mode="inline")
        with pytest.raises(ArtifactError, match=r"no compiled model .*gone\.nlc: .* neutone-like compile .*model\.nm"):
            engine.open(duet.with_name("gone.nlc"), HostConfig(sample_rate=48000, block_size=64), mode="inline")


REFUSED: dict[type[NonRealtimeBase], str] = {
    Prompted: r"takes texts or tokens \(prompt\)",
    Generating: "is a generator",
    Counting: "reads curr_block_idx in do_forward_pass.* in a buffer",
    SizedBlocks: r"reads the block's length in prepare_model.*block_sizes = \(128,\)",
}


@pytest.mark.parametrize("model", REFUSED, ids=lambda each: each.__name__)
def test_what_is_more_than_a_function_of_blocks_is_refused_by_name(
    model: type[NonRealtimeBase], tmp_path: Path
) -> None:
    with pytest.raises(CompileError, match=f"Blocked {REFUSED[model]}.* TorchScript plays it"):
        compile_artifact(load_artifact(written(model(), tmp_path)))


@pytest.mark.compiles
def test_exports_compile_and_say_why_not_and_folders_are_rendered_so(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"validate": False, "render_samples": False}
    result = export_model(Told(), tmp_path / "told", **settings)
    assert result.compiled_path == tmp_path / "told" / "model.nlc"
    assert result.not_compiled == ""
    source = noise(tmp_path, 48000, 1, 3_000)
    choices: tuple[BackendName, ...] = ("compiled", "torchscript")
    for backend in choices:
        out = tmp_path / f"{backend}.wav"
        job = render_files(result.model_path, source, out, workers=0, progress=False, backend=backend)
        assert job.records[0].audio is not None
        assert job.records[0].audio["backend_name"] == backend
    x, y = (soundfile.read(each)[0] for each in (source, tmp_path / "compiled.wav"))
    np.testing.assert_array_equal(y, 0.5 * x)
    refused = export_model(AtOnce(), tmp_path / "told", **settings)
    assert "Blocked is a one-shot model, " in refused.not_compiled
    assert "Declare block_sizes" in refused.not_compiled
    assert not (tmp_path / "told" / "model.nlc").exists()
    said = CliRunner().invoke(app, ["inspect", str(refused.model_path)]).stdout
    assert "a one-shot model is called once" in " ".join(said.split())
    with pytest.raises(ArtifactError, match=r"There is no compiled model .*model\.nlc"):
        render_file(refused.model_path, noise(tmp_path, 48000, 1, 99), tmp_path / "out.wav", backend="compiled")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"backend": "fast"}, "backend must be one of .*, got 'fast'"),
        ({"backend": "compiled", "device": "cuda"}, "backend='compiled' plays on the CPU, and device is 'cuda'"),
    ],
)
def test_what_can_not_be_chosen_is_refused(duet: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        OfflinePlugin(duet, **settings)
    with pytest.raises(ParameterError, match="a Told is played as it is"):
        OfflinePlugin(Told(), backend="compiled")
