"""LiteRT files in the native engine, beside NumPy: named tensors in any order, one length of a block, what is wrong."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neutone_like import ArtifactError, MissingExtraError, RuntimeEngineError
from neutone_like.artifact.format.compiled_file import digest_of_file
from neutone_like.runtime import Engine, HostConfig
from neutone_like.runtime.exchange_libraries import LITERT
from support.absent_package import Absent
from support.native_backend import BackendFailure, BackendInstance, load_table
from support.places import PROJECT
from support.runtime_models import noise, play

pytest.importorskip("onnx")  # which the helpers write other files with
if find_spec("ai_edge_litert") is None:
    pytest.skip("ai-edge-litert is not installed", allow_module_level=True)

from support.exchange_files import (
    TWELVE_PARAMETERS,
    TWELVE_STATES,
    state,
    twelve_tensors,
    write_sidecar,
    write_twelve_tensors,
)
from support.litert_by_hand import SAMPLES, counting

HOST = HostConfig(48000, 32, channels=1)
TOLERANCE = 2e-6


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_twelve_tensors(tmp_path / "model.tflite")
    return tmp_path / "model.tflite"


def instance(path: Path, version: str = LITERT.version) -> BackendInstance:
    """Through the C table alone, with no engine around it."""
    options = f"library={LITERT.find()}\nlibrary_version={version}\n"
    return BackendInstance(load_table(LITERT.backend_path), f"{path}.json", options)


def process(made: BackendInstance, audio: Any, *values: Any) -> Any:
    return made.process(audio.copy(), tuple(np.array(value, np.float32, ndmin=1) for value in values))


def expected(audio: Any) -> Any:
    return twelve_tensors(audio, np.ones(audio.shape[1]), 0.25)


def test_tensors_are_matched_by_name_and_states_are_kept(model: Path) -> None:
    with Engine(realtime_priority=False) as engine, engine.open(model, HOST, mode="inline") as session:
        assert (session.backend_name, session.model_block_size) == ("litert", 32)
        for seed in range(3):  # each from a fresh state
            x = noise(320, channels=1, seed=seed)
            np.testing.assert_allclose(play(session, x, [32] * 10), expected(x), rtol=0.0, atol=TOLERANCE)
            session.reset()
        assert session.stats().failed_blocks == 0


@pytest.mark.parametrize(("dtype", "initial"), [("int8", [-3, 100]), ("uint8", [3, 250]), ("int16", [-3000, 30000])])
def test_states_of_short_whole_numbers_go_on_from_block_to_block(
    dtype: str, initial: list[int], tmp_path: Path
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(counting(dtype))
    write_sidecar(path, "litert", block_samples=SAMPLES, states=[state("count", np.array(initial, dtype))])
    made = instance(path)
    made.prepare(48000, SAMPLES, (1, 1))
    for _ in range(2):
        heard = [float(process(made, np.zeros((1, SAMPLES), np.float32))[0, 0]) for _ in range(4)]
        assert heard == [float(sum(initial) + 2 * block) for block in range(4)]
        made.reset()
    other = {"int8": "uint8", "uint8": "int16", "int16": "int8"}[dtype]
    write_sidecar(path, "litert", block_samples=SAMPLES, states=[state("count", np.array([1, 2], other))])
    with pytest.raises(BackendFailure, match=other):
        instance(path)


def test_a_worker_plays_it_in_a_host_of_other_blocks(model: Path) -> None:
    x = noise(4800, channels=1)
    host = HostConfig(48000, 48, channels=1)
    with Engine(realtime_priority=False) as engine, engine.open(model, host, mode="async") as session:
        heard, latency = play(session, x, [48] * 100), session.latency_samples
        length = (4800 - latency) // 32 * 32
        wanted = expected(x[:, :length])
        np.testing.assert_allclose(heard[:, latency : latency + length], wanted, rtol=0.0, atol=TOLERANCE)
        assert session.stats().failed_blocks == 0


def test_copies_begin_where_the_original_is_and_leave_no_trace(model: Path) -> None:
    x, gain = noise(128, channels=1), np.linspace(0.0, 2.0, 128, dtype=np.float32)
    made = instance(model)
    made.prepare(48000, 32, (1, 1), names=("offset", "gain"))  # in another order than the file has them
    first = process(made, x[:, :32], 0.75, gain[:32])
    copy = made.clone()
    copied = process(copy, x[:, 32:64], 0.75, gain[32:64])
    for _ in range(3):
        process(copy, -x[:, :32], 0.0, 1.0)
    rest = [process(made, x[:, at : at + 32], 0.75, gain[at : at + 32]) for at in (32, 64, 96)]
    heard = np.concatenate([first, *rest], axis=1)
    np.testing.assert_allclose(heard, twelve_tensors(x, gain, 0.75), rtol=0.0, atol=TOLERANCE)
    np.testing.assert_array_equal(copied, rest[0])
    made.reset()
    np.testing.assert_array_equal(process(made, x[:, :32], 0.75, gain[:32]), first)
    for each in (copy, made):
        each.destroy()


def test_one_file_a_length_is_chosen_by_the_hosts_block(model: Path, tmp_path: Path) -> None:
    """Beside an artifact: the file whose block is the host's."""
    nm = tmp_path / "model.nm"
    nm.write_bytes((PROJECT / "exported" / "overdrive" / "model.nm").read_bytes())
    digest = digest_of_file(nm)
    write_twelve_tensors(model, artifact_sha256="1" * 64)
    with Engine(realtime_priority=False) as engine:
        with pytest.raises(ArtifactError, match=r"model.tflite.json was exported from another model than .*model.nm"):
            engine.open(nm, HOST, backend="litert")
        write_twelve_tensors(model, artifact_sha256=digest)
        write_twelve_tensors(tmp_path / "model-64.tflite", artifact_sha256=digest, block_samples=64)
        # The overdrive is stereo, which this file is not; the one for 64 samples is really for 32.
        for block, message in (
            (32, r"model.tflite has 1 input channels"),
            (64, r"model-64.tflite: .*float32 \[1, 64\]"),
        ):
            with pytest.raises(RuntimeEngineError, match=message):
                engine.open(nm, HostConfig(48000, block), backend="litert")


