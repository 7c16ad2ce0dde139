"""Every argument of small public calls, given everything that it is not: an error of ours, in words, or it works."""

# What is given here is wrong on purpose.
# pyright: reportArgumentType=false, reportPrivateUsage=false, reportCallIssue=false
# pyright: reportUndefinedVariable=false, reportUnknownParameterType=false
import contextlib
import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from neutone_like import (
    CategoricalParameter,
    ContinuousParameter,
    ModelError,
    ModelMetadata,
    NeutoneLikeError,
    NonRealtimeBase,
    SampleQueueWrapper,
    TokensParameter,
    WaveformToWaveformBase,
    graph,
    optimise,
    streaming,
)
from neutone_like.artifact import ArtifactMetadata, LiveMetadata, OfflineMetadata, load_artifact, read_metadata
from neutone_like.bench import BlockTimes, bench_artifact, bench_backends, time_calls
from neutone_like.checked_arguments import checked_arguments, checked_fields
from neutone_like.errors import ArtifactError, CompileError, ParameterError, RuntimeEngineError
from neutone_like.formats import Sidecar, SidecarParameter, SidecarState, read_sidecar, sidecar_path
from neutone_like.graph import capture
from neutone_like.optimise import diffusion
from neutone_like.plugin import build_player_plugin, build_plugin
from neutone_like.runtime import BuiltinBackend, Engine, HostConfig, NativeBackend, PythonBackend, Session
from neutone_like.runtime.live import MidiKnobs, devices
from neutone_like.runtime.session_config import SessionSettings
from support.places import PROJECT

WRONG: tuple[Any, ...] = (
    None, True, 3, -1, 0, 1.5, float("nan"), float("inf"), 10**30, "x", b"x", object(), [], ["x"], [1.5], {}, {"a": 1},
    np.array([1, 2]), np.float64(1.5), torch.zeros(2), torch.zeros(2, 3, 4), torch.zeros(2, device="meta"), nn.Conv1d,
    lambda *_: 3, nn.Identity(), (1,), 1j,
)  # fmt: skip
NO_LAYERS = {"StreamingCheck", "StreamingReport", "StreamingNetwork", "ConditionedNetwork", "StreamingLayer"}
LAYERS: dict[str, tuple[Any, ...]] = {
    "Attention": (4, 2, 8),
    "Biquad": (torch.tensor([[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]]),),
    "ChannelNorm": (4,),
    "Conv1d": (2, 2, 3),
    "ConvTranspose1d": (2, 2, 4, 2),
    "CumulativeLayerNorm": (4,),
    "Delay": (4,),
    "DiagonalStateSpace": (4,),
    "FIR": (torch.ones(3),),
    "FractionalDelay": (4,),
    "GRU": (2, 3),
    "Hold": (2,),
    "IIR": (torch.tensor([1.0, 0.0]), torch.tensor([1.0, 0.5])),
    "Interpolate": (2, 2),
    "InverseSTFT": (16, 8),
    "LSTM": (2, 3),
    "LinearAttention": (4, 2),
    "MelSpectrogram": (48000, 64, 32, 4),
    "OverlapAddCrossfade": (nn.Identity(), 16, 4),
    "PQMFAnalysis": (4,),
    "PQMFSynthesis": (4,),
    "Parallel": (nn.Identity(), streaming.Delay(2)),
    "Pool1d": (2, 2, 2),
    "RNN": (2, 3),
    "Residual": (streaming.Delay(2),),
    "STFT": (16, 8),
    "Sequential": (streaming.Delay(2), nn.Identity()),
    "SilentStart": (2,),
    "StateVariableFilter": (48000.0,),
}
ORDINARY = (
    (streaming.Conv1d, nn.Conv1d(2, 2, 3)),
    (streaming.ConvTranspose1d, nn.ConvTranspose1d(2, 2, 4, 2)),
    (streaming.GRU, nn.GRU(2, 3, batch_first=True)),
    (streaming.LSTM, nn.LSTM(2, 3, batch_first=True)),
    (streaming.RNN, nn.RNN(2, 3, batch_first=True)),
)


