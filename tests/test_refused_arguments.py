"""What other calls than layers answer to wrong arguments: benches, smaller models, diffusions, models, plugins."""

# What is given here is wrong on purpose.
# pyright: reportArgumentType=false, reportPrivateUsage=false, reportCallIssue=false
# pyright: reportUndefinedVariable=false, reportUnknownParameterType=false
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from neutone_like import (
    CategoricalParameter,
    ContinuousParameter,
    ModelError,
    NeutoneLikeError,
    NonRealtimeBase,
    TokensParameter,
    export_model,
    optimise,
    streaming,
    validate_artifact,
)
from neutone_like.artifact import (
    Artifact,
    from_host_values,
    json_schema,
    load_artifact,
    to_host_values,
    write_artifact,
    write_files,
)
from neutone_like.bench import bench_artifact, bench_backends, time_calls
from neutone_like.errors import AudioError, CompileError, ParameterError, RuntimeEngineError
from neutone_like.optimise import diffusion
from neutone_like.plugin import build_player_plugin, build_plugin
from neutone_like.realtime_safety import check_realtime_safety
from neutone_like.render import Board, ModelPlugin, OfflinePlugin, render_file, render_files
from neutone_like.runtime import Engine, HostConfig
from neutone_like.runtime.live import MidiKnobs
from support.places import PROJECT
from support.wrong_arguments import Half, try_every_argument


class Same(NonRealtimeBase):
    metadata = Half.metadata


def test_benches() -> None:
    artifact = load_artifact(PROJECT / "exported" / "overdrive")
    for wrong in (None, 3, "x", np.array(1), torch.tensor(0.5)):
        for bench in (bench_artifact, bench_backends):
            for rates in ({"sample_rates": wrong}, {"block_sizes": wrong}):
                with pytest.raises(NeutoneLikeError, match="Expected a list of rates|must be a sequence"):
                    bench(artifact, **rates)
    for wrong in (0, -1, 1.5, float("nan"), "x", None):
        for bench in (bench_artifact, bench_backends):
            with pytest.raises(NeutoneLikeError, match="calls must be"):
                bench(artifact, calls=wrong)
        with pytest.raises(ParameterError, match="calls must be"):
            time_calls(list, calls=wrong)


# ---------------------------------------------------------------------- smaller models


def test_what_students_are_made_of() -> None:
    shape = optimise.StudentShape("wavenet", np.int64(4), 3, [1, np.int64(2)])
    assert hash(shape) == hash(optimise.StudentShape("wavenet", 4, 3, (1, 2)))
    try_every_argument(optimise.StudentShape, "wavenet", 4, 3, (1, 2))
    try_every_argument(optimise.Losses, 0.5, 0.0, None, 0.1, 1e-9)
    try_every_argument(optimise.FineTuning, lambda model, batch: batch, lambda generator: None, 1)
    network = streaming.Conv1d(1, 1, 3)
    for name in ("sample_rate", "in_channels", "out_channels", "delay_samples", "metadata"):
        for wrong in ("48000", [], nn.Identity(), torch.zeros(2)):
            with pytest.raises(ModelError, match=f"StudentModel: {name} must be"):
                optimise.StudentModel(network, **{"sample_rate": 48000, name: wrong})
    for wrong in (-1.0, float("inf"), float("nan")):
        with pytest.raises(ParameterError, match="spectrum must lie in"):
            optimise.Losses(spectrum=wrong)


def test_calls_that_make_models_smaller() -> None:
    model, sound = Half(), np.full((1, 4096), 0.5, np.float32)
    calls: tuple[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]], ...] = (
        (optimise.prune, (model,), {"ratios": "x", "kinds": [3], "steps": "2", "checkpoint": 3, "calibration": 3}),
        (optimise.prune, (nn.Conv1d(1, 8, 1),), {"ratios": {3: 0.5}, "fine_tune": 3, "measure": "yes"}),
        (optimise.quantise, (model,), {"group_size": np.array([4]), "layers": {3: "int8"}, "measure": "yes"}),
        (optimise.quality, (sound, sound), {"sample_rate": 3, "embedding": 3}),
        (optimise.listening_page, ("a.html", sound, {"a": sound}), {"title": "\ud800", "trials": True}),
        (optimise.distil, (model, None), {"out": 3, "steps": 1.5, "seed": "x", "params": [1], "losses": 3}),
        (optimise.propose_students, (model,), {"budget": "x", "block_sizes": 3, "families": object()}),
        (optimise.search_budget, (model, "out"), {"budget": "x", "methods": [[1]], "seed": [], "progress": 3}),
        (optimise.search_budget, (model, 3), {"confirm": "no", "block_sizes": np.array(64), "allow_operators": "x"}),
    )
    for call, good, named in calls:
        for name, wrong in named.items():
            with pytest.raises(NeutoneLikeError):
                call(*good, **{name: wrong})


