"""Equaliser and crossover, which have more than the format has room for, all the way: exported, validated, rendered,
benched, and played by the engine."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pedalboard
import pytest
import soundfile
import torch
from scipy.signal import sosfilt

from neutone_like import AudioError, ExportResult, export_model, load_artifact, render_file
from neutone_like.artifact import Artifact
from neutone_like.bench import bench_artifact
from neutone_like.errors import RuntimeEngineError
from neutone_like.render import Board
from neutone_like.runtime import BuiltinBackend, Engine, HostConfig
from neutone_like.runtime.session_config import Adaptation
from support.cli_runner import GOOD, runner
from support.example_hosts import example
from support.example_hosts import without_optimiser as without_optimiser
from support.lighter_exports import only_checks, without_pictures

Audio = npt.NDArray[np.float32]
RATE = 48000
NAMES = ("equaliser", "crossover")
CHECKS = ("metadata", "contract methods", "reset repeats")  # all of them: test_more_live


@dataclass(frozen=True)
class Exported:
    equaliser: ExportResult
    crossover: ExportResult


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    folder = tmp_path_factory.mktemp("beyond")
    with pytest.MonkeyPatch.context() as patch:
        only_checks(patch, *CHECKS)
        without_pictures(patch)
        results = [export_model(example(n).build_model(), folder / n, render_samples=False) for n in NAMES]
        yield Exported(*results)


def artifact_of(result: ExportResult) -> Artifact:
    return load_artifact(result.model_path)


def noise(channels: int, samples: int, seed: int = 0) -> Audio:
    return np.random.default_rng(seed).uniform(-0.25, 0.25, (channels, samples)).astype(np.float32)


def bells(knobs: npt.NDArray[np.float64], rate: int = RATE) -> npt.NDArray[np.float64]:
    """The cookbook's peaking filters as SciPy's sections; a row of ``knobs`` is frequency, gain in dB, Q."""
    sections: list[list[float]] = []
    for frequency, gain_db, q in knobs:
        amplitude, w = 10.0 ** (gain_db / 40.0), 2.0 * math.pi * frequency / rate
        alpha = math.sin(w) / (2.0 * q)
        top = [1.0 + alpha * amplitude, -2.0 * math.cos(w), 1.0 - alpha * amplitude]
        bottom = [1.0 + alpha / amplitude, -2.0 * math.cos(w), 1.0 - alpha / amplitude]
        sections.append([value / bottom[0] for value in (*top, *bottom)])
    return np.array(sections)


def test_validation_passes_and_says_which_hosts(exported: Exported, capsys: pytest.CaptureFixture[str]) -> None:
    for result, beyond in (
        (exported.equaliser, "18 knobs, where the format has room for 4"),
        (exported.crossover, "6 channels out, where the format knows mono and stereo"),
    ):
        assert result.validation is not None
        assert {check.name for check in result.validation if check.passed} >= set(CHECKS)
        assert result.validation["metadata"].measured.endswith(f"for hosts of neutone_like alone: {beyond}")
        assert beyond in result.hosts
        assert "the Neutone SDK's loader, may refuse it" in result.hosts
        assert result.hosts[:40] in repr(result)
        _, out, _ = runner(capsys)("inspect", result.directory, "--json")
        assert json.loads(out)["neutone_like"]["hosts"] == "neutone_like"


def test_the_equaliser_is_what_its_formulas_say() -> None:
    """Eighteen drawn knobs, blocks of any length, against SciPy; and each band's own gain where its middle is."""
    model = example("equaliser").build_model()
    random = np.random.default_rng(3)
    for _ in range(4):
        drawn = np.stack((random.uniform(30, 16000, 6), random.uniform(-12, 12, 6), random.uniform(0.2, 10, 6)), 1)
        knobs = drawn.astype(np.float32)
        params = {p.name: torch.from_numpy(knobs.reshape(-1)[i : i + 1]) for i, p in enumerate(model.parameters)}
        x = noise(2, 3000)
        cuts = np.sort(random.choice(np.arange(1, 3000), 9, replace=False))
        model.reset_model()
        y = np.concatenate([model.do_forward_pass(torch.from_numpy(b), params) for b in np.split(x, cuts, 1)], 1)
        expected = sosfilt(bells(knobs.astype(np.float64)), x.astype(np.float64))
        np.testing.assert_allclose(y, expected, atol=1e-6)
    hertz = 1500.0  # of one band alone: a sine at its middle is louder by the band's gain
    params = {p.name: torch.tensor([p.default]) for p in model.parameters}
    params.update({"frequency 4": torch.tensor([hertz]), "gain 4": torch.tensor([12.0]), "Q 4": torch.tensor([3.0])})
    model.reset_model()
    sine = torch.sin(2.0 * math.pi * hertz / RATE * torch.arange(9600)).repeat(2, 1)
    tail = model.do_forward_pass(sine, params)[:, -3200:]
    assert 20.0 * math.log10(float(tail.square().mean() / 0.5) ** 0.5) == pytest.approx(12.0, abs=0.01)


