#!/usr/bin/env bash
# torch 2.13.0: torch.nn.functional.interpolate(mode="linear") of float32 on a CPU counts its places in float32 as well, so
# that lines between samples are the more wrong the longer the signal is: with a factor of 3 the end of 48,000 samples is
# off by 0.2 % of the peak, of 480,000 by 2 %. Factors that are powers of two are exact until the places no longer fit into
# a float32's 24 bits: past 8 million results, half of the peak is wrong with any factor. In float64 all is right.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "torch==2.13.0" "numpy==2.4.6"

cat > "$folder/program.py" <<'PYTHON'
import torch
from torch.nn.functional import interpolate


def error_at_the_end(factor: int, samples: int) -> float:
    """Of the last thousand results, against float64, in parts of the peak."""
    x = torch.randn(1, 1, samples, generator=torch.Generator().manual_seed(0))
    single, double = (interpolate(each, scale_factor=factor, mode="linear")[..., -1000:] for each in (x, x.double()))
    return float((single.double() - double).abs().max() / x.abs().max())


print("torch", torch.__version__)
errors = {(factor, samples): error_at_the_end(factor, samples) for factor in (2, 3) for samples in (1000, 48000, 480000, 4800000)}
for (factor, samples), error in errors.items():
    print(f"factor {factor}, {samples} samples: {error:.1e}")
assert errors[2, 480000] < 1e-6 < 1e-5 < errors[3, 1000] < 1e-3 < errors[3, 48000] < 1e-2 < errors[3, 480000]
assert errors[2, 4800000] > 0.1
PYTHON
"$folder/venv/bin/python" "$folder/program.py"
echo "As found: linear interpolation in float32 is off by more, the longer the signal is."
