"""Every argument of small public calls, given everything that it is not: an error of ours, in words, or it works."""

# What is given here is wrong on purpose.
# pyright: reportArgumentType=false, reportPrivateUsage=false, reportCallIssue=false
# pyright: reportUndefinedVariable=false, reportUnknownParameterType=false
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from neutone_like import (
    ModelError,
    NeutoneLikeError,
    NonRealtimeBase,
    SampleQueueWrapper,
    graph,
    streaming,
)
from neutone_like.artifact import ArtifactMetadata, LiveMetadata, OfflineMetadata, read_metadata
from neutone_like.bench import BlockTimes, time_calls
from neutone_like.checked_arguments import checked_arguments, checked_fields
from neutone_like.errors import ArtifactError, ParameterError, RuntimeEngineError
from neutone_like.formats import Sidecar, SidecarParameter, SidecarState, read_sidecar, sidecar_path
from neutone_like.graph import capture
from neutone_like.optimise import diffusion
from neutone_like.runtime import BuiltinBackend, Engine, HostConfig, NativeBackend, PythonBackend, Session
from neutone_like.runtime.live import devices
from neutone_like.runtime.session_config import SessionSettings
from support.places import PROJECT
from support.wrong_arguments import Half, try_every_argument

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
    try_every_argument(getattr(streaming, name), *LAYERS[name])


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


def test_what_graphs_are_played_and_rewritten_with() -> None:
    network, x = nn.Conv1d(1, 1, 3, padding=1), torch.zeros(1, 1, 32)
    example, found = graph.take_apart(network, (x,), {}), capture(network, x)
    wrong: tuple[Any, ...] = (
        torch.zeros(()),
        torch.zeros(1, 2, 8),
        torch.zeros(1, 1, 8, dtype=torch.float64),
        torch.zeros(1, 1, 8, dtype=torch.int32),
        torch.zeros(1, 1, 8).to_sparse(),
        np.zeros((1, 1, 8)),
        None,
        "x",
    )
    for block in wrong:
        with pytest.raises(
            NeutoneLikeError, match=r"This graph takes the tensors input \[1, 1, samples\].*(got|fails)"
        ):
            graph.GraphPlayer(found)(block)
        with pytest.raises(NeutoneLikeError):
            graph.decompose(found, lambda node: False, [[block]])
    for block in (torch.zeros(()), np.zeros((1, 1, 8)), None, "x"):
        with pytest.raises(NeutoneLikeError):
            functional(x, [[block]])
    for blocks in ([], torch.zeros(0)):
        with pytest.raises(NeutoneLikeError, match="Expected one or more blocks"):
            graph.decompose(found, lambda node: False, blocks)
        with pytest.raises(NeutoneLikeError, match="Expected one or more blocks"):
            functional(x, blocks)
    for longest in (0, 64, 1 << 25, 2**63):
        with pytest.raises(NeutoneLikeError, match=r"longest must be an integer in 65\.\.16777216 samples"):
            graph.capture_call(network, example, longest=longest)
    for samples in (None, -1, 1.5, 2**63, "x"):
        with pytest.raises(NeutoneLikeError, match="samples must be an integer"):
            example.block(samples, torch.Generator())
        assert not found.lengths.accepts(samples) or samples == 2**63
    for given in ((None, [x]), (network, []), (network, None)):
        with pytest.raises(NeutoneLikeError, match="Expected a network to call and a list of 1 tensors"):
            example.call(*given)


def functional(x: Tensor, blocks: Any) -> Any:
    return graph.functional(capture(WritesIntoPart(), x), blocks)


class WritesIntoPart(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = x.clone()
        y[..., 0] = 0.0
        return y


def test_small_parts_of_graphs() -> None:
    for name in (
        "aten::no_such.default",
        "aten::relu",
        "aten",
        "::",
        "",
        "__class__::x.y",
        "\ud800",
    ):
        with pytest.raises(NeutoneLikeError, match="PyTorch has no operation"):
            graph.operation(name)
    at_both: list[dict[str, int]] = [{"samples": 1}, {"samples": 2}]
    number: Any = graph.fit_whole_number([3, 5], at_both)
    assert number.evaluate({"samples": np.int64(4)}) == 9
    for variables in (None, 3, "x", {}, {"samples": 1.5}, {"samples": None}, torch.zeros(2)):
        with pytest.raises(NeutoneLikeError, match="needs whole numbers by name for 'samples'"):
            number.evaluate(variables)
    for values, points in (([], []), ([1, 2], at_both[:1]), ([1, 2], [{"a": 1}, {"b": 2}]), (torch.zeros(0), [])):
        with pytest.raises(NeutoneLikeError):
            graph.fit_whole_number(values, points)
    with pytest.raises(NeutoneLikeError, match="function must be something to call, got 3"):
        graph.map_values([1], 3)
    with pytest.raises(NeutoneLikeError, match="TorchScript can't read this method:\nx\n"):
        graph.to_torchscript(capture(nn.ReLU(), torch.zeros(1, 8)), ["x"])


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