def test_whatever_does_not_fit_is_said(model: Path) -> None:
    for fields, message in (
        ({"block_samples": None}, r"is for blocks of one length, and its sidecar doesn't say which"),
        ({"block_samples": 64}, r'"args_0" for the audio is float32 \[1, 32\], and must be float32 \[1, 64\]'),
        ({"audio_input": "audio"}, r'has no input "audio", .* it has "args_0", '),
        ({"states": TWELVE_STATES[1:]}, r'has an input "args_3" that its sidecar doesn\'t name'),
        ({"states": [{**TWELVE_STATES[0], "dtype": "float32"}]}, r'"args_3" for the state "count" is int32 \[1\]'),
        ({"parameters": TWELVE_PARAMETERS[:1]}, r'has an input "args_2" that its sidecar doesn\'t name'),
    ):
        path = write_twelve_tensors(model, **fields)
        with pytest.raises(BackendFailure, match=message):
            instance(Path(str(path).removesuffix(".json")))
    write_twelve_tensors(model)
    made = instance(model)
    with pytest.raises(BackendFailure, match=r"has 32 samples in every block, and is asked to play with 64"):
        made.prepare(48000, 64, (1, 1), names=("gain", "offset"))
    with pytest.raises(BackendFailure, match=r"takes no block but one of its own length"):
        made.prepare(48000, 32, (1, 1), names=("gain", "offset"), fixed=False)
    made.destroy()


@pytest.mark.parametrize("version", ["2.1.0", "2.4.0", "1.4.0", ""])
def test_a_library_of_another_version_says_what_to_install(version: str, model: Path, tmp_path: Path) -> None:
    library = tmp_path / f"{version}.so"  # a place of its own: what is loaded stays so
    library.symlink_to(LITERT.find())
    options = f"library={library}\nlibrary_version={version}\n"
    with pytest.raises(BackendFailure, match=r"ai-edge-litert .*not known here.* pip install .*\[litert\]"):
        BackendInstance(load_table(LITERT.backend_path), f"{model}.json", options)


def test_a_library_without_its_functions_says_what_to_install(model: Path) -> None:
    options = f"library={LITERT.backend_path}\nlibrary_version=2.3.0\n"
    with pytest.raises(BackendFailure, match=r"has no function LiteRtCreateEnvironment. This needs ai-edge-litert"):
        BackendInstance(load_table(LITERT.backend_path), f"{model}.json", options)


def test_a_package_that_is_missing_says_how_to_get_it(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, Engine(realtime_priority=False) as engine:
        for name in [each for each in sys.modules if each.split(".")[0] == "ai_edge_litert"]:
            patch.delitem(sys.modules, name)
        patch.setattr(sys, "meta_path", [Absent("ai_edge_litert"), *sys.meta_path])
        with pytest.raises(MissingExtraError, match=r"'ai_edge_litert', .* pip install \"neutone-like\[litert\]\""):
            engine.open(model, HOST)
