"""Live models rendered with their compiled form: what TorchScript makes of a file, sooner."""

import json
import shutil
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import soundfile
import torch
from typer.testing import CliRunner

from neutone_like import (
    ArtifactError,
    CategoricalParameter,
    ContinuousParameter,
    ParameterError,
    RenderResult,
    compile_model,
    load_artifact,
)
from neutone_like.artifact import Artifact
from neutone_like.cli import app
from neutone_like.render import Board, ModelPlugin, render_file, render_files
from neutone_like.render.compiled_module import CompiledCore
from neutone_like.runtime.choosing import BackendName
from neutone_like.signal.parameter_track import ParameterTrack
from support.compiled_files import write_late_model
from support.places import PROJECT
from support.render_models import Echo

Folders = dict[str, Path]
MODELS = ("lstm_amp", "tcn_amp", "overdrive", "spectral_gate", "stereo_widener")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Artifacts with their compiled form beside them; of the last two one has fixed blocks, one its host's rate."""
    folders: Folders = {}
    for name in MODELS:
        folder = folders[name] = tmp_path_factory.mktemp(name)
        shutil.copy(PROJECT / "exported" / name / "model.nm", folder)
        compile_model(folder / "model.nm")
    return folders


def noise(path: Path, rate: int, samples: int, channels: int) -> Path:
    """A file of noise that is now loud and now quiet, not whole blocks long."""
    x = np.random.default_rng(rate).uniform(-0.7, 0.7, (samples, channels)) * np.sin(np.arange(samples) / 3000)[:, None]
    soundfile.write(path, x, rate, subtype="FLOAT")
    return path


def rendered(model: Any, source: Path, target: Path, **settings: Any) -> tuple[RenderResult, Any]:
    result = render_file(model, source, target, progress=False, **settings)
    return result, soundfile.read(target, dtype="float32", always_2d=True)[0]


def moving(plugin: ModelPlugin) -> dict[str, Any]:
    """A curve for every parameter."""
    parameters = cast(Artifact, plugin.source).numerical_parameters
    return {p.name: [(0.0, p.minimum), (0.1, p.maximum), (0.2, p.minimum)] for p in parameters}


def near(got: Any, wanted: Any) -> None:
    assert got.shape == wanted.shape
    assert np.abs(wanted).max() > 0.01
    assert np.abs(got - wanted).max() < 1e-5 * np.abs(wanted).max()


def plugins(folder: Path, backends: tuple[BackendName, ...] = ("torchscript", "auto")) -> list[ModelPlugin]:
    artifact = load_artifact(folder)
    return [ModelPlugin(artifact, dry=0.3, backend=backend) for backend in backends]


@pytest.mark.parametrize(
    ("name", "cases"),
    [
        ("lstm_amp", [(48000, False), (44100, False)]),
        ("tcn_amp", [(44100, False)]),
        ("overdrive", [(48000, True), (44100, True)]),
        ("spectral_gate", [(48000, True), (96000, False)]),
        ("stereo_widener", [(48000, True), (44100, True)]),  # each with a plan of its own
    ],
)
def test_a_file_comes_out_as_torchscript_makes_it(
    compiled: Folders, name: str, cases: list[tuple[int, bool]], tmp_path: Path
) -> None:
    by_torch, chosen = plugins(compiled[name])
    for rate, moves in cases:
        source = noise(tmp_path / "in.wav", rate, 15_011, 1 if name == "lstm_amp" else 2)
        curves = moving(by_torch) if moves else {}
        for plugin in (by_torch, chosen):
            plugin.params.update(curves)
        asked, wanted = rendered(by_torch, source, tmp_path / "1.wav")
        result, got = rendered(chosen, source, tmp_path / "2.wav", block_size=4096)
        assert result.backend_name == "compiled"
        assert asked.backend_name == "torchscript"
        assert "torchscript" in asked.summary()
        near(got, wanted)


def test_every_sample_has_its_own_value(compiled: Folders) -> None:
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 9_000)).astype(np.float32)
    sounds: list[Any] = []
    for plugin in plugins(compiled["stereo_widener"]):
        plugin.params["width"] = np.random.default_rng(1).uniform(0.0, 2.0, 9_000)
        sounds.append(Board([plugin])(x, 48000))
    near(sounds[1], sounds[0])


def test_a_board_streams_and_begins_anew(compiled: Folders) -> None:
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 5_000)).astype(np.float32)
    board = Board([compiled["overdrive"], compiled["lstm_amp"]])
    whole = board(x, 48000)
    stream = board.open_stream(48000, 1, 256)
    assert stream.backend_name == "compiled"
    pieces = [board(x[:, at : at + 700], 48000, reset=False) for at in range(0, 5_000, 700)]
    np.testing.assert_allclose(np.concatenate([*pieces, board.flush()], axis=1), whole, atol=1e-6)
    np.testing.assert_array_equal(board(x, 48000), whole)


