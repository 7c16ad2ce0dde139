"""Adaptation in C++ against the Python wrapper, over the matrix of hosts, with parameters moving and state kept."""

from typing import Any

import numpy as np
import pytest
import torch

from neutone_like import Artifact, SampleQueueWrapper, load_artifact
from neutone_like.model.parameter_values import to_host_value
from neutone_like.runtime import Engine, HostConfig, PythonBackend, Session
from support.runtime_models import Audio, Rig, noise, play, play_wrapper, regular, written

RATES = (44100, 48000, 96000)
MODEL_RATES = (44100, 48000, 16000)
BLOCKS = (1, 32, 64, 100, 128, 256, 441, 480, 512, 1024, 2048)
MODEL_BLOCKS = (None, 128, 480, 512, 2048)
LOOK_BEHIND = 64
SHARES = 3

# Where parameters change, in host samples.
EVENTS = (
    (500, "depth", 1.5),
    (500, "polarity", "inverted"),
    (1300, "gain", 3.0),
    (1900, "depth", -0.5),
    (3100, "polarity", 0),
)


class EagerRig:
    """The rig as a plain Python callable."""

    def __init__(self, model: Rig) -> None:
        self.model = model

    def __call__(self, x: Audio, parameters: dict[str, Audio]) -> Audio:
        values = {name: torch.from_numpy(value) for name, value in parameters.items()}
        return self.model.do_forward_pass(torch.from_numpy(x), values).numpy()

    def reset(self) -> None:
        self.model.reset_model()


