"""ONNX files in the native engine, beside NumPy: states of every type, blocks of every length, and what is wrong."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx import TensorProto, helper

from neutone_like import ArtifactError, MissingExtraError, RuntimeEngineError
from neutone_like.artifact.format.compiled_file import digest_of_file
from neutone_like.runtime import Engine, HostConfig, NativeBackend, Session
from neutone_like.runtime.exchange_libraries import ONNXRUNTIME
from support.absent_package import Absent
from support.exchange_files import (
    many_states,
    overdriven,
    parameter,
    state,
    write_many_states,
    write_onnx,
    write_sidecar,
)
from support.native_backend import BackendFailure, BackendInstance, load_table
from support.runtime_models import noise, play

VARYING = HostConfig(48000, 64, channels=1, varying_blocks=True)
FIXED = HostConfig(48000, 64, channels=1)
TOLERANCE = 2e-5
Edit = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exchange") / "model.onnx"
    write_many_states(path)
    return path


@pytest.fixture
def own_model(model: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    for path in (model, model.with_name("model.onnx.json")):
        shutil.copy(path, tmp_path / path.name)
    return tmp_path / "model.onnx"


def options(library: Path | None = None) -> str:
    return f"library={library or ONNXRUNTIME.find()}\nlibrary_version={ONNXRUNTIME.version}\n"


def instance(path: Path) -> BackendInstance:
    """Through the C table alone, with no engine around it."""
    return BackendInstance(load_table(ONNXRUNTIME.backend_path), f"{path}.json", options())


def process(made: BackendInstance, audio: Any, *values: Any) -> Any:
    """One block; the arrays stay as they are, which the table's test otherwise spoils."""
    return made.process(audio.copy(), tuple(np.array(value, np.float32, ndmin=1) for value in values))


def expected(audio: Any, blocks: list[int]) -> Any:
    return many_states(audio, np.ones(audio.shape[1]), 0.25, blocks)


def test_states_and_parameters_are_right_at_any_length(model: Path) -> None:
    random = np.random.default_rng(3)
    with Engine(realtime_priority=False) as engine, engine.open(model, VARYING, mode="inline") as session:
        assert session.backend_name == "onnxruntime"
        for _ in range(6):  # each from a fresh state, in more lengths than bindings are kept for
            blocks = [int(each) for each in random.integers(1, 65, 40)]
            x = random.uniform(-0.5, 0.5, (1, sum(blocks))).astype(np.float32)
            np.testing.assert_allclose(play(session, x, blocks), expected(x, blocks), rtol=0.0, atol=TOLERANCE)
            session.reset()
        assert session.stats().failed_blocks == 0


@pytest.mark.parametrize(("dtype", "initial"), [("int8", [-3, 100]), ("uint8", [3, 250]), ("int16", [-3000, 30000])])
def test_states_of_short_whole_numbers_go_on_from_block_to_block(
    dtype: str, initial: list[int], tmp_path: Path
) -> None:
    nodes = [
        helper.make_node("Cast", ["count"], ["wide"], to=TensorProto.INT32),
        helper.make_node("Add", ["wide", "one"], ["more"]),
        helper.make_node("Cast", ["more"], ["count_out"], to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype))),
        helper.make_node("ReduceSum", ["wide"], ["both"], keepdims=0),
        helper.make_node("Cast", ["both"], ["sum"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["audio", "sum"], ["audio_out"]),
    ]
    path = write_onnx(
        tmp_path / "model.onnx",
        nodes,
        {"audio": ("float32", [1, "N"]), "count": (dtype, [2])},
        {"audio_out": ("float32", [1, "N"]), "count_out": (dtype, [2])},
        {"one": np.array([1, 1], np.int32)},
    )
    write_sidecar(path, states=[state("count", np.array(initial, dtype))])
    made = instance(path)
    made.prepare(48000, 4, (1, 1))
    for _ in range(2):
        heard = [float(process(made, np.zeros((1, 4), np.float32))[0, 0]) for _ in range(4)]
        assert heard == [float(sum(initial) + 2 * block) for block in range(4)]
        made.reset()


