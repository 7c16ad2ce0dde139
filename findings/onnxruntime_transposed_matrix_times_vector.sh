#!/usr/bin/env bash
# onnxruntime 1.32.0, CPU: a Transpose whose result is multiplied by a vector (MatMul with a second operand of one dimension)
# gives wrong numbers of the right shape, from GraphOptimizationLevel.ORT_ENABLE_EXTENDED on, which is below the default. With
# ORT_ENABLE_BASIC and without optimisation the same file is right, and so is the vector as a matrix of one column. Nothing
# warns. It is what x.transpose(1, 2) @ weight exports to.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "onnxruntime==1.32.0" "onnx==1.23.2" "numpy==2.4.6"
cd "$folder"

cat > vector.py <<'PYTHON'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

x = np.random.default_rng(0).standard_normal((1, 3, 4)).astype(np.float32)
vector = np.array([1.0, 10.0, 100.0], np.float32)
wanted = x.transpose(0, 2, 1) @ vector


def played(weight, level):
    nodes = [
        helper.make_node("Transpose", ["x"], ["turned"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["turned", "weight"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4] + [1] * (weight.ndim - 1))],
        [numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = level
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0].reshape(wanted.shape)


levels = onnxruntime.GraphOptimizationLevel
errors = {}
for level in (levels.ORT_DISABLE_ALL, levels.ORT_ENABLE_BASIC, levels.ORT_ENABLE_EXTENDED, levels.ORT_ENABLE_ALL):
    errors[level.name] = float(np.abs(played(vector, level) - wanted).max())
    column = float(np.abs(played(vector[:, None], level) - wanted).max())
    print(level.name, "vector", errors[level.name], "column", column)
    assert column < 1e-4
assert errors["ORT_DISABLE_ALL"] < 1e-4 and errors["ORT_ENABLE_BASIC"] < 1e-4
assert errors["ORT_ENABLE_EXTENDED"] > 1.0 and errors["ORT_ENABLE_ALL"] > 1.0
PYTHON
venv/bin/python vector.py
