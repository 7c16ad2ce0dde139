#!/usr/bin/env bash
# torch 2.13.0: a scripted LSTM that is frozen by torch.jit.freeze while torch.jit.optimized_execution is off gives a module
# that raises at every call: "Couldn't find method" of nn.LSTM, which freezing has taken away and the code still calls.
# Frozen with the optimiser on, the same network plays, also when it is then called with the optimiser off. Who turns the
# optimiser off to start sooner must turn it on around freeze. nn.Linear and nn.Conv1d freeze either way.
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


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.lstm(x)[0]


def outcome(network: nn.Module, x: Tensor, frozen_with: bool, called_with: bool) -> str:
    with torch.no_grad():
        with torch.jit.optimized_execution(frozen_with):
            frozen = torch.jit.freeze(torch.jit.script(network.eval()))
        with torch.jit.optimized_execution(called_with):
            try:
                frozen(x)
            except RuntimeError as error:
                return "Couldn't find method" if "Couldn't find method" in str(error) else str(error)
    return "plays"


print("torch", torch.__version__)
sequence = torch.zeros(1, 8, 1)
found = {(frozen, called): outcome(Recurrent(), sequence, frozen, called) for frozen in (True, False) for called in (True, False)}
for (frozen, called), said in found.items():
    print(f"LSTM frozen with the optimiser {'on' if frozen else 'off'}, called with it {'on' if called else 'off'}: {said}")
others = [outcome(each, x, False, False) for each, x in ((nn.Linear(3, 3), torch.zeros(1, 3)), (nn.Conv1d(1, 1, 3), torch.zeros(1, 1, 8)))]
print("Linear and Conv1d frozen and called with it off:", others)
assert found[True, True] == found[True, False] == "plays", found
assert found[False, True] == found[False, False] == "Couldn't find method", found
assert others == ["plays", "plays"], others
PYTHON
"$folder/venv/bin/python" "$folder/program.py"
echo "As found: freeze a recurrent layer with the optimiser on."
