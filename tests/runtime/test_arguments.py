"""What a session and a run may be told: numbers of any kind, and words for everything that is none."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neutone_like import AudioError, CategoricalParameter, ContinuousParameter, ParameterError, RuntimeEngineError
from neutone_like.runtime import BuiltinBackend, Engine, HostConfig, ParameterChange, PythonBackend, Session
from support.runtime_models import Audio, noise

HOST = HostConfig(48000, 64)
PARAMETERS = (
    ContinuousParameter("gain", default=1.0, maximum=4.0, smoothing_seconds=0.0),
    CategoricalParameter("shape", labels=("soft", "hard")),
)
X = noise(64)


def gain(x: Audio, parameters: dict[str, Audio]) -> Audio:
    return x * parameters["gain"]


def opened(engine: Engine, mode: Any = "inline") -> Session:
    return engine.open(PythonBackend(gain, parameters=PARAMETERS), HOST, mode=mode, max_inference_seconds=0.25)


class Unspeakable:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize("name", [None, 1, 0.5, ["gain"], {"gain": 1}, b"gain", ("gain",), Unspeakable()])
def test_a_name_that_is_no_text(name: Any) -> None:
    with Engine() as engine:
        session = opened(engine)
        with pytest.raises(ParameterError, match=r"named by a text, one of \['gain', 'shape'\]"):
            session.set_parameter(name, 0.5)
        with pytest.raises(ParameterError, match="named by a text"):
            session.parameter(name)


@pytest.mark.parametrize("parameter", ["gain", "shape"])
def test_values_that_are_no_number(parameter: str) -> None:
    values: list[Any] = [
        None, True, [1.0], (1.0,), {}, b"1", 1j, 10**400, 10**5000, float("nan"), float("-inf"), "", "1e999", "\udcff",
        np.ones(3), torch.ones(2), np.array("a"), object(), Unspeakable(), np.nan, torch.tensor(float("nan")), str,
    ]  # fmt: skip
    with Engine() as engine:
        session = opened(engine)
        for value in values:
            with pytest.raises(ParameterError, match=f"Parameter '{parameter}'"):
                session.set_parameter(parameter, value)
        assert session.parameter(parameter) == {"gain": 1.0, "shape": "soft"}[parameter]


@pytest.mark.parametrize("kind", [int, np.int64, np.uint8, np.float32, np.float16, np.array, torch.tensor,
                                  lambda x: torch.tensor(x, dtype=torch.bfloat16)])  # fmt: skip
def test_numbers_of_every_kind(kind: Any) -> None:
    with Engine(workers=1, watchdog_seconds=kind(2)) as engine:
        session = engine.open(
            PythonBackend(gain, parameters=PARAMETERS),
            HOST,
            mode="inline",
            max_inference_seconds=kind(1),
            queue_seconds=kind(1),
        )
        session.set_parameter("gain", kind(2))
        session.set_parameter("shape", kind(1))
        np.testing.assert_allclose(session.process(X), 2 * X)
        assert session.parameter("shape") == "hard"
        y = session.process_offline(X, {"gain": kind(3)})
        np.testing.assert_allclose(y, 3 * X, rtol=1e-6)


def test_whole_numbers_of_every_kind() -> None:
    kinds: tuple[Any, ...] = (np.int64, np.int32, torch.tensor)
    for kind in kinds:
        host = HostConfig(kind(48000), kind(64), channels=kind(2))
        assert host == HOST
        backend: Any = PythonBackend(
            lambda x, p: x, in_channels=kind(2), sample_rate=kind(48000), block_size=kind(64), delay_samples=kind(0)
        )
        with Engine(workers=kind(1)) as engine:
            session = engine.open(backend, host, instances=kind(1), max_inference_seconds=0.1)
            change = ParameterChange(kind(10), "gain", kind(2))
            playing = opened(engine)
            seconds: Any = np.float32(0.02)
            engine.run_realtime(playing, seconds, parameter_changes=[change], seed=kind(3))
            assert playing.parameter("gain") == 2.0
            assert session.host.block_size == 64


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ([ParameterChange(10.5, "gain", 0.2)], RuntimeEngineError, "sample must be a whole number, got 10.5"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        ([ParameterChange(1 << 70, "gain", 0.2)], RuntimeEngineError, "sample must be a whole number"),
        ([(10, "gain", 0.2)], RuntimeEngineError, "expected ParameterChange objects, got \\(10, 'gain', 0.2\\)"),
        (7, RuntimeEngineError, "expected ParameterChange objects, got 7"),
        ([ParameterChange(1, None, 0.2)], ParameterError, "named by a text"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        ([ParameterChange(1, "gain", [])], ParameterError, "'gain': allowed is a number in 0.0..4.0"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ],
)  # fmt: skip
def test_changes_that_are_none(changes: Any, error: type[Exception], message: str) -> None:
    with Engine() as engine, pytest.raises(error, match=message):
        engine.run_realtime(opened(engine), 0.02, parameter_changes=changes)


def test_sessions_that_are_none() -> None:
    with Engine() as engine:
        run: Any = engine.run_realtime
        for sessions in (None, 7, ["a"], "take.wav"):
            with pytest.raises(RuntimeEngineError, match="sessions: expected Session objects, got"):
                run(sessions, 0.02)


class OddText(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class NoText(Exception):
    def __str__(self) -> str:
        return 7  # type: ignore[return-value]  # pyright: ignore[reportReturnType]


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (ValueError("can't read \udcff.wav"), "ValueError: can't read \\udcff.wav"),
        (ValueError("cut\0here"), "ValueError: cut\\0here"),
        (OddText(), "OddText (whose text can't be had)"),
        (NoText(), "NoText (whose text can't be had)"),
    ],
)
def test_exceptions_whose_text_is_odd(raised: Exception, words: str) -> None:
    broken: list[Exception] = []

    def breaks(x: Audio, parameters: dict[str, Audio]) -> Audio:
        if broken:
            raise broken[0]
        return x

    with Engine() as engine:
        session = engine.open(PythonBackend(breaks), HOST, mode="inline", max_inference_seconds=0.01)
        broken.append(raised)
        assert not session.process(X).any()
        assert session.stats().last_error == words


def test_a_run_does_not_write_over_its_input(tmp_path: Path) -> None:
    import soundfile

    take = tmp_path / "take.wav"
    soundfile.write(take, noise(4800).T, 48000, subtype="FLOAT")
    before = take.read_bytes()
    (tmp_path / "link.wav").symlink_to(take)
    (tmp_path / "hard.wav").hardlink_to(take)
    with Engine() as engine:
        session = engine.open(BuiltinBackend("identity"), HOST, max_inference_seconds=0.01)
        for output in (take, tmp_path / "link.wav", tmp_path / "hard.wav", tmp_path / "." / "take.wav", str(take)):
            with pytest.raises(AudioError, match="Input and output must be different files"):
                engine.run_realtime(session, 0.02, input=take, output=output)
    assert take.read_bytes() == before
