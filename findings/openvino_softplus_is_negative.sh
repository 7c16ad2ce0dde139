#!/usr/bin/env bash
# OpenVINO 2026.4.1, CPU: `SoftPlus`, log(1 + exp(x)), which is above zero everywhere, comes out as -1.9e-6 for x = -18 and
# -20, and in steps of 9.5e-7 below -10: 0 at -15, 9.5e-7 at -16 (true: 3.1e-7 and 1.1e-7; ONNX Runtime 1.32.0 gives those to
# seven digits). What rests on softplus being positive, an amplitude in decibels, a standard deviation, is NaN there: so is
# log(softplus(-18)). `Log(Add(Exp(x), 1))` written out is taken for softplus and gives the same numbers, bit for bit;
# -log(sigmoid(-x)) stays above zero.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "openvino==2026.4.1" "onnxruntime==1.32.0" "onnx==1.23.2" "numpy==2.4.6"

cat > "$folder/program.py" <<'PYTHON'
from importlib.metadata import version

import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper

print(*(f"{name} {version(name)}" for name in ("openvino", "onnxruntime")))
x = -np.arange(10, 22, dtype=np.float32)
truth = np.log1p(np.exp(x.astype(np.float64)))


def model(*nodes: tuple[str, list[str], str]) -> bytes:
    graph = helper.make_graph(
        [helper.make_node(op, inputs, [output]) for op, inputs, output in nodes],
        "softplus",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(x.shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, list(x.shape))],
        [numpy_helper.from_array(np.ones(1, np.float32), "one")] if any("one" in node[1] for node in nodes) else [],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(made)
    return made.SerializeToString()


def in_openvino(data: bytes) -> np.ndarray:
    core = openvino.Core()
    return core.compile_model(core.read_model(data), "CPU")([x])[0]


whole = model(("Softplus", ["x"], "y"))
reference = onnxruntime.InferenceSession(whole, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
found = in_openvino(whole)
for each, right, there, here in zip(x, truth, reference, found):
    print(f"softplus({each:.0f}) = {right:.3e}: ONNX Runtime {there:.3e}, OpenVINO {here:.3e}")
np.testing.assert_allclose(reference, truth, rtol=1e-6)
assert found.min() < -1e-6
logarithm = in_openvino(model(("Softplus", ["x"], "s"), ("Log", ["s"], "y")))
print("its logarithm in OpenVINO:", logarithm)
assert np.isnan(logarithm).any() and np.isfinite(logarithm[:4]).all()
fused = in_openvino(model(("Exp", ["x"], "e"), ("Add", ["e", "one"], "s"), ("Log", ["s"], "y")))
assert np.array_equal(fused, found), "log(1 + exp(x)) is taken for softplus"
other = in_openvino(model(("Neg", ["x"], "n"), ("Sigmoid", ["n"], "s"), ("Log", ["s"], "l"), ("Neg", ["l"], "y")))
print("as -log(sigmoid(-x)):", other)
assert other.min() >= 0.0 and np.abs(other - truth).max() < 2e-7, "the control"
PYTHON
"$folder/venv/bin/python" "$folder/program.py"
echo "As found: OpenVINO's softplus falls below zero."
