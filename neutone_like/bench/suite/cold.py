"""The first calls of a model in a fresh process, one by one: what a host meets that doesn't warm its model up.

Each engine is called through its own Python face, because the native engine warms models up by itself. ONNX Runtime and
LiteRT are given the same states every time: what a call costs doesn't depend on them. LiteRT's files take blocks of one
length, and a host's block is as many calls as it holds.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neutone_like.bench.suite.cells import Cell, EngineName
from neutone_like.errors import BenchError

CALLS = 30
_SECONDS_AT_MOST = 300.0


def cold_start(cell: Cell, path: Path) -> dict[str, Any]:
    """Times of the first calls, with as many calls before them as the cell says.

    Raises:
        BenchError: The process failed; says with what.
    """
    command = [sys.executable, "-m", "neutone_like.bench.suite.cold", cell.engine, str(path)]
    command += [str(cell.block), str(cell.warm_up)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS_AT_MOST, check=False)
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"The first calls took more than {_SECONDS_AT_MOST:g} s.") from error
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise BenchError(f"The process that makes the first calls failed: {said[-1] if said else done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def _compiled(path: Path, block: int) -> Callable[[], object]:
    from neutone_like.runtime.compiled_model import load_compiled

    model = load_compiled(path.with_suffix(".nlc"))
    audio = np.zeros((model.in_channels, model.look_behind_samples + block), np.float32)
    return lambda: model.process(audio)


def _torchscript(path: Path, block: int) -> Callable[[], object]:
    import torch

    torch.set_num_threads(1)
    module: Any = torch.jit.load(str(path))
    module.set_daw_sample_rate_and_buffer_size(48000, block)
    audio = torch.zeros(1, block)

    def call() -> object:
        with torch.inference_mode():
            return module.forward(audio)

    return call


def _onnxruntime(path: Path, block: int) -> Callable[[], object]:
    import onnxruntime  # pyright: ignore[reportMissingImports]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path.with_suffix(".onnx")), options, ["CPUExecutionProvider"])
    from neutone_like.runtime.exchange_sidecar import sidecar_of

    sidecar = json.loads(sidecar_of(path.with_suffix(".onnx")).read_text("utf-8"))
    samples = int(sidecar["look_behind_samples"]) + block
    # Only the audio's length is left open.
    feeds = {
        each.name: np.zeros([size if isinstance(size, int) else samples for size in each.shape], np.float32)
        for each in session.get_inputs()
    }
    return lambda: session.run(None, feeds)


def _litert(path: Path, block: int) -> Callable[[], object]:
    from ai_edge_litert.interpreter import Interpreter  # pyright: ignore[reportMissingImports]

    interpreter: Any = Interpreter(model_path=str(path.with_suffix(".tflite")), num_threads=1)
    interpreter.allocate_tensors()
    from neutone_like.runtime.exchange_sidecar import sidecar_of

    sidecar = json.loads(sidecar_of(path.with_suffix(".tflite")).read_text("utf-8"))
    calls = max(1, block // int(sidecar["block_samples"]))

    def call() -> None:
        for _ in range(calls):
            interpreter.invoke()

    return call


_WAYS: dict[EngineName, Callable[[Path, int], Callable[[], object]]] = {
    "compiled": _compiled,
    "torchscript": _torchscript,
    "onnxruntime": _onnxruntime,
    "litert": _litert,
}


def main(engine: EngineName, path: str, block: str, warm_up: str) -> None:
    """Print what was found as JSON."""
    before = time.perf_counter()
    call = _WAYS[engine](Path(path), int(block))
    load_seconds = time.perf_counter() - before
    for _ in range(int(warm_up)):
        call()
    times: list[float] = []
    for _ in range(CALLS):
        start = time.perf_counter()
        call()
        times.append(round(1e6 * (time.perf_counter() - start), 2))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {"calls_us": times, "load_seconds": round(load_seconds, 4), "peak_resident_mb": round(peak_mb, 1)}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])  # pyright: ignore[reportArgumentType]