def test_a_worker_plays_what_a_callback_would(model: Path) -> None:
    x = noise(6400, channels=1)
    with Engine(realtime_priority=False) as engine, engine.open(model, FIXED, mode="async") as session:
        latency = session.latency_samples
        heard = play(session, x, [64] * 100)
        wanted = expected(x, [64] * 100)[:, : 6400 - latency]
        np.testing.assert_allclose(heard[:, latency:], wanted, rtol=0.0, atol=TOLERANCE)
        assert session.stats().model_blocks > 0
        assert session.stats().failed_blocks == 0


def test_parameters_come_a_sample_or_a_block_at_a_time(model: Path) -> None:
    x, gain = noise(96, channels=1), np.linspace(0.0, 2.0, 96, dtype=np.float32)
    made = instance(model)
    made.prepare(48000, 96, (1, 1), names=("offset", "gain"))  # in another order than the file has them
    heard = process(made, x, 0.75, gain)
    np.testing.assert_allclose(heard, many_states(x, gain, 0.75, [96]), rtol=0.0, atol=TOLERANCE)
    made.reset()
    spread = process(made, x, 0.75, 0.5)
    np.testing.assert_allclose(spread, many_states(x, np.full(96, 0.5), 0.75, [96]), rtol=0.0, atol=TOLERANCE)
    made.destroy()


def test_copies_begin_where_the_original_is_and_leave_no_trace(model: Path) -> None:
    x, other = noise(256, channels=1), noise(256, channels=1, seed=1)
    made = instance(model)
    made.prepare(48000, 64, (1, 1), names=("gain", "offset"))
    first = process(made, x[:, :64], 1.0, 0.25)
    copy = made.clone()
    copied = process(copy, x[:, 64:128], 1.0, 0.25)
    for start in range(0, 256, 64):
        process(copy, other[:, start : start + 64], 1.0, 0.25)
    assert process(made, x[:, :0], 1.0, 0.25).shape == (1, 0)  # is never run, and changes nothing
    rest = [process(made, x[:, start : start + 64], 1.0, 0.25) for start in (64, 128, 192)]
    heard = np.concatenate([first, *rest], axis=1)
    np.testing.assert_allclose(heard, expected(x, [64] * 4), rtol=0.0, atol=TOLERANCE)
    np.testing.assert_array_equal(copied, rest[0])
    with pytest.raises(BackendFailure, match=r"A block of 65 samples; prepared for at most 64"):
        process(made, np.zeros((1, 65), np.float32), 1.0, 0.25)
    for each in (copy, made):
        each.destroy()


def test_two_sessions_know_nothing_of_each_other(model: Path) -> None:
    sounds = [noise(640, channels=1, seed=seed) for seed in (1, 2)]
    with Engine(realtime_priority=False) as engine:
        sessions = [engine.open(model, FIXED, mode="inline") for _ in sounds]
        turns = range(0, 640, 64)
        heard = [[play(s, x[:, at : at + 64], [64]) for s, x in zip(sessions, sounds, strict=True)] for at in turns]
    for index, x in enumerate(sounds):
        played = np.concatenate([each[index] for each in heard], axis=1)
        np.testing.assert_allclose(played, expected(x, [64] * 10), rtol=0.0, atol=TOLERANCE)