def test_artifacts_are_written_checked_and_read(tmp_path: Path) -> None:
    overdrive: Any = load_artifact(PROJECT / "exported" / "overdrive")
    arrays: tuple[Any, ...] = (np.array([1, 2]), torch.zeros(2), "no", None)
    for wrong in arrays:
        with pytest.raises(NeutoneLikeError, match="verify_test_vector must be True or False"):
            load_artifact(overdrive.path, verify_test_vector=wrong)
        with pytest.raises(NeutoneLikeError, match="realtime must be True or False"):
            json_schema(realtime=wrong)
        with pytest.raises(NeutoneLikeError, match="quick must be True or False"):
            validate_artifact(overdrive, quick=wrong)
        for write in (write_artifact, write_files, export_model):
            with pytest.raises(NeutoneLikeError, match="render_samples must be True or False"):
                write(Half(), tmp_path, render_samples=wrong)
    for wrong in (True, 3, *arrays[:-1]):
        for call in (partial(write_artifact, Half(), tmp_path), partial(write_files, Half(), tmp_path)):
            with pytest.raises(NeutoneLikeError, match="progress must be something to call or None"):
                call(progress=wrong)
        with pytest.raises(NeutoneLikeError, match="progress must be"):
            validate_artifact(overdrive, progress=wrong)
    for wrong in (None, 3, tmp_path / "none", "a\0b"):
        with pytest.raises(NeutoneLikeError, match="folder"):
            write_files(Half(), wrong)
    with pytest.raises(NeutoneLikeError, match="Expected the path of a .nm file"):
        validate_artifact(Artifact)
    assert not list(tmp_path.iterdir())


def test_parameters_to_a_host_and_back() -> None:
    drive, at = (ContinuousParameter("drive"),), torch.tensor([[0.5]])
    assert to_host_values(drive, None).tolist() == [[0.0]]
    try_every_argument(to_host_values, drive, {"drive": 0.5})
    try_every_argument(from_host_values, drive, at)
    for wrong in (None, 3, "x", ["x"], torch.zeros(2)):
        with pytest.raises(ParameterError, match="parameters must be a sequence, each of it of the kind"):
            to_host_values(wrong, {})
        with pytest.raises(ParameterError, match="host_values must be of the kind Tensor|parameters must be"):
            from_host_values(*((drive, wrong) if not isinstance(wrong, torch.Tensor) else (wrong, at)))


@pytest.mark.parametrize("name", ["longest_callback_seconds", "timeout_seconds"])
def test_times_of_the_safety_checker(name: str) -> None:
    for wrong in (0, -1.0, float("nan"), float("inf"), "x", torch.zeros(2), True):
        with pytest.raises(RuntimeEngineError, match=f"{name} must lie in 0.001..1000000.0 s"):
            check_realtime_safety(PROJECT / "exported" / "overdrive", **{name: wrong})


def test_points_of_a_diffusion() -> None:
    process = diffusion.Diffusion()
    x, time = torch.rand(2, 8), torch.rand(2)
    for call in (process.point, process.target, process.data):
        try_every_argument(call, x, x, time)
    try_every_argument(process.data_weights, torch.rand(2, 1), torch.rand(2, 1))
    for schedule in (diffusion.CosineSchedule(), diffusion.StraightSchedule(), diffusion.LinearBetaSchedule()):
        try_every_argument(schedule.amounts, time)
        try_every_argument(schedule.time_of_log_snr, 1.0)
        assert math.isfinite(schedule.time_of_log_snr(-1e6)), "no overflow"
        for log_snr in (-8.0, 0.0, 8.0):
            moment = torch.tensor([schedule.time_of_log_snr(log_snr)], dtype=torch.float64)
            alpha, sigma = schedule.amounts(moment)
            assert 2.0 * (alpha / sigma).log().item() == pytest.approx(log_snr, abs=1e-6)
    sampler = diffusion.ddim(process, 2)
    try_every_argument(sampler.time, 0)
    try_every_argument(sampler.noise_level, 0)
    try_every_argument(sampler.data, 0, x, x)
    try_every_argument(sampler.next, 0, x, x, x)
    for wrong in (torch.rand(2, 8), 3, (x,), (x, torch.rand(3, 8)), None):
        with pytest.raises(ModelError, match="draw must return"):
            diffusion.train_diffusion(nn.Linear(8, 8), process, lambda generator, w=wrong: w, 1, progress=False)


# ---------------------------------------------------------------------- models and what plays them


