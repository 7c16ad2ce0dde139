"""Sessions and engines come and go: reset, prepare, close at any time, and what is said where something can't be."""

import gc
import threading
import weakref
from typing import Any, cast

import numpy as np
import pytest
import torch

from neutone_like import AudioError, NeutoneLikeError, ParameterError, RuntimeEngineError
from neutone_like.model import CategoricalParameter, ContinuousParameter
from neutone_like.runtime import BuiltinBackend, Engine, HostConfig, NativeBackend, PythonBackend, Session
from support.runtime_models import Audio, noise, play, regular

HOST = HostConfig(48000, 128)
PARAMETERS = (
    ContinuousParameter("gain", default=1.0, minimum=0.0, maximum=4.0, unit="x", smoothing_seconds=0.0),
    CategoricalParameter("shape", labels=("soft", "hard")),
)


def gain(x: Audio, parameters: dict[str, Audio]) -> Audio:
    return x * parameters["gain"] * (1.0 + parameters["shape"]).astype(np.float32)


def test_reset_gives_the_same_output_again() -> None:
    x = noise(1280)
    with Engine() as engine, engine.open(BuiltinBackend("one_pole"), HOST) as session:
        first = play(session, x, regular(1280, 128))
        assert not np.array_equal(first, play(session, x, regular(1280, 128)))
        session.reset()
        np.testing.assert_array_equal(play(session, x, regular(1280, 128)), first)


def test_prepare_is_for_another_host_under_the_same_handle() -> None:
    x = noise(4800)
    with Engine() as engine:
        session = engine.open(PythonBackend(gain, parameters=PARAMETERS, sample_rate=48000), HOST, mode="inline")
        session.set_parameter("gain", 3.0)
        session.set_parameter("shape", "hard")
        before = session.latency_samples
        session.prepare(HostConfig(44100, 300))
        assert session.latency_samples > before
        assert (session.host, session.model_sample_rate) == (HostConfig(44100, 300), 48000)
        assert session.parameter("gain") == pytest.approx(3.0)
        assert session.parameter("shape") == "hard"
        session.prepare(HostConfig(48000, 480))
        np.testing.assert_allclose(play(session, x, regular(4800, 480)), x * 6.0, rtol=1e-6)
        with pytest.raises(NeutoneLikeError, match="channels"):
            session.prepare(HostConfig(48000, 64, channels=5))
        assert session.is_closed


def test_prepare_opens_a_closed_session_again_and_counts_from_zero() -> None:
    with Engine() as engine:
        session = engine.open(BuiltinBackend("identity"), HOST, mode="inline")
        session.process(noise(128))
        session.close()
        assert session.stats().callbacks == 1
        session.prepare(HOST)
        assert (session.is_closed, session.stats().callbacks) == (False, 0)
        x = noise(128)
        np.testing.assert_array_equal(session.process(x), x)


def test_everything_at_once_from_several_threads() -> None:
    """Reset, prepare, parameters and statistics while audio plays: nothing raises, and the session lives."""
    failures: list[Exception] = []
    stop = threading.Event()

    def repeatedly(action: Any) -> None:
        try:
            while not stop.is_set():
                action()
        except Exception as error:
            failures.append(error)

    with Engine(workers=2) as engine:
        session = engine.open(BuiltinBackend("one_pole"), HOST)
        x = noise(128)
        actions = [
            lambda: session.process(x),
            session.reset,
            lambda: session.prepare(HostConfig(48000, 128)),
            lambda: (session.stats(), session.latency_parts()),
        ]
        threads = [threading.Thread(target=repeatedly, args=(action,)) for action in actions]
        for thread in threads:
            thread.start()
        stop.wait(1.0)
        stop.set()
        for thread in threads:
            thread.join(600.0)
        assert failures == []
        session.reset()
        y = play(session, noise(1280), regular(1280, 128))
        assert np.abs(y).max() > 0.1


def test_tensors_come_back_as_tensors() -> None:
    with Engine() as engine:
        session = engine.open(BuiltinBackend("identity"), HOST, mode="inline")
        x = torch.from_numpy(noise(128))
        y = session.process(x)
        assert isinstance(y, torch.Tensor)
        assert torch.equal(y, x)
        every_second = noise(256)[:, ::2]
        np.testing.assert_array_equal(session.process(every_second), every_second)
        assert session.process(np.zeros((2, 0), np.float32)).shape == (2, 0)


def test_an_engine_nobody_holds_is_closed_and_freed() -> None:
    engine = Engine()
    session = engine.open(BuiltinBackend("identity"), HOST)
    watched = weakref.ref(engine)
    del engine
    gc.collect()
    assert watched() is not None  # its session is still in use
    assert session.process(noise(128)).shape == (2, 128)
    del session
    gc.collect()
    assert watched() is None