def test_rates_and_blocks_are_adapted_as_for_any_model(tmp_path: Path) -> None:
    """A file for 44.1 kHz in blocks of 96, in a host at 48 kHz."""
    path = tmp_path / "fixed.onnx"
    node = helper.make_node("Mul", ["audio", "gain"], ["audio_out"])
    shape = ("float32", [2, 96])
    write_onnx(path, [node], {"audio": shape, "gain": ("float32", [1])}, {"audio_out": shape})
    channels: dict[str, Any] = {"in_channels": 2, "out_channels": 2}
    write_sidecar(
        path, sample_rate=44100, block_samples=96, parameters=[parameter("gain", "block", default=0.5)], **channels
    )
    with Engine(realtime_priority=False) as engine, engine.open(path, HostConfig(48000, 128), mode="inline") as session:
        assert (session.model_sample_rate, session.model_block_size) == (44100, 96)
        tone = np.sin(2.0 * np.pi * 1000.0 * np.arange(9600) / 48000.0).astype(np.float32)
        heard = np.asarray(session.process_offline(np.stack([tone, -tone])))
        wanted = 0.5 * np.stack([tone, -tone])
        np.testing.assert_allclose(heard[:, 1000:-1000], wanted[:, 1000:-1000], rtol=0.0, atol=1e-4)


def edited(path: Path, edit: Edit) -> Path:
    sidecar = path.with_name("model.onnx.json")
    content = json.loads(sidecar.read_text(encoding="utf-8"))
    edit(content)
    sidecar.write_text(json.dumps(content), encoding="utf-8")
    return path


def setting(**fields: Any) -> Edit:
    return lambda content: content.update(fields)


def in_state(index: int, **fields: Any) -> Edit:
    return lambda content: content["states"][index].update(fields)


WRONG: tuple[tuple[Edit, str], ...] = (
    (lambda content: content.pop("states"), r'json has no field "states"'),
    (setting(neutone_like_sidecar=2), r'"neutone_like_sidecar" must be 1, the version that is known here, got 2'),
    (setting(format="litert"), r'"format" must be "onnx", got "litert"'),
    (setting(file="../model.onnx"), r'"file" must be a file\'s name, got "../model.onnx"'),
    (setting(file="other.onnx"), r"other.onnx can't be read"),
    (setting(file_sha256="f" * 64), r"not the file that its sidecar was written for: its SHA-256 is [0-9a-f]{64}"),
    (setting(file_sha256="F" * 64), r'"file_sha256" must be a SHA-256 in 64 hexadecimal digits'),
    (setting(sample_rate="48000"), r'"sample_rate" must be a whole number in 1..768000, got "48000"'),
    (setting(block_samples=0), r'"block_samples" must be a whole number in 1..1048576, got 0'),
    (setting(in_channels=1.5), r'"in_channels" must be a whole number in 1..64, got 1.5'),
    (setting(look_behind_samples=None), r'"look_behind_samples" must be a whole number in 0..1048576, got null'),
    (
        setting(audio_input="sound"),
        r'has no input "sound", .* for the audio; it has "audio", "gain"',
    ),
    (setting(audio_output="sound"), r'has no output "sound"'),
    (setting(parameters={}), r'"parameters" must be a list, got \{\}'),
    (lambda content: content["parameters"].pop(), r'has an input "offset" that its sidecar doesn\'t name'),
    (lambda content: content["parameters"][0].update(rate="note"), r'"rate" must be "block" or "sample", got "note"'),
    (lambda content: content["parameters"][0].update(input="audio"), r'names "audio" twice'),
    (lambda content: content["states"].pop(), r'has an input "odd" that its sidecar doesn\'t name'),
    (lambda content: content["states"].append(content["states"][0]), r'names "past" twice'),
    (in_state(0, input="gone"), r'has no input "gone", which its sidecar names for the state "past"'),
    (in_state(0, output="gone"), r'has no output "gone", which its sidecar names for the state "past"'),
    (in_state(0, dtype="float16"), r'"states" 0, "dtype" must be "float32", .*, got "float16"'),
    (in_state(1, dtype="int64"), r'the input "total" for the state "total" is float64 \[\], and must be int64 \[\]'),
    (in_state(0, shape=[2, 1]), r'"past" is float32 \[1, 2\], and must be float32 \[2, 1\] by the sidecar'),
    (in_state(0, shape=[-1]), r'"shape" must be a list of whole numbers from 0 on'),
    (in_state(0, shape=[1 << 28, 1 << 28]), r'"shape" must be at most 8 dimensions and 2\^28 numbers'),
    (in_state(0, initial="AAAA"), r'"initial" must hold 8 bytes, for float32 \[1, 2\], got 3'),
    (in_state(0, initial="AAA"), r'"initial" must be base64, or null for zeros, got "AAA"'),
    (in_state(0, initial="AAA*AAAAAAA="), r'"initial" must be base64'),
    (in_state(0, initial=[0, 0]), r'"initial" must be a text or null'),
    (in_state(0, name=""), r'"name" must be a text'),
)


