#!/usr/bin/env bash
# torch 2.13.0: a subclass of torch.jit.ScriptModule whose __init__ gives its methods as source, with define(), keeps the
# source with the class. Whether an instance gets a type of its own is decided by whether define() added a new name to the
# class: the first instance does, the second has a type of its own to begin with, and the third and all later ones are
# given the second's compiled code, whatever their own source says. No error, no warning. Methods that differ between
# instances need a class for each of them.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "torch==2.13.0" "numpy==2.4.6"

cat > "$folder/program.py" <<'PYTHON'
import warnings

import torch

warnings.simplefilter("ignore", DeprecationWarning)


class Gain(torch.jit.ScriptModule):
    def __init__(self, factor: int) -> None:
        super().__init__()
        self.define(f"def forward(self, x: Tensor) -> Tensor:\n    return x * {factor}\n")


def own_class(factor: int) -> torch.jit.ScriptModule:
    return type("Own", (Gain,), {})(factor)


one = torch.ones(1)
shared = [float(gain(one)) for gain in [Gain(factor) for factor in (2, 3, 4, 5)]]
apart = [float(gain(one)) for gain in [own_class(factor) for factor in (2, 3, 4, 5)]]
print("torch", torch.__version__)
print("factors 2, 3, 4, 5, one class:        ", shared)
print("factors 2, 3, 4, 5, a class for each: ", apart)
assert shared == [2.0, 3.0, 3.0, 3.0], shared
assert apart == [2.0, 3.0, 4.0, 5.0], apart
PYTHON
"$folder/venv/bin/python" "$folder/program.py"
echo "As found: the third instance and all later ones compute what the second does."