def test_the_eighteenth_knob_is_automated_in_a_file(exported: Exported, tmp_path: Path) -> None:
    x = noise(2, 24_000)
    soundfile.write(tmp_path / "in.wav", x.T, RATE, subtype="FLOAT")
    moves = {"gain 6": 12.0, "Q 6": [(0.0, 0.5), (0.2, 0.5), (0.21, 8.0)]}
    artifact = artifact_of(exported.equaliser)
    assert [parameter.name for parameter in artifact.parameters][17] == "Q 6"
    render_file(artifact, tmp_path / "in.wav", tmp_path / "out.wav", params=moves)
    y = soundfile.read(tmp_path / "out.wav", dtype="float32")[0].T
    assert y.shape == x.shape
    before, after = (
        np.asarray(sosfilt(bells(np.array([[11000.0, 12.0, q]])), x.astype(np.float64))) for q in (0.5, 8.0)
    )
    still, settled = slice(2000, 9400), slice(13_000, 24_000)  # the other bands are flat; this one forgets in 3 ms
    np.testing.assert_allclose(y[:, still], before[:, still], atol=2e-6)
    np.testing.assert_allclose(y[:, settled], after[:, settled], atol=2e-6)
    assert np.abs(before - after)[:, settled].max() > 0.05


def test_the_bands_of_the_crossover_add_up_to_what_came_in(exported: Exported, tmp_path: Path) -> None:
    """A file of six channels, aligned with the input, at the model's rate and another; a mono file is on both sides."""
    artifact = artifact_of(exported.crossover)
    for rate, channels, allowed in ((48000, 2, 1e-6), (48000, 1, 1e-6), (44100, 2, 2e-4)):
        time = np.arange(12_000) / rate
        x = np.stack([0.2 * np.sin(2 * np.pi * hertz * time) for hertz in (60.0, 900.0, 9000.0)]).sum(0)
        x = (np.hanning(12_000) * np.stack((x, -0.5 * x))[:channels]).astype(np.float32)
        soundfile.write(tmp_path / "in.wav", x.T, rate, subtype="FLOAT")
        result = render_file(artifact, tmp_path / "in.wav", tmp_path / "out.wav")
        y = soundfile.read(tmp_path / "out.wav", dtype="float32")[0].T
        assert (y.shape, result.channels) == ((6, 12_000), 6)
        np.testing.assert_allclose(y.reshape(3, 2, -1).sum(0), np.broadcast_to(x, (2, 12_000)), atol=allowed)
        middle = slice(3000, 9000)
        levels = [float(np.abs(np.fft.rfft(band[middle])).max()) for band in y[::2]]
        assert min(levels) > 50.0, "every tone is in its own band"
        for band, hertz in enumerate((60.0, 900.0, 9000.0)):
            spectrum = np.abs(np.fft.rfft(y[2 * band, middle] * np.hanning(6000)))
            assert abs(np.argmax(spectrum) * rate / 6000 - hertz) < 10.0


def test_boards_pass_six_channels_on(exported: Exported) -> None:
    x = noise(2, 6000)
    board = Board([str(exported.equaliser.model_path), str(exported.crossover.model_path), pedalboard.Gain(-6.0)])
    y = board(x, RATE)
    assert y.shape == (6, 6000)
    np.testing.assert_allclose(y.reshape(3, 2, -1).sum(0) * 10 ** (6 / 20), x, atol=1e-5)
    with pytest.raises(AudioError, match=r"Crossover takes mono or stereo \(1 or 2 channels\), got 3 channels"):
        Board([str(exported.crossover.model_path)])(noise(3, 600), RATE)
    with pytest.raises(AudioError, match=r"Crossover takes mono or stereo \(1 or 2 channels\), got 6 channels"):
        Board([str(exported.crossover.model_path)] * 2)(x, RATE)


