#!/usr/bin/env bash
# litert-torch 0.10.0 (litert-converter 0.5.0): a model with an int64 input, such as a count of samples that goes in and comes
# out, converts without a word, and the file has int32 in both places. A runner of ai-edge-litert 2.3.0 then refuses the int64
# array that the model was converted with, and counts end at 2,147,483,647, twelve hours of 48 kHz. Installs 2 GB.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "torch==2.13.0"
echo "torch==2.13.0" > "$folder/constraints.txt"
"$folder/venv/bin/pip" install --quiet --constraint "$folder/constraints.txt" "litert-torch==0.10.0" "litert-converter==0.5.0" \
    "ai-edge-litert==2.3.0"
cd "$folder"

cat > count.py <<'PYTHON'
import numpy as np
import torch

import litert_torch
from ai_edge_litert.interpreter import Interpreter


class Count(torch.nn.Module):
    def forward(self, x, heard):
        return x * 1.0, heard + x.shape[-1]


example = (torch.zeros(4), torch.zeros((), dtype=torch.int64))
litert_torch.convert(Count().eval(), example).export("count.tflite")
interpreter = Interpreter(model_path="count.tflite")
runner = interpreter.get_signature_runner()
dtypes = [runner.get_input_details()["args_1"]["dtype"], runner.get_output_details()["output_1"]["dtype"]]
print("given", example[1].dtype, "kept as", [each.__name__ for each in dtypes])
assert dtypes == [np.int32, np.int32]
try:
    runner(args_0=example[0].numpy(), args_1=example[1].numpy())
except ValueError as error:
    print(error)
else:
    raise AssertionError("int64 was taken")
PYTHON
venv/bin/python count.py 2>/dev/null