def test_whatever_is_wrong_with_a_sidecar_is_said(own_model: Path) -> None:
    sidecar = own_model.with_name("model.onnx.json")
    right = sidecar.read_text(encoding="utf-8")
    for edit, message in WRONG:
        sidecar.write_text(right, encoding="utf-8")
        with pytest.raises(BackendFailure, match=message):
            instance(edited(own_model, edit))
    for text, message in ((right[:-40], r"is no JSON: .* at byte"), ("[]", r"must be an object, got \[\]")):
        sidecar.write_text(text, encoding="utf-8")
        with pytest.raises(BackendFailure, match=message):
            instance(own_model)
    sidecar.write_text(right, encoding="utf-8")
    instance(own_model).destroy()  # the control


def test_digests_are_right_at_any_length_of_a_file(own_model: Path) -> None:
    random = np.random.default_rng(0)
    for length in [*range(130), 1000, 4096]:
        own_model.write_bytes(random.bytes(length))
        with pytest.raises(BackendFailure, match=f"its SHA-256 is {digest_of_file(own_model)}, the sidecar says"):
            instance(own_model)


def test_what_is_no_model_or_is_asked_for_something_else_is_refused(own_model: Path) -> None:
    made = instance(own_model)
    for setup, names, message in (
        ((48000, 64, (2, 1)), ("gain", "offset"), r"has 1 input channels, and is asked to play with 2"),
        ((48000, 64, (1, 1)), ("gain",), r"has 2 parameters, and is asked to play with 1"),
        ((48000, 64, (1, 1)), ("gain", "level"), r'Nobody sets the parameter "offset"'),
    ):
        with pytest.raises(BackendFailure, match=message):
            made.prepare(*setup, names=names)
    made.destroy()
    own_model.write_bytes(b"no model")
    edited(own_model, setting(file_sha256=digest_of_file(own_model)))
    with pytest.raises(BackendFailure, match=r"ONNX Runtime could not open .*model.onnx: .*[Pp]rotobuf"):
        instance(own_model)
    with pytest.raises(BackendFailure, match=r"options library, library_version and artifact_sha256, not 'threads'"):
        BackendInstance(load_table(ONNXRUNTIME.backend_path), f"{own_model}.json", "threads=2\n")


FAKE = r"""
#include <stdint.h>
static const void* get_api(uint32_t version) { return (const void*)0; }
static const char* get_version(void) { return VERSION; }
static const struct { const void* (*api)(uint32_t); const char* (*version)(void); } base = {get_api, get_version};
const void* ENTRY(void) { return &base; }
"""


@pytest.mark.parametrize(
    ("version", "entry", "message"),
    [
        ("1.12.1", "OrtGetApiBase", r"is ONNX Runtime 1.12.1, which does not have version 19 of its interface"),
        ("2.0.0", "OrtGetApiBase", r"is ONNX Runtime 2.0.0, whose interface is not known here"),
        ("1.32.0", "Other", r"has no function OrtGetApiBase"),
    ],
)
def test_a_library_of_another_version_says_what_to_install(
    version: str, entry: str, message: str, model: Path, tmp_path: Path
) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler")
    source, library = tmp_path / "fake.c", tmp_path / "fake.so"
    source.write_text(FAKE)
    defined = [f'-DVERSION="{version}"', f"-DENTRY={entry}"]
    subprocess.run([compiler, "-shared", "-fPIC", *defined, str(source), "-o", str(library)], check=True, timeout=600)
    with pytest.raises(BackendFailure, match=message + r'.* pip install "neutone-like\[onnx\]"'):
        BackendInstance(load_table(ONNXRUNTIME.backend_path), f"{model}.json", options(library))
    with pytest.raises(BackendFailure, match=r"nowhere.so can't be loaded"):
        BackendInstance(load_table(ONNXRUNTIME.backend_path), f"{model}.json", options(tmp_path / "nowhere.so"))