def wrapper_output(artifact: Artifact, x: Audio, rate: int, values: dict[str, float]) -> Audio:
    module: Any = artifact.fresh_module()
    module.set_daw_sample_rate_and_buffer_size(rate, 256)
    rows = [[p.to_0to1(values.get(p.name, float(p.default)))] for p in artifact.numerical_parameters]
    params = torch.tensor(rows).repeat(1, x.shape[1]) if rows else None
    return module.forward_offline(torch.from_numpy(x), params).numpy()


def test_the_engine_plays_them_as_the_wrapper_does(exported: Exported) -> None:
    values = {"gain 1": 9.0, "frequency 3": 700.0, "gain 3": -12.0, "gain 6": 6.0, "Q 6": 4.0}
    no_values: dict[str, float] = {}
    with Engine() as engine:
        native: tuple[Adaptation, ...] = ("native",)
        both: tuple[Adaptation, ...] = ("native", "embedded")
        for result, host, settings, adaptations in (
            (exported.equaliser, HostConfig(48000, 256), values, native),
            (exported.crossover, HostConfig(44100, 256, channels=1), no_values, both),
        ):
            artifact, x = artifact_of(result), noise(host.channels, 4096)
            expected = wrapper_output(artifact, x, host.sample_rate, settings)
            assert len(expected) == (6 if result is exported.crossover else 2)
            for adaptation in adaptations:
                with engine.open(artifact, host, mode="inline", adaptation=adaptation) as session:
                    assert session.output_channels == len(expected)
                    for name, value in settings.items():
                        session.set_parameter(name, value)
                    # A parameter that is set before the start glides nowhere.
                    np.testing.assert_allclose(session.process_offline(x), expected, atol=1e-5)
                    blocks = np.concatenate([session.process(b) for b in np.split(x, 16, 1)], 1)
                    late = session.latency_samples
                    np.testing.assert_allclose(blocks[:, late:], expected[:, : 4096 - late], atol=1e-5)


def test_the_engine_refuses_other_counts_with_both_numbers(exported: Exported) -> None:
    path, host = exported.crossover.model_path, HostConfig(48000, 256)
    with Engine() as engine:
        with pytest.raises(RuntimeEngineError, match=r"the model takes 2, the host has 3\. Only mono and stereo"):
            engine.open(path, HostConfig(48000, 256, channels=3))
        with pytest.raises(RuntimeEngineError, match="'dry' needs .* as many channels in as out, got 2 and 6"):
            engine.open(path, host, late_policy="dry")
        backend = BuiltinBackend("identity", in_channels=3, out_channels=2)
        with pytest.raises(RuntimeEngineError, match=r"the model takes 3, the host has 2\. Only mono and stereo"):
            engine.open(backend, host)
        with engine.open(backend, HostConfig(48000, 256, channels=3), mode="inline") as session:
            x = noise(3, 256)
            np.testing.assert_array_equal(session.process(x), x[:2])
        backend = BuiltinBackend("identity", in_channels=2, out_channels=6)
        with engine.open(backend, HostConfig(48000, 256, channels=1), mode="inline") as session:
            x = noise(1, 256)
            np.testing.assert_array_equal(session.process(x), np.repeat(x, 6, 0))


def test_verbs_take_them(exported: Exported, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = runner(capsys)
    soundfile.write(tmp_path / "in.wav", noise(2, 2400).T, RATE, subtype="FLOAT")
    code, out, _ = run("render", exported.crossover.directory, tmp_path / "in.wav", tmp_path / "out.wav")
    assert (code, soundfile.info(tmp_path / "out.wav").channels) == (GOOD, 6)
    assert "6 channels" in out
    arguments = [exported.equaliser.directory, tmp_path / "in.wav", tmp_path / "eq.wav"]
    assert run("render", *arguments, "--param", "gain 6=6", "--param", "Q 6=4")[0] == GOOD


def test_bench_sends_what_the_model_takes(exported: Exported) -> None:
    for result, late in ((exported.equaliser, 0), (exported.crossover, 511)):
        (found,) = bench_artifact(artifact_of(result), sample_rates=(48000,), block_sizes=(128,), calls=20).results
        assert found.reported_latency_samples == late
