#!/usr/bin/env bash
# OpenVINO 2026.4.1, CPU: an ONNX model of float64 keeps its types, inputs and outputs are "double64" and float64 arrays, but
# what is between them is calculated in float32: (1 + 1e-9) - 1 is 0, with EXECUTION_MODE_HINT "ACCURACY" too. ONNX Runtime
# 1.31.1 gives 1e-9 for the same file. Nothing warns. Whoever keeps float64 for a reason (recursive filters, long counts) must
# compare with another engine.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "openvino==2026.4.1" "onnx==1.23.2" "onnxruntime==1.31.1" "numpy==2.4.6"
cd "$folder"

cat > double.py <<'PYTHON'
import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper

graph = helper.make_graph(
    [helper.make_node("Sub", ["x", "one"], ["y"])],
    "difference",
    [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [2])],
    [helper.make_tensor_value_info("y", TensorProto.DOUBLE, [2])],
    [helper.make_tensor("one", TensorProto.DOUBLE, [1], [1.0])],
)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), "double.onnx")
x = np.array([1.0 + 1e-9, 2.0])
reference = onnxruntime.InferenceSession("double.onnx", providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
found = {}
for hint in ("PERFORMANCE", "ACCURACY"):
    compiled = openvino.Core().compile_model("double.onnx", "CPU", {"EXECUTION_MODE_HINT": hint})
    found[hint] = compiled([x])[0]
    print(hint, compiled.inputs[0].element_type, compiled.outputs[0].element_type, found[hint].dtype, found[hint])
print("ONNX Runtime", onnxruntime.__version__, reference)
assert np.allclose(reference, x - 1.0, rtol=1e-6)
assert all(each.dtype == np.float64 and each[0] == 0.0 and each[1] == 1.0 for each in found.values())
PYTHON
venv/bin/python double.py
