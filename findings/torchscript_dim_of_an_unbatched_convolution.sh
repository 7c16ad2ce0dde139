#!/usr/bin/env bash
# torch 2.13.0: in TorchScript `y.dim()` and `y.ndim` of a convolution's output are folded to the rank of a batched one.
# For an input without a batch dimension, which nn.Conv1d takes since torch 1.11, a scripted module sees dim() == 3 where
# y.size() has two entries; in eager Python it sees 2. `len(y.size())` is right in both, so that checks of rank should
# use that. It happens from the first call on, with and without gradients, and for Conv2d alike.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "torch==2.13.0" "numpy==2.4.6"

cat > "$folder/program.py" <<'PYTHON'
import warnings

import torch
from torch import Tensor, nn

warnings.simplefilter("ignore", DeprecationWarning)


class Ranks(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv1d(2, 2, 1)
        self.two = nn.Conv2d(2, 2, 1)

    def forward(self, line: Tensor, image: Tensor) -> list[int]:
        y, z = self.one(line), self.two(image)
        return [y.dim(), y.ndim, len(y.size()), z.dim(), len(z.size())]


network = Ranks().eval()
inputs = torch.zeros(2, 8), torch.zeros(2, 8, 8)
with torch.no_grad():
    eager, scripted = network(*inputs), torch.jit.script(network)(*inputs)
print("torch", torch.__version__)
print("eager    dim, ndim, len(size) of conv1d; dim, len(size) of conv2d:", eager)
print("scripted the same:                                                ", scripted)
assert eager == [2, 2, 2, 3, 3], eager
assert scripted == [3, 3, 2, 4, 3], scripted
PYTHON
"$folder/venv/bin/python" "$folder/program.py"
echo "As found: scripted code sees one dimension too many."