def test_an_engine_closes_its_sessions_and_closing_twice_is_fine() -> None:
    engine = Engine()
    modes = [engine.open(BuiltinBackend("identity"), HOST, mode="async"), engine.open(BuiltinBackend("identity"), HOST)]
    engine.close()
    engine.close()
    for session in modes:
        assert session.is_closed
        assert session.stats().callbacks == 0
        assert session.latency_samples > 0
        assert "closed" in repr(session)
        session.close()
        with pytest.raises(RuntimeEngineError, match="The session is closed. Open another one"):
            session.process(noise(128))
        with pytest.raises(RuntimeEngineError, match="closed"):
            session.reset()
        with pytest.raises(RuntimeEngineError, match="closed"):
            session.process_offline(noise(128))
    with pytest.raises(RuntimeEngineError, match=r"The engine is closed. Make another one with Engine\(...\)."):
        engine.open(BuiltinBackend("identity"), HOST)


def test_two_threads_in_one_session_are_told_apart() -> None:
    inside, leave = threading.Event(), threading.Event()

    def slow(x: Audio, parameters: dict[str, Audio]) -> Audio:
        if threading.current_thread() is not threading.main_thread() and threading.current_thread().name == "player":
            inside.set()
            leave.wait(600.0)
        return x

    with Engine() as engine:
        session = engine.open(PythonBackend(slow), HOST, mode="inline")
        player = threading.Thread(target=session.process, args=(noise(128),), name="player")
        player.start()
        assert inside.wait(600)
        with pytest.raises(RuntimeEngineError, match="Another thread is inside process"):
            session.process(noise(128))
        leave.set()
        player.join()
        assert session.process(noise(128)).shape == (2, 128)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sample_rate": 0}, "sample_rate must be an integer in 1000..384000 Hz, got 0"),
        ({"sample_rate": 48000.0}, "sample_rate must be an integer in 1000..384000 Hz, got 48000.0"),
        ({"block_size": 0}, "block_size must be an integer in 1..1048576 samples, got 0"),
        ({"block_size": 1 << 21}, "block_size must be an integer in 1..1048576 samples, got 2097152"),
        ({"channels": 65}, "channels must be an integer in 1..64, got 65"),
        ({"channels": True}, "channels must be an integer in 1..64, got True"),
    ],
)
def test_hosts_that_cannot_be(fields: dict[str, Any], message: str) -> None:
    make_host = cast(Any, HostConfig)
    with pytest.raises(AudioError, match=message):
        make_host(**{"sample_rate": 48000, "block_size": 128, **fields})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"workers": 0}, r"workers must be an integer in 1..64, got 0"),
        ({"workers": "two"}, "workers must be an integer in 1..64, got 'two'"),
        ({"wake": "signal"}, r"wake must be one of \('event', 'poll'\), got 'signal'"),
        ({"watchdog_seconds": 0.0}, "watchdog_seconds must lie in 0.01..3600, got 0.0"),
        ({"watchdog_seconds": "2"}, "watchdog_seconds must lie in 0.01..3600, got '2'"),
        ({"watchdog_seconds": float("nan")}, "watchdog_seconds must lie in 0.01..3600, got nan"),
    ],
)
def test_engines_that_cannot_be(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(RuntimeEngineError, match=message):
        Engine(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "sync"}, r"mode must be one of \('async', 'inline'\), got 'sync'"),
        ({"adaptation": "none"}, r"adaptation must be one of \('native', 'embedded'\), got 'none'"),
        ({"late_policy": "click"}, r"late_policy must be one of \('fade', 'hold', 'dry'\), got 'click'"),
        ({"max_inference_seconds": -1.0}, "max_inference_seconds must lie above 0 and up to 60.*, got -1.0"),
        ({"max_inference_seconds": float("nan")}, "max_inference_seconds must lie above 0.*, got nan"),
        ({"instances": 0}, "instances must be an integer in 1..64, got 0"),
        ({"queue_seconds": 0.0}, "queue_seconds must lie in 0.01..60, got 0"),
        ({"queue_seconds": "long"}, "queue_seconds must lie in 0.01..60, got 'long'"),
        ({"max_inference_seconds": "1"}, "max_inference_seconds must lie above 0 and up to 60.*, got '1'"),
        ({"adaptation": "embedded"}, "plays the wrapper inside an artifact, which identity does not have"),
        ({"host": HostConfig(48000, 128, channels=5)}, "the model takes 2, the host has 5. Only mono and stereo"),
        ({"host": 48000}, "Expected a HostConfig for host, got int"),
        ({"model": BuiltinBackend("hum")}, "hum.*identity"),
        ({"model": BuiltinBackend("faults", options={"a=b": 1})}, "key=value on one line, got 'a=b' and 1"),
        ({"model": BuiltinBackend("identity", sample_rate=47999), "host": HostConfig(383993, 64)}, "too large"),
        ({"model": gain}, r"Expected the path of an artifact.* got function. Wrap a callable: PythonBackend"),
        ({"model": 7}, "Expected the path of an artifact, an Artifact, a PythonBackend or a NativeBackend, got int"),
        ({"model": "nowhere.nm"}, "nowhere.nm"),
        ({"model": NativeBackend("nowhere.so")}, "There is no backend .*nowhere.so"),
        ({"model": NativeBackend(__file__)}, "can't be loaded"),
        ({"model": NativeBackend(np._core._multiarray_umath.__file__)}, "is not a backend: .*neutone_like_backend"),  # pyright: ignore
    ],
)  # fmt: skip
def test_sessions_that_cannot_be(arguments: dict[str, Any], message: str) -> None:
    with Engine() as engine:
        open_session = cast(Any, engine.open)
        with pytest.raises(NeutoneLikeError, match=message):
            open_session(**{"model": BuiltinBackend("identity"), "host": HOST, **arguments})


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (noise(129), "blocks of at most 128 samples, got 129. Call prepare"),
        (noise(128, 1), "with 2 channels, as the HostConfig says, got 1"),
        (noise(128).astype(np.float64), r"Expected float32 audio of shape \(channels, samples\), got float64"),
        (noise(128)[0], r"Expected float32 audio of shape \(channels, samples\), got float32 of shape \(128,\)"),
        ([0.0], "Expected audio as a NumPy array or a tensor on the CPU, got list"),
        (torch.zeros(2, 128, device="meta"), "got a tensor on meta"),
    ],
)
def test_audio_that_cannot_be(audio: Any, message: str) -> None:
    with Engine() as engine:
        session = engine.open(BuiltinBackend("identity"), HOST)
        with pytest.raises(AudioError, match=message):
            session.process(audio)
        assert session.stats().callbacks == 0


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("gian", 1.0, r"no parameter 'gian'; it has \['gain', 'shape'\]. Did you mean 'gain'"),
        ("gain", 4.1, "'gain': allowed is 0.0..4.0 x, got 4.1"),
        ("gain", float("nan"), "'gain': value must be a finite number, got nan"),
        ("gain", "loud", "'gain': allowed is a number in 0.0..4.0, got the text 'loud'"),
        ("shape", "round", r"'shape': allowed is one of \['soft', 'hard'\] or an index in 0..1, got 'round'"),
        ("shape", 2, "index in 0..1, got 2"),
    ],
)
def test_parameters_that_cannot_be(name: str, value: Any, message: str) -> None:
    with Engine() as engine:
        session = engine.open(PythonBackend(gain, parameters=PARAMETERS), HOST)
        with pytest.raises(ParameterError, match=message):
            session.set_parameter(name, value)
        with pytest.raises(ParameterError, match=message):
            session.process_offline(noise(128), {name: value})
        assert (session.parameter("gain"), session.parameter("shape")) == (1.0, "soft")