def changes_by_block(block: int) -> dict[int, dict[str, float | str]]:
    changes: dict[int, dict[str, float | str]] = {}
    for sample, name, value in EVENTS:
        changes.setdefault(sample // block, {})[name] = value
    return changes


def host_values(block: int, samples: int) -> Audio:
    """The same as a wrapper's host sends it: 0..1 for every sample, set at the beginning of the block."""
    rows = np.zeros((4, samples), np.float32)
    changes = changes_by_block(block)
    now: dict[str, float | str] = {parameter.name: parameter.default for parameter in Rig.parameters}
    for number in range(samples // block):
        now.update(changes.get(number, {}))
        for index, parameter in enumerate(Rig.parameters):
            rows[index, number * block : (number + 1) * block] = to_host_value(parameter, now[parameter.name])
    return rows


def whole_blocks(block: int, latency: int) -> int:
    """Samples to play until all that happens is heard, and the host's block three times."""
    return max(3, -(-(latency + 4000) // block)) * block


def check_against_wrapper(session: Session, wrapper: Any, host: HostConfig, model_block: int | None = None) -> None:
    """One host, from the first sample on."""
    wrapper.set_daw_sample_rate_and_buffer_size(host.sample_rate, host.block_size, None, model_block)
    samples = whole_blocks(host.block_size, wrapper.latency_samples())
    x = noise(samples)
    expected = play_wrapper(wrapper, x, host.block_size, host_values(host.block_size, samples))
    got = play(session, x, regular(samples, host.block_size), changes_by_block(host.block_size))
    assert session.latency_samples == wrapper.latency_samples()
    parts = session.latency_parts()
    if session.settings.adaptation == "native":
        for name, value in wrapper.latency_parts().items():
            assert getattr(parts, f"{name}_samples") == pytest.approx(value, abs=1e-6)
    else:
        assert (parts.model_samples, parts.total_samples) == (session.latency_samples, session.latency_samples)
    assert np.abs(got).max() > 0.5
    np.testing.assert_allclose(got, expected, rtol=0.0, atol=1e-5, err_msg=str(host))


def check_matrix(host_rate: int, model_rate: int, cells: list[tuple[int, int | None]]) -> None:
    """Native adaptation of a Python callable, so that nothing needs to be exported."""
    with Engine() as engine:
        for block, model_block in cells:
            blocks = () if model_block is None else (model_block,)
            model = Rig((model_rate,), blocks, LOOK_BEHIND)
            backend = PythonBackend(
                EagerRig(model),
                sample_rate=model_rate,
                block_size=model_block,
                look_behind_samples=LOOK_BEHIND,
                parameters=Rig.parameters,  # pyright: ignore[reportArgumentType]
                delay_samples=5,
            )
            host = HostConfig(host_rate, block)
            with engine.open(backend, host, mode="inline", max_inference_seconds=0.001) as session:
                assert (session.model_sample_rate, session.model_block_size) == (model_rate, model_block)
                check_against_wrapper(session, SampleQueueWrapper(Rig((model_rate,), blocks, LOOK_BEHIND)), host)


@pytest.mark.parametrize("host_rate", RATES)
@pytest.mark.parametrize("model_rate", MODEL_RATES)
def test_native_adaptation_is_the_wrappers(host_rate: int, model_rate: int) -> None:
    check_matrix(host_rate, model_rate, [(64, 128), (441, 512), (100, None), (2048, 480)])


@pytest.mark.slow
@pytest.mark.parametrize("host_rate", RATES)
@pytest.mark.parametrize("model_rate", MODEL_RATES)
def test_native_adaptation_is_the_wrappers_everywhere(host_rate: int, model_rate: int) -> None:
    cells = [(block, model_block) for block in BLOCKS for model_block in MODEL_BLOCKS]
    tried = [cell for cell in cells if cell[0] > 1 or cell[1] in (None, 128)]
    first = (RATES.index(host_rate) + MODEL_RATES.index(model_rate)) % SHARES
    check_matrix(host_rate, model_rate, tried[first::SHARES])  # each cell at some of the rates


@pytest.fixture(scope="module", params=[(44100, 480, LOOK_BEHIND), (48000, None, 0)], ids=["fixed block", "any block"])
def rig_artifact(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    rate, block, look_behind = request.param
    model = Rig((rate,), () if block is None else (block,), look_behind)
    return load_artifact(written(model, tmp_path_factory.mktemp("rig") / "rig"))


@pytest.mark.parametrize("host", [HostConfig(48000, 100), HostConfig(44100, 480), HostConfig(96000, 512)], ids=str)
def test_native_embedded_and_python_agree_on_an_artifact(rig_artifact: Artifact, host: HostConfig) -> None:
    with Engine() as engine:
        for adaptation in ("native", "embedded"):
            session = engine.open(rig_artifact, host, mode="inline", adaptation=adaptation)
            check_against_wrapper(session, rig_artifact.fresh_module(), host)


def test_varying_blocks_cost_the_same_everywhere(rig_artifact: Artifact) -> None:
    sizes = [37, 256, 1, 100, 255, 64, 18, 200, 31, 256, 256, 5, 99, 131]
    x = noise(sum(sizes))
    wrapper = rig_artifact.fresh_module()
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 1)
    pieces = torch.from_numpy(x).split(sizes, 1)
    expected = torch.cat([wrapper.forward(piece).clone() for piece in pieces], 1).numpy()
    with Engine() as engine:
        for adaptation in ("native", "embedded"):
            host = HostConfig(48000, 256, varying_blocks=True)
            session = engine.open(rig_artifact, host, mode="inline", adaptation=adaptation)
            assert session.latency_samples == wrapper.latency_samples(), adaptation
            np.testing.assert_allclose(play(session, x, sizes), expected, rtol=0.0, atol=1e-5, err_msg=adaptation)
            assert session.stats().inserted_silence_samples == 0


def test_a_broken_promise_is_met_alike(rig_artifact: Artifact) -> None:
    """The host promises 256 and sends something else in mid-stream: latency grows, silence goes in once."""
    sizes = [256] * 8 + [37, 256, 100] * 6
    x = noise(sum(sizes))
    wrapper = rig_artifact.fresh_module()
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 256)
    pieces = torch.from_numpy(x).split(sizes, 1)
    expected = torch.cat([wrapper.forward(piece).clone() for piece in pieces], 1).numpy()
    with Engine() as engine:
        for adaptation in ("native", "embedded"):
            session = engine.open(rig_artifact, HostConfig(48000, 256), mode="inline", adaptation=adaptation)
            promised = session.latency_samples
            np.testing.assert_allclose(play(session, x, sizes), expected, rtol=0.0, atol=1e-5, err_msg=adaptation)
            assert session.latency_samples == wrapper.latency_samples(), adaptation
            grown = session.latency_samples - promised
            assert session.stats().inserted_silence_samples == wrapper.inserted_silence_samples() == grown


def converted(x: Audio, channels: int) -> Audio:
    if x.shape[0] == channels:
        return x
    return x.mean(0, keepdims=True) if channels == 1 else np.repeat(x, 2, 0)


@pytest.mark.parametrize(("channels", "inputs", "outputs"), [(1, 2, 2), (2, 1, 1), (2, 1, 2), (1, 2, 1), (3, 3, 2)])
def test_channels_are_converted_as_in_the_wrapper(channels: int, inputs: int, outputs: int) -> None:

    def mix(x: Audio, parameters: dict[str, Audio]) -> Audio:
        return np.stack([x.sum(0) * (1.0 + channel) for channel in range(outputs)])

    x = noise(512, channels)
    expected = mix(converted(x, inputs), {})
    if inputs <= 2 and outputs <= 2:
        expected = converted(expected, channels)
    with Engine() as engine:
        backend = PythonBackend(mix, in_channels=inputs, out_channels=outputs)
        session = engine.open(backend, HostConfig(48000, 128, channels), mode="inline")
        assert session.output_channels == expected.shape[0]
        np.testing.assert_allclose(play(session, x, regular(512, 128)), expected, rtol=0.0, atol=1e-6)


def test_offline_is_the_wrappers_offline(rig_artifact: Artifact) -> None:
    """Whole signals, with automation, in the parameters' own units."""
    samples = 6001
    x = noise(samples)
    gain = np.linspace(0.0, 4.0, samples)
    depth = np.where(np.arange(samples) < 3000, -1.0, 2.0)
    rows = np.stack([(depth + 1.0) / 3.0, gain / 4.0, np.full(samples, 0.5), np.zeros(samples)]).astype(np.float32)
    wrapper = rig_artifact.fresh_module()
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 512)
    expected = wrapper.forward_offline(torch.from_numpy(x), torch.from_numpy(rows)).numpy()
    with Engine() as engine:
        for adaptation in ("native", "embedded"):
            session = engine.open(rig_artifact, HostConfig(48000, 512), adaptation=adaptation)
            curves = {"gain": gain, "depth": depth, "polarity": "soft"}
            np.testing.assert_allclose(session.process_offline(x, curves), expected, rtol=0.0, atol=1e-5)
            tensor = session.process_offline(torch.from_numpy(x), curves)
            np.testing.assert_array_equal(tensor.numpy(), session.process_offline(x, curves))


def test_the_comparison_hears_one_sample_of_error() -> None:
    wrapper = SampleQueueWrapper(Rig())
    with Engine() as engine:
        backend = PythonBackend(EagerRig(Rig()), parameters=Rig.parameters, delay_samples=4)  # it is 5  # pyright: ignore[reportArgumentType]
        host = HostConfig(48000, 128)
        session = engine.open(backend, host, mode="inline")
        with pytest.raises(AssertionError):
            check_against_wrapper(session, wrapper, host)
