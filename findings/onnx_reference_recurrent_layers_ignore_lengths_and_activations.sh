#!/usr/bin/env bash
# onnx 1.23.2: the ReferenceEvaluator's LSTM ignores the input `sequence_lens` and the attribute `activations` without a word
# (GRU and RNN ignore the lengths as well); the operator's specification has both, and the full checker passes the models.
# The plain recursion in NumPy and ONNX Runtime 1.32.0 agree to 1e-6, the reference is 0.4 and 0.1 away. Whoever holds an
# exporter's recurrent layers to "the reference" holds them to another network: use a runtime, or the formulas.
# Installs from PyPI into a temporary folder.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 protobuf
cat > "$folder/seen.py" <<'PYTHON'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

STEPS, BATCH, INPUTS, UNITS = 6, 2, 3, 4
LENGTHS = np.array([6, 3], np.int32)
rng = np.random.default_rng(0)
x, w, r, b = (
    rng.standard_normal(shape).astype(np.float32)
    for shape in ((STEPS, BATCH, INPUTS), (1, 4 * UNITS, INPUTS), (1, 4 * UNITS, UNITS), (1, 8 * UNITS))
)


def sigmoid(value):
    return 1.0 / (1.0 + np.exp(-value))


def hard_sigmoid(value):
    return np.clip(0.2 * value + 0.5, 0.0, 1.0)


def by_formula(gate, lengths):
    h = c = np.zeros((BATCH, UNITS))
    for step in range(STEPS):
        sums = x[step] @ w[0].T + h @ r[0].T + b[0, : 4 * UNITS] + b[0, 4 * UNITS :]
        i, o, f, g = np.split(sums, 4, axis=1)
        new_c = gate(f) * c + gate(i) * np.tanh(g)
        new_h = gate(o) * np.tanh(new_c)
        live = (step < lengths)[:, None]
        c, h = np.where(live, new_c, c), np.where(live, new_h, h)
    return h


def lstm(**attributes):
    names = ["x", "w", "r", "b"] + (["lengths"] if attributes.pop("with_lengths") else [])
    node = helper.make_node("LSTM", names, ["", "last"], hidden_size=UNITS, **attributes)
    known = [numpy_helper.from_array(value, name) for name, value in (("w", w), ("r", r), ("b", b), ("lengths", LENGTHS))]
    graph = helper.make_graph(
        [node],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(x.shape))],
        [helper.make_tensor_value_info("last", TensorProto.FLOAT, [1, BATCH, UNITS])],
        [each for each in known if each.name in names],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    return model


def errors(gate, lengths, **attributes):
    model, right = lstm(**attributes), by_formula(gate, lengths)
    runtime = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    sides = (runtime.run(None, {"x": x})[0][0], ReferenceEvaluator(model).run(None, {"x": x})[0][0])
    return tuple(float(np.abs(side - right).max()) for side in sides)


every = np.full(BATCH, STEPS)
plain = errors(sigmoid, every, with_lengths=False)
shorter = errors(sigmoid, LENGTHS, with_lengths=True)
harder = errors(hard_sigmoid, every, with_lengths=False, activations=["HardSigmoid", "Tanh", "Tanh"])
for name, (runtime, reference) in (("plain", plain), ("sequence_lens", shorter), ("activations", harder)):
    print(f"{name:14} ONNX Runtime {runtime:.1e}, ReferenceEvaluator {reference:.1e} from the formula")
assert max(*plain, shorter[0], harder[0]) < 2e-6
assert min(shorter[1], harder[1]) > 0.01
print("As found: the reference ignores sequence_lens and activations.")
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
