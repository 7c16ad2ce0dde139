"""Small ONNX files made by hand, with their sidecars, and what NumPy makes of the same arithmetic."""

import base64
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from neutone_like.artifact.format.compiled_file import digest_of_file
from support.places import PROJECT

Array = npt.NDArray[Any]
OTHER_DIGEST = "0" * 64
_ELEMENT_TYPES: dict[str, int] = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "int8": TensorProto.INT8,
    "uint8": TensorProto.UINT8,
    "int16": TensorProto.INT16,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "bool": TensorProto.BOOL,
}
Tensors = Mapping[str, tuple[str, Sequence[int | str]]]


def write_onnx(
    path: Path, nodes: Sequence[Any], inputs: Tensors, outputs: Tensors, constants: Mapping[str, Array] | None = None
) -> Path:
    """A graph as an ONNX file of an operator set that every supported ONNX Runtime knows."""

    def infos(tensors: Tensors) -> list[Any]:
        return [helper.make_tensor_value_info(name, _ELEMENT_TYPES[t], shape) for name, (t, shape) in tensors.items()]

    initializers = [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()]
    graph = helper.make_graph(list(nodes), "graph", infos(inputs), infos(outputs), initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def write_sidecar(path: Path, format: str = "onnx", **fields: Any) -> Path:
    """The sidecar of a model file, for a mono model of any rate and block without parameters but for ``fields``."""
    content: dict[str, Any] = {
        "neutone_like_sidecar": 1,
        "format": format,
        "file": path.name,
        "file_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "artifact_sha256": OTHER_DIGEST,
        "model_name": "By hand",
        "sample_rate": None,
        "block_samples": None,
        "in_channels": 1,
        "out_channels": 1,
        "look_behind_samples": 0,
        "delay_samples": 0,
        "audio_input": "audio",
        "audio_output": "audio_out",
        "parameters": [],
        "states": [],
        **fields,
    }
    sidecar = path.with_name(path.name + ".json")
    sidecar.write_text(json.dumps(content), encoding="utf-8")
    return sidecar


def state(name: str, initial: Array, zeros: bool = False) -> dict[str, Any]:
    """A state whose input is ``name`` and whose output is ``name_out``."""
    array = np.asarray(initial)
    text = base64.b64encode(array.astype(array.dtype.newbyteorder("<")).tobytes()).decode()
    return {
        "name": name,
        "input": name,
        "output": f"{name}_out",
        "dtype": str(array.dtype),
        "shape": list(array.shape),
        "initial": None if zeros else text,
    }


def parameter(name: str, rate: str, default: float = 1.0, minimum: float = 0.0, maximum: float = 2.0) -> dict[str, Any]:
    """A parameter whose input is ``name``."""
    record = {"name": name, "input": name, "rate": rate, "unit": ""}
    return {**record, "minimum": minimum, "maximum": maximum, "default": default}


TAPS = np.array([0.25, -0.5, 1.0], np.float32)
MANY_STATES = [
    state("past", np.array([[0.5, -0.25]], np.float32)),
    state("total", np.array(0.125, np.float64)),
    state("count", np.array([7], np.int64)),
    state("calls", np.array([0], np.int32), zeros=True),
    state("odd", np.array([True], np.bool_)),
]
MANY_PARAMETERS = [parameter("gain", "sample"), parameter("offset", "block", default=0.25)]
_MANY_NODES: tuple[tuple[str, list[str], list[str], dict[str, Any]], ...] = (
    ("Concat", ["past", "audio"], ["with_past"], {"axis": 1}),
    ("Slice", ["with_past", "minus_two", "far"], ["past_out"], {}),
    ("Conv", ["batch", "taps"], ["filtered_batch"], {}),
    ("Cast", ["audio"], ["precise"], {"to": TensorProto.DOUBLE}),
    ("CumSum", ["precise", "one_axis"], ["sums"], {}),
    ("Add", ["sums", "total"], ["integral"], {}),
    ("ReduceSum", ["precise"], ["block_sum"], {"keepdims": 0}),
    ("Add", ["block_sum", "total"], ["total_out"], {}),
    ("Shape", ["gain"], ["length"], {}),
    ("Add", ["count", "length"], ["count_out"], {}),
    ("Add", ["calls", "one_call"], ["calls_out"], {}),
    ("Not", ["odd"], ["odd_out"], {}),
    ("Mul", ["filtered", "gain"], ["louder"], {}),
    ("Cast", ["integral"], ["integral_32"], {"to": TensorProto.FLOAT}),
    ("Cast", ["count"], ["count_32"], {"to": TensorProto.FLOAT}),
    ("Cast", ["calls"], ["calls_32"], {"to": TensorProto.FLOAT}),
    ("Cast", ["odd"], ["odd_32"], {"to": TensorProto.FLOAT}),
    ("Mul", ["integral_32", "hundredth"], ["term_1"], {}),
    ("Mul", ["count_32", "thousandth"], ["term_2"], {}),
    ("Mul", ["calls_32", "hundredth"], ["term_3"], {}),
    ("Sum", ["louder", "offset", "term_1", "term_2", "term_3", "odd_32"], ["audio_out"], {}),
)


def write_many_states(path: Path, **fields: Any) -> Path:
    """A mono model with a state of every type, a parameter a sample and one a block; everything in them is heard."""
    nodes = [
        helper.make_node(name, ins, outs, **attributes)
        for name, ins, outs, attributes in (
            *_MANY_NODES[:2],
            ("Unsqueeze", ["with_past", "first_axis"], ["batch"], {}),
            _MANY_NODES[2],
            ("Squeeze", ["filtered_batch", "first_axis"], ["filtered"], {}),
            *_MANY_NODES[3:],
        )
    ]
    states = {each["name"]: (each["dtype"], each["shape"]) for each in MANY_STATES}
    write_onnx(
        path,
        nodes,
        {"audio": ("float32", [1, "N"]), "gain": ("float32", ["N"]), "offset": ("float32", [1]), **states},
        {"audio_out": ("float32", [1, "N"]), **{f"{name}_out": about for name, about in states.items()}},
        {
            "taps": TAPS.reshape(1, 1, 3),
            "first_axis": np.array([0]),
            "minus_two": np.array([0, -2]),
            "far": np.array([1, 1 << 30]),
            "one_axis": np.array(1),
            "one_call": np.array([1], np.int32),
            "hundredth": np.array([0.01], np.float32),
            "thousandth": np.array([0.001], np.float32),
        },
    )
    return write_sidecar(path, states=MANY_STATES, parameters=MANY_PARAMETERS, **fields)


def many_states(audio: Array, gain: Array, offset: float, blocks: Sequence[int]) -> Array:
    """What it makes of a signal ``[1, N]`` that comes in ``blocks``, in float64."""
    past, total, count, odd, calls = np.array([0.5, -0.25]), 0.125, 7, True, 0
    played: list[Array] = []
    at = 0
    for length in blocks:
        x, scale = audio[0, at : at + length].astype(np.float64), gain[at : at + length]
        with_past = np.concatenate([past, x])
        filtered = np.convolve(with_past, TAPS[::-1], "valid")
        added = offset + 0.01 * (np.cumsum(x) + total) + 0.001 * count + 0.01 * calls + float(odd)
        played.append(filtered * scale + added)
        past, total, count, odd, calls = with_past[-2:], total + x.sum(), count + length, not odd, calls + 1
        at += length
    return np.concatenate(played)[None]


def overdriven(folder: Path, **fields: Any) -> Path:
    """The overdrive's artifact, and the same arithmetic in ONNX beside it."""
    artifact = Path(shutil.copy(PROJECT / "exported" / "overdrive" / "model.nm", folder / "model.nm"))
    path = folder / "model.onnx"
    nodes = [
        helper.make_node("Div", ["drive", "twenty"], ["bels"]),
        helper.make_node("Pow", ["ten", "bels"], ["gain"]),
        helper.make_node("Mul", ["audio", "gain"], ["driven"]),
        helper.make_node("Tanh", ["driven"], ["audio_out"]),
    ]
    shape = ("float32", [2, "N"])
    constants = {"ten": np.array([10.0], np.float32), "twenty": np.array([20.0], np.float32)}
    write_onnx(path, nodes, {"audio": shape, "drive": ("float32", [1])}, {"audio_out": shape}, constants)
    drive = parameter("drive", "block", default=12.0, maximum=36.0)
    content: dict[str, Any] = {"artifact_sha256": digest_of_file(artifact), "sample_rate": 48000, "parameters": [drive]}
    write_sidecar(path, in_channels=2, out_channels=2, **(content | fields))
    return artifact


TWELVE_TENSORS = Path(__file__).with_name("twelve_tensors.tflite")
TWELVE_SAMPLES = 32
TWELVE_PARAMETERS = [
    {**parameter("gain", "sample"), "input": "args_1"},
    {**parameter("offset", "block", default=0.25), "input": "args_2"},
]
TWELVE_STATES = [
    {**state("count", np.array([7], np.int32)), "input": "args_3", "output": "output_1"},
    *(
        {
            **state(f"last {k}", np.array([[0.5 - 0.1 * k]], np.float32)),
            "input": f"args_{k + 4}",
            "output": f"output_{k + 2}",
        }
        for k in range(8)
    ),
]


def write_twelve_tensors(path: Path, **fields: Any) -> Path:
    """The LiteRT file that ``make_litert_fixture.py`` made, at ``path``, with its sidecar."""
    path.write_bytes(TWELVE_TENSORS.read_bytes())
    names = {"audio_input": "args_0", "audio_output": "output_0", "block_samples": TWELVE_SAMPLES}
    content = {**names, "states": TWELVE_STATES, "parameters": TWELVE_PARAMETERS, **fields}
    return write_sidecar(path, "litert", **content)


def twelve_tensors(audio: Array, gain: Array, offset: float) -> Array:
    """What it makes of a signal ``[1, N]`` of whole blocks, in float64."""
    count, lasts = 7, 0.5 - 0.1 * np.arange(8)
    weights = np.arange(1, 9)
    played: list[Array] = []
    for at in range(0, audio.shape[1], TWELVE_SAMPLES):
        block = slice(at, at + TWELVE_SAMPLES)
        x = audio[0, block].astype(np.float64)
        played.append(x * gain[block] + offset + 0.001 * count + 0.01 * np.dot(weights, lasts))
        count, lasts = count + 1, weights * x[-1]
    return np.concatenate(played)[None]