def test_folders_are_rendered_by_workers_and_the_manifest_says_with_what(compiled: Folders, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for index in range(2):
        noise(tmp_path / "in" / f"{index}.wav", 48000, 3_000, 1)
    choices: tuple[tuple[BackendName, int], ...] = (("auto", 1), ("torchscript", 0))
    jobs = [
        render_files(
            compiled["lstm_amp"], tmp_path / "in", tmp_path / backend, backend=backend, workers=workers, progress=False
        )
        for backend, workers in choices
    ]
    for record, other in zip(jobs[0].records, jobs[1].records, strict=True):
        assert record.audio is not None
        assert other.audio is not None
        assert (record.audio["backend_name"], other.audio["backend_name"]) == ("compiled", "torchscript")
        assert record.key != other.key
        near(soundfile.read(record.output)[0], soundfile.read(other.output)[0])


def test_without_a_compiled_form_torchscript_plays_or_a_message_says_what_to_do(tmp_path: Path) -> None:
    shutil.copy(PROJECT / "exported" / "overdrive" / "model.nm", tmp_path)
    source = noise(tmp_path / "in.wav", 48000, 2_000, 2)
    assert rendered(tmp_path, source, tmp_path / "out.wav")[0].backend_name == "torchscript"
    message = rf"There is no compiled model {tmp_path / 'model.nlc'}.* neutone-like compile {tmp_path / 'model.nm'}"
    with pytest.raises(ArtifactError, match=message):
        rendered(tmp_path, source, tmp_path / "out.wav", backend="compiled")
    with pytest.raises(ArtifactError, match=message):
        render_files(tmp_path, source, tmp_path / "many", backend="compiled", workers=0, progress=False)


def test_the_compiled_form_of_another_model_is_not_played(tmp_path: Path) -> None:
    for name in ("model.nm", "metadata.json"):
        shutil.copy(PROJECT / "exported" / "overdrive" / name, tmp_path)
    write_late_model(tmp_path / "model.nm")
    with (tmp_path / "model.nlc").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"?")
    source = noise(tmp_path / "in.wav", 48000, 2_000, 2)
    with pytest.warns(RuntimeWarning, match=r"TorchScript plays .*model\.nm"):
        assert rendered(tmp_path, source, tmp_path / "out.wav")[0].backend_name == "torchscript"
    with pytest.warns(RuntimeWarning, match=rf"TorchScript plays {tmp_path / 'model.nm'}"):
        job = render_files(tmp_path, source, tmp_path / "many.wav", workers=0, progress=False)
    assert job.records[0].audio is not None
    assert job.records[0].audio["backend_name"] == "torchscript"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": Echo(), "backend": "compiled"}, "a Echo is played as it is"),
        ({"model": Board([Echo()]), "backend": "compiled"}, "backend: a Board has its own settings"),
        ({"model": Echo(), "backend": "fast"}, "backend must be one of .*, got 'fast'"),
    ],
)
def test_what_can_not_be_chosen_is_refused(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    source = noise(tmp_path / "in.wav", 48000, 100, 1)
    with pytest.raises(ParameterError, match=message):
        render_file(in_path=source, out_path=tmp_path / "out.wav", **settings)


def test_a_value_that_is_not_finite_becomes_silence_and_the_model_recovers(compiled: Folders) -> None:
    x = torch.zeros(1, 4_096)
    x[0, 100] = 3e38
    sounds: list[Any] = []
    for plugin in plugins(compiled["lstm_amp"]):
        plugin.input_gain_db = 30.0
        sounds.append(Board([plugin])(x, 48000, buffer_size=256))
    torch.testing.assert_close(sounds[1], sounds[0], rtol=0.0, atol=1e-5)


@pytest.mark.parametrize("rates", [(1, 1), (160, 147)])
def test_the_parts_of_a_block_have_the_values_of_calls_one_by_one(rates: tuple[int, int]) -> None:
    parameters = (
        ContinuousParameter("slow", default=1.0, minimum=-2.0, maximum=3.0, smoothing_seconds=0.01),
        CategoricalParameter("choice", default="a", labels=("a", "b", "c")),
        ContinuousParameter("fast", default=0.0, minimum=0.0, maximum=5.0, rate="sample"),
    )
    track = ParameterTrack(parameters)
    track.prepare(48000, *rates, 20 if rates != (1, 1) else 0, 2_000)
    position = 0
    for samples in (301, 64, 7, 500):
        track.feed(torch.rand(3, samples), samples)
        parts = track.on_grid(position, samples, 32)
        assert [begin for begin, _, _ in parts[1:]] == [at for at in range(1, samples) if (position + at) % 32 == 0]
        for begin, end, values in parts:
            at = position + begin
            for name, value in track.values(at, end - begin, at - at % 32).items():
                np.testing.assert_array_equal(values[name], value.numpy())
        position += samples


def test_what_is_not_finite_while_a_knob_turns_is_silenced_alone(
    compiled: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with TorchScript: the piece becomes silence, and the model begins anew."""
    plugin = plugins(compiled["overdrive"])[1]
    plugin.params.update(moving(plugin))
    plugin.dry = 0.0
    wrapper, _ = plugin.played_at(48000)
    play, pieces = CompiledCore.play, [0]

    def poisoned(core: CompiledCore, x: Any, params: Any) -> Any:
        pieces[0] += 1
        y = play(core, x, params)
        return y * np.nan if pieces[0] == 3 else y

    monkeypatch.setattr(CompiledCore, "play", poisoned)
    y = Board([plugin])(np.full((2, 4_096), 0.5, np.float32), 48000)
    assert wrapper.nonfinite_samples() == 32
    silent = np.flatnonzero((y == 0.0).all(axis=0))
    np.testing.assert_array_equal(silent, np.arange(64, 96))


def test_the_command_line_says_what_played(compiled: Folders, tmp_path: Path) -> None:
    source = noise(tmp_path / "in.wav", 48000, 1_000, 1)
    arguments = ["render", str(compiled["overdrive"]), str(source), str(tmp_path / "out.wav")]
    result = CliRunner().invoke(app, [*arguments, "--backend", "compiled", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["backend_name"] == "compiled"
