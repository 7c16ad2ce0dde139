"""The native call of an engine beside the same library driven from its own Python packages."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neutone_like.bench.suite.cells import Cell
from neutone_like.bench.suite.workshop import FILE_OF
from neutone_like.runtime import Engine, HostConfig
from neutone_like.runtime.exchange_sidecar import sidecar_of

_ROUNDS = 2000
_ROUNDS_AT_ONCE = 50
Call = Callable[[], object]


def binding(cell: Cell, artifact: Path, seconds: float) -> dict[str, Any]:
    """Times of one call of the model: native, and by each Python face; in stretches by turns, medians of all."""
    sidecar = json.loads(sidecar_of(artifact.with_name(FILE_OF[cell.engine])).read_text("utf-8"))
    samples = sidecar["block_samples"] or cell.block
    faces = python_faces(cell.engine, artifact.with_name(FILE_OF[cell.engine]), sidecar, samples)
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (1, samples)).astype(np.float32)
    times: dict[str, list[float]] = {name: [] for name in faces}
    native: list[float] = []
    host = HostConfig(cell.model_rate, samples, channels=1)
    with (
        Engine(realtime_priority=False) as engine,
        engine.open(artifact, host, mode="inline", backend=cell.engine) as session,
    ):
        end = time.perf_counter() + seconds
        while len(native) < _ROUNDS // _ROUNDS_AT_ONCE and (len(native) < 4 or time.perf_counter() < end):
            before = session.stats().inference_time
            for _ in range(_ROUNDS_AT_ONCE):
                session.process(noise)
            native.append(_median_since(before, session.stats().inference_time))
            for name, call in faces.items():
                times[name].append(_median_us(call))
    medians = {name: round(float(np.median(each)), 3) for name, each in times.items()}
    return {"native_us": round(float(np.median(native)), 3), "faces_us": medians, "samples": samples}


def _median_us(call: Call) -> float:
    taken: list[float] = []
    for _ in range(_ROUNDS_AT_ONCE):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return 1e6 * float(np.median(taken))


def _median_since(before: Any, after: Any) -> float:
    """Of the calls between two looks at a histogram."""
    earlier = dict(before.buckets)
    counts = [(end, count - earlier.get(end, 0)) for end, count in after.buckets]
    half = (sum(count for _, count in counts) + 1) // 2
    for end, count in counts:
        half -= count
        if half <= 0:
            return float(end)
    return float("nan")


def python_faces(engine: str, path: Path, sidecar: dict[str, Any], samples: int) -> dict[str, Call]:
    """What plays the next block from Python, by the name of the face; its state goes on from block to block."""
    shape = (sidecar["in_channels"], sidecar["look_behind_samples"] + samples)
    audio = np.random.default_rng(0).uniform(-0.3, 0.3, shape)
    sound = np.ascontiguousarray(audio, np.float32)
    states = {each["input"]: np.zeros(each["shape"], each["dtype"]) for each in sidecar["states"]}
    if engine == "onnxruntime":
        return {"InferenceSession.run_with_iobinding": _io_binding(path, sidecar, sound, states)}
    return {
        "Interpreter.invoke": _interpreter(path, sidecar, sound, states),
        "CompiledModel.run_by_index": _compiled_model(path, sidecar, sound, states),
    }


def _io_binding(path: Path, sidecar: dict[str, Any], sound: Any, states: dict[str, Any]) -> Call:
    import onnxruntime  # pyright: ignore[reportMissingImports]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    of = onnxruntime.OrtValue.ortvalue_from_numpy
    # Two sets of memory, bound once: what one block leaves is what the next one finds.
    sets = [{name: of(value.copy()) for name, value in states.items()} for _ in range(2)]
    samples = sound.shape[1] - sidecar["look_behind_samples"]
    given, result = of(sound), of(np.zeros((sidecar["out_channels"], samples), np.float32))
    bindings: list[Any] = []
    for at in range(2):
        bound = session.io_binding()
        bound.bind_ortvalue_input(sidecar["audio_input"], given)
        bound.bind_ortvalue_output(sidecar["audio_output"], result)
        for state in sidecar["states"]:
            bound.bind_ortvalue_input(state["input"], sets[at][state["input"]])
            bound.bind_ortvalue_output(state["output"], sets[1 - at][state["input"]])
        bindings.append(bound)
    turn = [0]

    def play() -> object:
        session.run_with_iobinding(bindings[turn[0]])
        turn[0] = 1 - turn[0]
        return result

    return play


def _interpreter(path: Path, sidecar: dict[str, Any], sound: Any, states: dict[str, Any]) -> Call:
    from ai_edge_litert.interpreter import Interpreter  # pyright: ignore[reportMissingImports]

    interpreter: Any = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    runner: Any = interpreter.get_signature_runner()
    ins = {name: int(each["index"]) for name, each in runner.get_input_details().items()}
    outs = {name: int(each["index"]) for name, each in runner.get_output_details().items()}
    interpreter.set_tensor(ins[sidecar["audio_input"]], sound)
    for name, value in states.items():
        interpreter.set_tensor(ins[name], value)
    pairs = [(outs[each["output"]], ins[each["input"]]) for each in sidecar["states"]]
    result = interpreter.tensor(outs[sidecar["audio_output"]])

    def play() -> object:
        interpreter.invoke()
        for source, target in pairs:
            interpreter.set_tensor(target, interpreter.get_tensor(source))
        return result

    return play


def _compiled_model(path: Path, sidecar: dict[str, Any], sound: Any, states: dict[str, Any]) -> Call:
    from ai_edge_litert.compiled_model import CompiledModel  # pyright: ignore[reportMissingImports]

    model: Any = CompiledModel.from_file(str(path))
    signature: Any = next(iter(model.get_signature_list().values()))
    names_in, names_out = signature["inputs"], signature["outputs"]
    ins, outs = model.create_input_buffers(0), model.create_output_buffers(0)
    buffers_in, buffers_out = dict(zip(names_in, ins, strict=True)), dict(zip(names_out, outs, strict=True))
    buffers_in[sidecar["audio_input"]].write(sound)
    for name, value in states.items():
        buffers_in[name].write(value)
    carried = [
        (buffers_out[each["output"]], buffers_in[each["input"]], each["shape"], np.dtype(each["dtype"]))
        for each in sidecar["states"]
    ]

    def play() -> object:
        model.run_by_index(0, ins, outs)
        for source, target, shape, dtype in carried:
            target.write(source.read(int(np.prod(shape)), dtype))
        return outs

    return play