def try_every_argument(call: Callable[..., Any], *good: Any, leave_out: tuple[Any, ...] = (), **named: Any) -> None:
    """Each argument by itself given each wrong value; what is no error of ours ends the test."""
    call(*good, **named)
    parameters = list(inspect.signature(call).parameters.values())
    has_many = any(each.kind is each.VAR_POSITIONAL for each in parameters)
    others = [each.name for each in parameters[len(good) :] if each.kind is not each.VAR_POSITIONAL]
    if has_many:
        others = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]
    for wrong in WRONG:
        if any(wrong is each for each in leave_out):
            continue
        calls = [({}, (*good[:at], wrong, *good[at + 1 :])) for at in range(len(good))]
        calls += [({name: wrong}, good) for name in others]
        for changed, arguments in calls:
            with contextlib.suppress(NeutoneLikeError):
                call(*arguments, **{**named, **changed})


class Half(WaveformToWaveformBase):
    metadata = ModelMetadata(name="Half", authors=("A",), version="1")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * 0.5


# ---------------------------------------------------------------------- the judge


@checked_arguments(ParameterError)
def everything(
    whole: int = 1,
    number: float | None = None,
    flag: bool = False,
    text: str = "",
    path: str | PathLike[str] = "",
    tensor: Tensor | None = None,
    numbers: Sequence[int] = (),
    pair: tuple[float, float] = (0.0, 1.0),
    named: Mapping[str, float] | None = None,
    word: Literal["a", "b"] = "a",
    function: Callable[[int], int] = abs,
    later: "NotLoadedYet" = None,  # noqa: F821
    texts: Iterable[str] = (),
    *more: int,
) -> dict[str, Any]:
    return dict(locals())


def test_numbers_of_every_kind_become_pythons() -> None:
    given: dict[str, Any] = {"whole": np.int64(3), "number": torch.tensor(1.5), "flag": np.bool_(True)}
    taken = everything(**given, numbers=np.array([1, 2]), pair=[0, np.float32(2)], word="c", later=7)
    assert [type(taken[name]) for name in given] == [int, float, bool]
    assert (taken["numbers"], taken["pair"], taken["word"]) == ((1, 2), (0, 2.0), "c")
    kept = [1, 2]
    assert everything(numbers=kept)["numbers"] is kept
    assert everything(flag=1, path=Path("a"), named={"a": 1})["flag"] is True
    assert everything(named={"a": np.float32(0.5)})["named"] == {"a": 0.5}
    assert everything(pair=[0, 1])["pair"] == (0, 1), "what is kept of a list can't be a key"


@checked_fields(ParameterError)
@dataclass(frozen=True)
class Made:
    count: int
    names: tuple[str, ...] = ()
    more: dict[str, int] = field(default_factory=dict)


