#!/usr/bin/env bash
# torch 2.13.0: `parametrize.remove_parametrizations` on a deepcopy of a module breaks the module that was copied. A
# parametrized module has a class of its own, with the tensor as a property; `copy.deepcopy` shares that class, and removing
# the parametrization deletes the property from it. The original then has no attribute `weight`, although nobody touched it.
# A tool that folds parametrizations on a copy has to give the copy's modules classes of their own first.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "torch==2.13.0" "numpy==2.4.6"

cat > "$folder/program.py" <<'PYTHON'
import copy

import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize

print("torch", torch.__version__)
layer = parametrizations.weight_norm(nn.Conv1d(2, 2, 3))
x = torch.randn(1, 2, 8)
before = layer(x)

other = copy.deepcopy(layer)
print("one class for both:", type(other) is type(layer))
parametrize.remove_parametrizations(other, "weight")
assert torch.allclose(other(x), before, atol=1e-6)
try:
    outcome = f"computes, equal: {torch.equal(layer(x), before)}"
except AttributeError as error:
    outcome = f"AttributeError: {error}"
print("the original afterwards:", outcome)
assert outcome == "AttributeError: 'ParametrizedConv1d' object has no attribute 'weight'", outcome
PYTHON
"$folder/venv/bin/python" "$folder/program.py"
echo "As found: the original is broken."