def test_what_lies_beside_an_artifact_plays_in_its_place(tmp_path: Path) -> None:
    artifact = overdriven(tmp_path)
    x, host = noise(1280), HostConfig(48000, 128)
    with Engine(realtime_priority=False) as engine:
        heard: dict[str, Any] = {}
        for backend in ("torchscript", "onnxruntime"):
            session: Session = engine.open(artifact, host, mode="inline", backend=backend)
            assert (session.backend_name, session.name) == (backend, "Overdrive")
            session.set_parameter("drive", 24.0)
            heard[backend] = play(session, x, [128] * 10)
        np.testing.assert_allclose(heard["onnxruntime"], heard["torchscript"], rtol=0.0, atol=1e-5)
        with pytest.raises(ArtifactError, match=r"There is no .tflite file .* formats=\(\"nm\", \"litert\"\)"):
            engine.open(artifact, host, backend="litert")
        overdriven(tmp_path, artifact_sha256="1" * 64)
        with pytest.raises(ArtifactError, match=r"model.onnx.json was exported from another model than .*model.nm"):
            engine.open(artifact, host, backend="onnxruntime")
        told = {"library": ONNXRUNTIME.find(), "artifact_sha256": "2" * 64}
        stranger = NativeBackend(ONNXRUNTIME.backend_path, tmp_path / "model.onnx.json", options=told)
        with pytest.raises(RuntimeEngineError, match=r"was exported from another model.nm: that one's SHA-256 was 1+"):
            engine.open(stranger, host)
        overdriven(tmp_path, parameters=[parameter("drive", "block", default=40.0, maximum=36.0)])
        with pytest.raises(
            ArtifactError, match=r"model.onnx.json is no sidecar: .*'drive': default must lie in 0.0..36"
        ):
            engine.open(artifact, host, backend="onnxruntime")
        (tmp_path / "model.onnx.json").write_text("{}")
        with pytest.raises(ArtifactError, match=r"model.onnx.json is no sidecar"):
            engine.open(artifact, host, backend="onnxruntime")
        (tmp_path / "model.onnx.json").unlink()
        with pytest.raises(ArtifactError, match=r"There is no sidecar .*model.onnx.json: .* Export the model again"):
            engine.open(tmp_path / "model.onnx", host)


def test_a_package_that_is_missing_says_how_to_get_it(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, Engine(realtime_priority=False) as engine:
        for name in [each for each in sys.modules if each.split(".")[0] == "onnxruntime"]:
            patch.delitem(sys.modules, name)
        patch.setattr(sys, "meta_path", [Absent("onnxruntime"), *sys.meta_path])
        with pytest.raises(MissingExtraError, match=r"'onnxruntime', .* pip install \"neutone-like\[onnx\]\""):
            engine.open(model, FIXED)


def test_the_package_itself_is_not_imported_and_nothing_is_printed(
    model: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in [each for each in sys.modules if each.split(".")[0] == "onnxruntime"]:
        monkeypatch.delitem(sys.modules, name)
    with Engine(realtime_priority=False) as engine, engine.open(model, FIXED, mode="inline") as session:
        play(session, noise(640, channels=1), [64] * 10)
    assert not any(name.split(".")[0] == "onnxruntime" for name in sys.modules)
    assert capfd.readouterr() == ("", "")