def test_what_dataclasses_are_made_of() -> None:
    made = Made(np.int64(3), ["a"])
    assert (made, type(made.count)) == (Made(3, ("a",), {}), int)
    with pytest.raises(ParameterError, match="Made: count must be a whole number, got '3'"):
        Made("3")
    with pytest.raises(ParameterError, match="Made: names must be a sequence, each of it a text, got 'ab'"):
        Made(1, "ab")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"whole": 1.5}, r"everything: whole must be a whole number, got 1\.5\."),
        ({"whole": True}, "got True"),
        ({"number": "loud"}, "number must be a number or None, got 'loud'"),
        ({"number": 10**400}, "number must be a number or None"),
        ({"flag": "yes"}, "flag must be True or False, got 'yes'"),
        ({"text": b"x"}, "text must be a text, got b'x'"),
        ({"path": 3}, "path must be a text or a path, got 3"),
        ({"tensor": np.zeros(2)}, "tensor must be of the kind Tensor or None"),
        ({"tensor": Tensor}, "got the class Tensor itself"),
        ({"numbers": "12"}, "numbers must be a sequence, each of it a whole number"),
        ({"numbers": [1, 1.5]}, "numbers must be"),
        ({"numbers": 3}, "numbers must be"),
        ({"pair": (1.0, 2.0, 3.0)}, r"pair must be \(a number, a number\)"),
        ({"named": {"a": "b"}}, "named must be a dictionary with texts as keys, each value of it a number or None"),
        ({"named": [1]}, "named must be"),
        ({"word": 3}, r"word must be one of \('a', 'b'\)"),
        ({"function": 3}, "function must be something to call"),
        ({"path": "a\0b"}, "path must be a text or a path"),
        ({"path": "\ud800"}, "path must be a text or a path"),
        ({"named": {1: 2}}, "named must be a dictionary with texts as keys"),
        ({"texts": [1]}, "texts must be"),
        ({"texts": "ab"}, "texts must be"),
    ],
)
def test_what_is_of_another_kind_is_said(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        everything(**given)


def test_arguments_that_are_many_and_arguments_that_are_missing() -> None:
    taken = [1, None, False, "", "", None, (), (0, 1), None, "a", abs, None, ()]
    with pytest.raises(ParameterError, match="more must be a whole number, got 'x'"):
        everything(*taken, 3, "x")
    with pytest.raises(TypeError, match=r"Delay.__init__\(\) missing 1 required positional argument: 'samples'"):
        streaming.Delay()


# ---------------------------------------------------------------------- layers


def test_every_layer_is_tried() -> None:
    classes = {name for name in streaming.__all__ if inspect.isclass(getattr(streaming, name))}
    assert classes - NO_LAYERS == set(LAYERS)


@pytest.mark.parametrize("name", LAYERS)
def test_layers_are_made_of_what_they_say(name: str) -> None:
    endless = (10**30,) if name in ("GRU", "LSTM", "RNN") else ()  # so many layers are made one by one
    try_every_argument(getattr(streaming, name), *LAYERS[name], leave_out=endless)


@pytest.mark.parametrize(("kind", "ordinary"), ORDINARY)
def test_layers_are_made_of_ordinary_ones(kind: Any, ordinary: nn.Module) -> None:
    try_every_argument(kind.from_torch, ordinary)


def test_the_rest_of_streaming() -> None:
    network = streaming.Conv1d(1, 1, 3)
    try_every_argument(streaming.reset_streaming, network)
    try_every_argument(lambda network: list(streaming.streaming_layers(network)), network)
    try_every_argument(streaming.StreamingLayer().register_state, "state", torch.zeros(1))
    try_every_argument(streaming.Sequential(streaming.Delay(2)).begin_after, 4)
    for wrong in ("x", None, [1], 1.5):
        for name in ("chunkings", "seed", "example"):
            if (name, wrong) != ("example", None):
                with pytest.raises(ModelError):
                    streaming.verify_streaming(network, **{name: wrong})


# ---------------------------------------------------------------------- other rooms


def test_graphs() -> None:
    found = capture(nn.Conv1d(1, 1, 3, padding=1), torch.zeros(1, 1, 32))
    for name in ("drop_unused", "fold_constants", "without_writes", "GraphPlayer", "to_torchscript"):
        for wrong in (None, 3, "x", nn.Identity(), [found]):
            with pytest.raises(NeutoneLikeError, match="graph must be of the kind Graph"):
                getattr(graph, name)(wrong)
    for wrong in (None, 3, "x", [torch.zeros(2)]):
        with pytest.raises(NeutoneLikeError, match="kind Graph"):
            graph.play_all(wrong, torch.zeros(1, 1, 32))
        with pytest.raises(NeutoneLikeError, match="kind Module"):
            graph.own_copy(wrong)


def test_samplers() -> None:
    noise = diffusion.Diffusion()
    for make in (diffusion.ddim, diffusion.ddpm, diffusion.dpm_solver, diffusion.consistency):
        try_every_argument(make, noise, 2)
    sampler = diffusion.ddim(noise, 2)
    for wrong in (None, 3, "x", object()):
        with pytest.raises(ParameterError, match="sampler must be of the kind Sampler"):
            diffusion.sample(lambda x, time: x, wrong, torch.zeros(2, 3))
        with pytest.raises(ParameterError, match="start must be of the kind Tensor"):
            diffusion.sample(lambda x, time: x, sampler, wrong)
        with pytest.raises(ParameterError, match="network must be of the kind Module"):
            diffusion.train_diffusion(wrong, noise, lambda generator: (), 1)


def test_times() -> None:
    times = BlockTimes((1.0,), (1.0, 2.0))
    try_every_argument(times.percentile_us, 50.0)
    try_every_argument(times.real_time_factor, 64, 48000)
    with pytest.raises(ParameterError, match="call must be something to call"):
        time_calls(3, calls=1)


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


def test_records_made_and_changed_by_hand() -> None:
    records: tuple[Any, ...] = (
        Sidecar,
        SidecarParameter,
        SidecarState,
        ArtifactMetadata,
        LiveMetadata,
        OfflineMetadata,
    )
    for record in records:
        with pytest.raises(ArtifactError, match=rf"^{record.__name__} does not fit:\n\w+: Field required"):
            record()
    metadata: Any = read_metadata(PROJECT / "exported" / "overdrive")
    with pytest.raises(ArtifactError, match=r"LiveMetadata can't be changed: model_name stays.*model_copy"):
        metadata.model_name = "Another"
    for call in (read_sidecar, sidecar_path):
        for wrong in (None, 3, b"x", object()):
            with pytest.raises(NeutoneLikeError):
                call(wrong)


def test_attributes_of_models_and_wrappers() -> None:
    models: tuple[Any, ...] = (Half(), NonRealtimeBase())
    for model in models:
        for wrong in (3, "x", Half, [nn.Identity()]):
            with pytest.raises(ModelError, match=r"(Half|NonRealtimeBase): model must be a torch\.nn\.Module, got"):
                model.model = wrong
        model.model = nn.Identity()
    wrapper: Any = SampleQueueWrapper(Half())
    for part in ("w2w_base", "front", "caller", "back", "mix"):
        with pytest.raises(ModelError, match=f"SampleQueueWrapper: {part} is a part of it, and can't become 3"):
            setattr(wrapper, part, 3)


def test_a_session_made_by_hand() -> None:
    with Engine() as engine:
        settings = SessionSettings(mode="inline", max_inference_seconds=0.01)
        good: tuple[Any, ...] = (engine, engine._native, BuiltinBackend("identity"), HostConfig(48000, 64), settings)
        Session(*good).close()
        for at in range(1, 5):
            for wrong in (None, 3, "x", engine):
                with pytest.raises(RuntimeEngineError, match="Expected an object of"):
                    Session(*good[:at], wrong, *good[at + 1 :])


def test_backends_and_what_a_run_gives() -> None:
    host = HostConfig(48000, 64)
    with Engine() as engine:
        for parameters in (None, 3, "x", [1], (object(),)):
            with pytest.raises(ModelError, match="PythonBackend: parameters must be a tuple of ContinuousParameter"):
                PythonBackend(lambda x, parameters: x, parameters=parameters)
        for wrong in (None, 3, b"x", object()):
            with pytest.raises(RuntimeEngineError, match="path of a backend's shared object"):
                NativeBackend(wrong)
            with pytest.raises(RuntimeEngineError, match="A built-in model is named by a text"):
                engine.open(BuiltinBackend(wrong), host, mode="inline", max_inference_seconds=0.01)
        for options in (None, 3, "x", {1: 2}):
            with pytest.raises(RuntimeEngineError, match="options must be a dictionary with texts as keys"):
                engine.open(
                    BuiltinBackend("identity", options=options), host, mode="inline", max_inference_seconds=0.01
                )
        session = engine.open(BuiltinBackend("identity"), host, mode="inline", max_inference_seconds=0.01)
        report = engine.run_realtime(session, 0.01)
        for wrong in (None, "x", [], torch.zeros(2)):
            with pytest.raises(RuntimeEngineError, match="limit_us must lie in"):
                report.sessions[0].callback_time.fraction_above(wrong)
            with pytest.raises(RuntimeEngineError, match="Expected an object of SessionRun"):
                report.no_op_beside(wrong)
    for wrong in (True, 3, b"x", object()):
        with pytest.raises(RuntimeEngineError, match="path of PortAudio's shared library"):
            devices(portaudio=wrong)