@pytest.mark.parametrize(
    ("curve", "message"),
    [
        (np.zeros(64), r"one for each of the 128 samples, got an array of shape \(64,\)"),
        (np.full(128, np.nan), "'gain': allowed is 0.0..4.0, got nan at sample 0"),
        (np.arange(128.0), "'gain': allowed is 0.0..4.0, got 5.0 at sample 5"),
    ],
)
def test_curves_that_cannot_be(curve: Any, message: str) -> None:
    with Engine() as engine:
        session = engine.open(PythonBackend(gain, parameters=PARAMETERS), HOST)
        with pytest.raises(ParameterError, match=message):
            session.process_offline(noise(128), {"gain": curve})


def test_parameters_that_are_no_mapping_are_refused() -> None:
    with Engine() as engine:
        session = engine.open(PythonBackend(gain, parameters=PARAMETERS), HOST)
        with pytest.raises(ParameterError, match="parameters must map names to values, such as .*, got list"):
            session.process_offline(noise(128), cast(Any, [1.0]))


@pytest.mark.parametrize("fault", ["throw_block", "wrong_size_block"])
def test_an_offline_rendering_that_fails_says_so(fault: str) -> None:
    """Where nobody listens meanwhile, silence in the middle would go unnoticed."""
    with Engine() as engine:
        session = engine.open(BuiltinBackend("faults", options={fault: 3}), HOST)
        with pytest.raises(RuntimeEngineError, match="faults failed in 1 blocks, the last time with: .+"):
            session.process_offline(noise(1280))
        x = noise(1280)
        np.testing.assert_array_equal(session.process_offline(x), x)


def open_small_sessions(engine: Engine, count: int, opened: list[Session]) -> None:
    for _ in range(count):
        opened.append(engine.open(BuiltinBackend("identity"), HostConfig(8000, 16, 1), queue_seconds=0.01))


def test_more_sessions_than_the_pool_takes() -> None:
    with Engine() as engine:
        opened: list[Session] = []
        with pytest.raises(RuntimeEngineError, match="sessions"):
            open_small_sessions(engine, 1100, opened)
        assert len(opened) >= 100
        opened[0].close()
        open_small_sessions(engine, 1, opened)
