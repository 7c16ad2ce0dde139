#!/usr/bin/env bash
# ONNX Runtime 1.32.0, CPU: `GroupNormalization` (opset 21) finds the variance as the mean of squares less the square of the
# mean, in float32. Noise of 0.01 on an offset of 1 comes out 1 % off, on an offset of 10 by more than its own size, and on 100 as
# NaN, as the variance is negative. `InstanceNormalization` and `LayerNormalization` of the same numbers, which are the same
# thing for one group, are within 0.5 %, and so is PyTorch 2.13.0. Sound that was recorded with an offset, and layers behind a
# large bias, are such numbers. Written out as ReduceMean, Sub, Mul and ReduceMean it is as exact as the others.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "onnxruntime==1.32.0" "onnx==1.23.2" "numpy==2.4.6" "torch==2.13.0"

cat > "$folder/program.py" <<'PYTHON'
from importlib.metadata import version

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

print("onnxruntime", version("onnxruntime"), "torch", version("torch"))
CHANNELS, SAMPLES, EPSILON = 2, 48000, 1e-12


def run(op: str, x: np.ndarray, **attributes: float) -> np.ndarray:
    ones, zeros = (numpy_helper.from_array(np.full(CHANNELS, v, np.float32), n) for v, n in ((1, "scale"), (0, "bias")))
    graph = helper.make_graph(
        [helper.make_node(op, ["x", "scale", "bias"], ["y"], epsilon=EPSILON, **attributes)],
        "norm",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(x.shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, list(x.shape))],
        [ones, zeros],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(made)
    return onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


def errors(offset: float) -> tuple[float, float, float]:
    x = (offset + 0.01 * np.random.default_rng(1).standard_normal((1, CHANNELS, SAMPLES))).astype(np.float32)
    wide = x.astype(np.float64)
    truth = (wide - wide.mean(-1, keepdims=True)) / np.sqrt(wide.var(-1, keepdims=True) + EPSILON)
    group = run("GroupNormalization", x, num_groups=CHANNELS)
    instance = run("InstanceNormalization", x)
    in_torch = torch.nn.functional.group_norm(torch.from_numpy(x), CHANNELS, eps=EPSILON).numpy()
    found = tuple(float(np.abs(each - truth).max()) for each in (group, instance, in_torch))
    print(f"offset {offset:g}: GroupNormalization {found[0]:.1e}, InstanceNormalization {found[1]:.1e}, torch {found[2]:.1e}")
    return found


for offset in (0.0, 1.0, 10.0, 100.0):
    group, instance, in_torch = errors(offset)
    assert instance < 0.02 and in_torch < 0.02, "the controls"
    assert group < 1e-5 if offset == 0 else group > 1e-3 if offset == 1 else not group < 0.5
assert np.isnan(group)
PYTHON
"$folder/venv/bin/python" "$folder/program.py"
echo "As found: GroupNormalization loses sound that has an offset."