def test_a_model_called_in_a_notebook() -> None:
    model: Any = Half()
    assert torch.equal(model(torch.ones(2, 8)), torch.full((2, 8), 0.5))
    for wrong in (
        None,
        3,
        "x",
        np.zeros((2, 8)),
        torch.zeros(8),
        torch.zeros(1, 2, 8),
        torch.zeros(3, 8),
        torch.zeros(2, 0),
    ):
        with pytest.raises(ModelError, match=r"Half: expected audio as a floating-point tensor \(2, 0 \+ N\)"):
            model(wrong)
    for wrong in (3, "x", [1], {"gian": torch.ones(1)}):
        with pytest.raises(ParameterError):
            model(torch.ones(2, 8), wrong)
    for wrong in (None, "x", 0, 1.5):
        with pytest.raises(ModelError, match="block_size must be"):
            model.default_parameter_values(wrong)
    whole: Any = NonRealtimeBase()
    for wrong in (None, "x", float("nan"), [1]):
        with pytest.raises(ModelError, match="progress_percentage must be a finite number"):
            whole.set_progress_percentage(wrong)


def test_declarations_that_are_no_values() -> None:
    for wrong in (np.array("x"), torch.tensor(1), "ab", 3):
        with pytest.raises(ParameterError, match="labels must be"):
            CategoricalParameter("c", labels=wrong)
        with pytest.raises(ParameterError, match="default must hold integers"):
            TokensParameter("t", default=wrong)
    with pytest.raises(ParameterError, match="unit must be a string, got 3"):
        ContinuousParameter("c", unit=3)
    for name in ("keeps_length", "overlap_window"):
        for wrong in (np.array([1, 2]), torch.zeros(2), lambda self: 3):
            with pytest.raises(ModelError, match=name):
                type("Wrong", (NonRealtimeBase,), {name: wrong, "metadata": Half.metadata})().declaration()
    with pytest.raises(ModelError, match="sample_rates"):
        type("Wrong", (Half,), {"sample_rates": lambda self: 3})().declaration()


def test_boards() -> None:
    plugin, sound = ModelPlugin(Half()), np.full((2, 64), 0.5, np.float32)
    board: Any = Board([plugin])
    for wrong in (np.array(1), torch.tensor(1), "ab", 3):
        with pytest.raises(ModelError, match="A Board takes a list"):
            Board(wrong)
    for wrong in (None, "no", 2, np.array([1, 2]), torch.zeros(2)):
        with pytest.raises(AudioError, match="reset must be True or False"):
            board(sound, 48000, reset=wrong)
    for name in ("sample_rate", "channels", "block_size"):
        for wrong in (None, "x", -1, 1.5, float("nan"), True):
            with pytest.raises(AudioError, match=f"{name} must be a whole number"):
                board.open_stream(**{"sample_rate": 48000, "channels": 2, "block_size": 64, name: wrong})
    for wrong in (3, "x", [1], {"gain": 0.5}):
        with pytest.raises(ParameterError):
            plugin.params = wrong
    plugin.params = None
    assert np.array_equal(board(sound, 48000), 0.5 * sound)
    for wrong in (None, 3, 1.5, [[1]], object()):
        with pytest.raises(ModelError, match="device must be the name of one"):
            OfflinePlugin(Same(), device=wrong)


def test_files_to_render(tmp_path: Path) -> None:
    for wrong in (np.array(1), torch.tensor(1), 3, object()):
        with pytest.raises(NeutoneLikeError):
            render_file(Half(), wrong, tmp_path / "out.wav")
        with pytest.raises(NeutoneLikeError, match="Expected the name of a file or folder"):
            render_files(Half(), wrong, tmp_path)
    for name in ("engine", "scheduler"):
        for wrong in (np.array([1, 2]), torch.zeros(2), 3, object()):
            with pytest.raises(NeutoneLikeError, match=f"{name} must be"):
                render_files(Half(), [tmp_path / "in.wav"], tmp_path, **{name: wrong})


def test_flags_are_true_or_false() -> None:
    for wrong in ("no", None, 2, [1], object()):
        with pytest.raises(NeutoneLikeError, match="varying_blocks must be True or False"):
            HostConfig(48000, 64, varying_blocks=wrong)
        with pytest.raises(RuntimeEngineError, match="realtime_priority must be True or False"):
            Engine(realtime_priority=wrong)
    assert HostConfig(48000, 64, varying_blocks=np.bool_(True)).varying_blocks is True


def test_live_play() -> None:
    for wrong in (None, 3, "x", object()):
        with pytest.raises(RuntimeEngineError, match="Expected an object of LiveStream"):
            MidiKnobs(wrong, object())


def test_plugins(tmp_path: Path) -> None:
    for build in (build_player_plugin, partial(build_plugin, PROJECT / "exported" / "overdrive")):
        for name in ("formats", "targets"):
            for wrong in (None, 3, "clap", [3], [[1]], object()):
                with pytest.raises(CompileError):
                    build(tmp_path, **{name: wrong})
    assert not list(tmp_path.iterdir())
