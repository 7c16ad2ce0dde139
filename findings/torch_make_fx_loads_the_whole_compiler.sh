#!/usr/bin/env bash
# torch 2.13.0: make_fx, which only writes down what a function does, imports torch._inductor, and with it torch._dynamo
# and some 270 modules, when it is first called - before it traces anything, for one flag of the inductor's configuration.
# That takes a second or more in every process that traces once. torch.jit.trace and torch.fx.symbolic_trace import neither.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "torch==2.13.0" "numpy==2.4.6"

cat > "$folder/program.py" <<'PYTHON'
import sys
import time
import warnings

import torch
from torch import fx
from torch.fx.experimental.proxy_tensor import make_fx

warnings.simplefilter("ignore", DeprecationWarning)


def loaded() -> set[str]:
    return {name for name in sys.modules if name.partition(".")[0] == "torch"}


print("torch", torch.__version__)
torch.jit.trace(torch.sin, torch.zeros(1))
fx.symbolic_trace(torch.nn.Linear(1, 1))
before = loaded()
print("after jit.trace and fx.symbolic_trace:", "torch._inductor" in before, "torch._dynamo" in before)
started = time.perf_counter()
make_fx(torch.sin)  # nothing is traced yet
more = loaded() - before
print(f"after make_fx: {len(more)} modules more in {time.perf_counter() - started:.1f} s;", "torch._inductor" in more)
assert "torch._inductor" not in before, "something else brings it now"
assert "torch._inductor" in more
assert len(more) > 100, len(more)
PYTHON
"$folder/venv/bin/python" "$folder/program.py"
echo "As found: make_fx loads the compiler that it does not use."
