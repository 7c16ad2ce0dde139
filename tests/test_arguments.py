"""What is no path, no number, no tensor and no model: each public call says so in its own words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from neutone_like import (
    CategoricalParameter,
    ContinuousParameter,
    ModelMetadata,
    NeutoneLikeError,
    NonRealtimeBase,
    NonRealtimeSampleQueueWrapper,
    SampleQueueWrapper,
    WaveformToWaveformBase,
    compile_model,
    export_model,
    load_artifact,
    render_file,
    validate_artifact,
)
from neutone_like.artifact import write_artifact
from neutone_like.bench import bench_artifact, bench_backends
from neutone_like.formats import write_formats
from neutone_like.graph import capture
from neutone_like.importers import load_nam
from neutone_like.plugin import build_plugin, build_web_page
from neutone_like.realtime_safety import check_realtime_safety
from neutone_like.render import Board, render_files
from neutone_like.runtime import Engine, HostConfig
from neutone_like.streaming import to_streaming, verify_streaming
from neutone_like.validate import write_report

NO_PATHS = (True, 3, 1.5, b"x", object(), {"a": 1}, np.array([1, 2]), torch.zeros(2), "x\ud800", "x\0")
NO_NUMBERS = (None, "48000", 1.5, float("nan"), 10**400, 10**12, [48000], torch.zeros(2))
NO_WORDS = (np.array([1, 2]), torch.zeros(2), ["auto"], 3)


class Half(WaveformToWaveformBase):
    metadata = ModelMetadata(name="Half", authors=("A",), version="1")
    parameters = (ContinuousParameter("gain", default=0.5),)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return x * params["gain"]


class Same(NonRealtimeBase):
    metadata = ModelMetadata(name="Same", authors=("A",), version="1")

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        return audio_in


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("half")
    soundfile.write(folder / "in.wav", np.zeros((2000, 2)), 48000)
    return load_artifact(write_artifact(Half(), folder / "half", render_samples=False).model_path)


def refused(call: Callable[[Any], Any], values: tuple[Any, ...]) -> None:
    for value in values:
        with pytest.raises(NeutoneLikeError) as raised:
            call(value)
        assert len(str(raised.value)) > 15, value


@pytest.mark.parametrize(
    "call",
    [
        load_artifact,
        validate_artifact,
        compile_model,
        load_nam,
        check_realtime_safety,
        lambda path: export_model(Half(), path, validate=False),
        lambda path: write_artifact(Half(), path),
    ],
)
def test_what_is_no_path_is_refused(call: Callable[[Any], Any]) -> None:
    refused(call, (*NO_PATHS, None))


def test_what_is_no_path_is_refused_beside_an_artifact(artifact: Any) -> None:
    sound = artifact.path.parent.parent / "in.wav"
    refused(lambda path: render_file(artifact, path, "out.wav"), NO_PATHS)
    refused(lambda path: render_file(artifact, sound, path), (*NO_PATHS, None))
    refused(lambda path: render_files(artifact, sound, path), (3, b"x", None, object()))
    refused(lambda path: render_files(artifact, path, "out/"), (3, None, object()))
    refused(lambda path: compile_model(artifact, path=path), NO_PATHS)
    refused(lambda path: build_plugin(artifact.path, path), (*NO_PATHS, None))
    refused(lambda path: build_web_page(artifact.path, path), (*NO_PATHS, None))


def test_an_engine_refuses_paths_and_words_that_are_none(artifact: Any) -> None:
    host = HostConfig(sample_rate=48000, block_size=64, channels=2)
    refused(lambda wake: Engine(wake=wake), NO_WORDS)
    with Engine() as engine:
        for name in ("mode", "adaptation", "late_policy", "backend"):
            refused(lambda word, name=name: engine.open(artifact, host, **{name: word}), NO_WORDS)
        session = engine.open(artifact, host, mode="inline")
        refused(lambda path: engine.run_realtime(session, seconds=0.01, output=path), NO_PATHS)


def test_settings_that_are_none_are_refused(artifact: Any) -> None:
    sound = artifact.path.parent.parent / "in.wav"
    for params in (True, 3, "x", b"x", [1], np.array([1, 2]), object()):
        refused(lambda given: render_file(artifact, sound, sound.with_name("o.wav"), params=given), (params,))
    refused(lambda word: render_file(artifact, sound, sound.with_name("o.wav"), backend=word), NO_WORDS)
    refused(lambda rate: compile_model(artifact, sample_rate=rate), (0, -1, 1.5, "x", 10**400, [1]))
    refused(lambda word: export_model(Half(), "out", quality=word), NO_WORDS)
    refused(lambda word: export_model(Half(), "out", capture=word), NO_WORDS)
    refused(lambda word: ContinuousParameter("a", rate=word), NO_WORDS)
    refused(lambda flag: HostConfig(48000, 64, varying_blocks=flag), NO_WORDS[:2])
    refused(lambda flag: Engine(realtime_priority=flag), NO_WORDS[:2])
    refused(Board, (None, 3, "half", object()))
    refused(lambda labels: CategoricalParameter("a", labels=labels), (None, 3, "abc", object()))
    refused(lambda formats: export_model(Half(), "out", formats=formats), (3, b"nm", None))


@pytest.mark.parametrize(("kind", "model"), [(SampleQueueWrapper, Half), (NonRealtimeSampleQueueWrapper, Same)])
def test_wrappers_take_models_and_host_numbers(kind: Any, model: Any) -> None:
    for name in ("in_channels", "look_behind_samples"):
        if hasattr(model, name):
            refused(lambda value, name=name: kind(type("Odd", (model,), {name: value})()), (np.array([1, 2]), "x"))
    refused(lambda quality: kind(model(), quality), NO_WORDS)
    refused(kind, (None, 3, "x", torch.nn.Identity(), model))
    wrapper = kind(model())
    refused(lambda number: wrapper.set_daw_sample_rate_and_buffer_size(number, 64), NO_NUMBERS)
    refused(lambda number: wrapper.set_daw_sample_rate_and_buffer_size(48000, number), NO_NUMBERS)
    refused(lambda number: wrapper.set_daw_sample_rate_and_buffer_size(48000, 64, number), NO_NUMBERS[1:])
    for number in (np.int64(44100), torch.tensor(44100)):
        wrapper.set_daw_sample_rate_and_buffer_size(number, np.int16(64))
    assert type(wrapper.plan.host_rate) is int


def test_calls_of_wrappers_say_what_they_take() -> None:
    live = SampleQueueWrapper(Half())
    x = torch.zeros(2, 512)
    for call in (live.forward, live.forward_bt, live.forward_offline):
        refused(call, (None, 3, "x", [x], x.numpy()))
        refused(lambda params, call=call: call(x, params), (3, "x", [[0.5]], np.zeros((4, 512), np.float32)))
    offline = NonRealtimeSampleQueueWrapper(Same())
    refused(offline.forward, (None, 3, x, [3], [x.numpy()]))
    refused(lambda params: offline.forward([x], params), (3, "x"))
    refused(lambda texts: offline.forward([x], None, texts), (3, "x", [3]))
    setters: tuple[Any, ...] = (live.set_mix, live.set_gains)
    for set_two in setters:
        refused(lambda knob, set_two=set_two: set_two(knob, 0.5), (None, "x", float("nan"), 10**400, [0.5]))
        refused(lambda knob, set_two=set_two: set_two(0.5, knob), (None, "x", float("nan"), 10**400, [0.5]))
        set_two(np.float32(0.5), torch.tensor(0.5))
    refused(lambda tokens: offline.forward([x], None, None, tokens), (3, [3], [["x"]]))


def test_what_is_no_network_and_no_artifact_is_refused(artifact: Any) -> None:
    network = torch.nn.Conv1d(1, 1, 3)
    wrong = (None, 3, "x", Half, object(), [1])
    refused(lambda given: capture(given, torch.zeros(1, 1, 16)), wrong)
    refused(to_streaming, wrong)
    refused(verify_streaming, wrong)
    refused(lambda given: verify_streaming(network, reference=given), wrong[1:])
    refused(lambda given: write_formats(given, ("onnx",)), wrong)
    refused(lambda given: write_formats(artifact, given), (None, 3, b"onnx", "onnx"))
    refused(lambda given: write_report(artifact, given, "x.html"), wrong)
    for bench in (bench_artifact, bench_backends):
        refused(bench, wrong)
        refused(lambda rates, bench=bench: bench(artifact, sample_rates=rates), (3, object()))
        refused(lambda blocks, bench=bench: bench(artifact, block_sizes=blocks), (3, object()))


def test_paths_of_every_kind_are_taken(artifact: Any, tmp_path: Path) -> None:
    sound = artifact.path.parent.parent / "in.wav"
    for given in (sound, str(sound), [sound], (str(sound),)):
        assert render_file(artifact, given, str(tmp_path / "out.wav")).samples == 2000
