#!/usr/bin/env bash
# pedalboard 0.9.26: in a stream of calls with `reset=False` a call with more samples than any before it prepares the effect
# anew, and its state is gone: a delay loses what was in its line, a reverb its tail, filters and compressors click. Calls of
# equal or falling lengths equal one call to the last bit. Whoever cuts sound where the hits are, or reads a first short packet
# from a socket, hears it; a first call of silence that is as long as the longest that will come keeps the rest right.
# `Convolution` keeps its past.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pedalboard==0.9.26" "numpy==2.4.6"

cat > "$folder/program.py" <<'PYTHON'
from importlib.metadata import version

import numpy as np
import pedalboard

print("pedalboard", version("pedalboard"))
RATE = 48000
sound = (0.2 * np.random.default_rng(1).standard_normal((2, RATE))).astype(np.float32)
EFFECTS = {
    "Delay": lambda: pedalboard.Delay(delay_seconds=0.1, feedback=0.5, mix=0.5),
    "Reverb": pedalboard.Reverb,
    "HighpassFilter": lambda: pedalboard.HighpassFilter(100),
    "PeakFilter": lambda: pedalboard.PeakFilter(500, 6),
    "Compressor": lambda: pedalboard.Compressor(-20, 4),
}


def streamed(make, cuts: list[int], before: int = 0) -> np.ndarray:
    effect = make()
    if before:
        effect(np.zeros((2, before), np.float32), RATE, reset=False)
    return np.concatenate([effect(part, RATE, reset=False) for part in np.split(sound, cuts, axis=1)], axis=1)


for name, make in EFFECTS.items():
    whole = make()(sound, RATE)
    differences = {
        "equal": np.abs(streamed(make, [12000, 24000, 36000]) - whole).max(),
        "falling": np.abs(streamed(make, [20000, 35000, 45000]) - whole).max(),
        "growing": np.abs(streamed(make, [8000, 18000, 30000]) - whole).max(),
        "growing, after silence": np.abs(streamed(make, [8000, 18000, 30000], before=18000) - whole).max(),
    }
    print(f"{name}:", ", ".join(f"{way} {difference:.2g}" for way, difference in differences.items()))
    assert differences["equal"] == differences["falling"] == 0.0
    assert differences["growing"] > 0.01
    assert differences["growing, after silence"] == 0.0, "the control"
PYTHON
"$folder/venv/bin/python" "$folder/program.py"
echo "As found: a longer block ends the past of a stream."
