#!/usr/bin/env bash
# ONNX Runtime 1.32.0 and OpenVINO 2026.4.1, CPU: `CumSum` of float32 adds in float32, where PyTorch 2.13.0 on CPU adds in
# float64 and rounds what comes out. The phase of a 440 Hz oscillator at 48 kHz, a running sum of 440 / 48000, is at 4426.17
# cycles after ten seconds instead of 4400: 10 cents sharp, and 26 cycles away from any other voice. PyTorch's is right to
# 0.001 cycles, so the file that was exported plays another pitch than the network that it was made of. With a cast to float64
# before `CumSum` and back after it ONNX Runtime is right; OpenVINO is not, as it calculates float64 in float32.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "onnxruntime==1.32.0" "openvino==2026.4.1" "onnx==1.23.2" "numpy==2.4.6" "torch==2.13.0"

cat > "$folder/program.py" <<'PYTHON'
from importlib.metadata import version

import numpy as np
import onnx
import onnxruntime
import openvino
import torch
from onnx import TensorProto, helper

print(*(f"{name} {version(name)}" for name in ("onnxruntime", "openvino", "torch")))
SAMPLES = 480000
step = np.full((1, SAMPLES), 440.0 / 48000.0, np.float32)
truth = step.astype(np.float64).cumsum()[-1]


def model(in_float64: bool) -> bytes:
    nodes = [helper.make_node("CumSum", ["x", "axis"], ["y"])]
    if in_float64:
        nodes = [
            helper.make_node("Cast", ["x"], ["wide"], to=TensorProto.DOUBLE),
            helper.make_node("CumSum", ["wide", "axis"], ["sums"]),
            helper.make_node("Cast", ["sums"], ["y"], to=TensorProto.FLOAT),
        ]
    graph = helper.make_graph(
        nodes,
        "phase",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, SAMPLES])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, SAMPLES])],
        [helper.make_tensor("axis", TensorProto.INT64, [], [1])],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(made)
    return made.SerializeToString()


def cycles_away(engine: str, in_float64: bool) -> float:
    data = model(in_float64)
    if engine == "onnxruntime":
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
        end = session.run(None, {"x": step})[0][0, -1]
    else:
        core = openvino.Core()
        end = core.compile_model(core.read_model(data), "CPU")([step])[0][0, -1]
    print(f"{engine:12} {'float64' if in_float64 else 'float32'}: {end:.3f} cycles, {end - truth:+.3f}")
    return abs(end - truth)


torch_end = torch.from_numpy(step).cumsum(1)[0, -1].item()
print(f"torch        float32: {torch_end:.3f} cycles, {torch_end - truth:+.3f}")
assert abs(torch_end - truth) < 1e-3
assert cycles_away("onnxruntime", False) > 20
assert cycles_away("openvino", False) > 20
assert cycles_away("onnxruntime", True) < 1e-3, "the control"
assert cycles_away("openvino", True) > 20
PYTHON
"$folder/venv/bin/python" "$folder/program.py"
echo "As found: running sums in float32 drift, where PyTorch's do not."
