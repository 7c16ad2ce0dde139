#!/usr/bin/env bash
# torch 2.13.0: a network that reads its input as `x.data`, as older code does to step out of the gradient, is frozen by tracing.
# `torch.jit.trace` keeps the example's numbers as a constant: whatever is played, the example's result comes out, its own check
# of the trace passes, and nothing warns. `make_fx(pre_dispatch=True)` does the same; `torch.export(strict=True)` gives a program
# that returns a tensor without numbers, and `strict=False` refuses. `x.detach()` is right in all four.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "torch==2.13.0" "numpy==2.4.6"

cat > "$folder/program.py" <<'PYTHON'
import warnings

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor
from torch.fx.experimental.proxy_tensor import make_fx

print("torch", torch.__version__)


class Data(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.data * 2


class Detached(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.detach() * 2


example, other = torch.ones(2, 3), torch.full((2, 3), 5.0)
found = {}
for network in (Data(), Detached()):
    name = type(network).__name__
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        traced = torch.jit.trace(network, example)
    about_trace = [str(each.message) for each in caught if issubclass(each.category, torch.jit.TracerWarning)]
    exported = torch.export.export(network, (example,), strict=True).module()(other)
    try:
        torch.export.export(network, (example,), strict=False)
        loose = "a program"
    except RuntimeError as error:
        loose = f"refused: {str(error)[:60]}..."
    found[name] = (traced(other)[0, 0].item(), make_fx(network, pre_dispatch=True)(example)(other)[0, 0].item(), exported)
    print(f"{name}: 10 expected; traced {found[name][0]}, make_fx {found[name][1]}, exported {type(exported).__name__}, {loose}")
    assert not about_trace
    assert loose.startswith("refused" if name == "Data" else "a program")
assert found["Data"][:2] == (2.0, 2.0) and isinstance(found["Data"][2], FakeTensor)
assert found["Detached"][:2] == (10.0, 10.0) and found["Detached"][2][0, 0] == 10.0, "the control"
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/program.py"
echo "As found: an input's .data is frozen."
