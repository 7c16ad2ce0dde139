#!/usr/bin/env bash
# pedalboard 0.9.26: `Convolution(response, mix=1.0)` is not the convolution with that response: it is scaled so that the
# response's energy, the sum of its squares, is 1/64. The same response three times as loud sounds the same, a unit impulse at
# its own rate plays 18 dB softer, and a cabinet beside a dry path, or two of them in parallel, have other levels than NumPy's or
# a DAW's convolution gives them. Nothing in the constructor switches that off; a `Gain` of 8 times the square root of the energy
# gives the level back.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pedalboard==0.9.26" "numpy==2.4.6"

cat > "$folder/program.py" <<'PYTHON'
from importlib.metadata import version

import numpy as np
from pedalboard import Convolution

print("pedalboard", version("pedalboard"))
RATE = 48000
random = np.random.default_rng(1)
sound = (0.2 * random.standard_normal((1, RATE))).astype(np.float32)
decaying = (random.standard_normal(4800) * np.exp(-np.arange(4800) / 800)).astype(np.float32)
impulse = np.zeros(64, np.float32)
impulse[0] = 1.0
for name, response in {"impulse": impulse, "room": decaying, "room, 3 times as loud": 3 * decaying}.items():
    truth = np.convolve(sound[0].astype(np.float64), response)[:RATE]
    got = Convolution(response, 1.0, RATE)(sound, RATE)[0].astype(np.float64)
    gain = got @ truth / (truth @ truth)
    expected = 0.125 / np.sqrt(np.square(response.astype(np.float64)).sum())
    print(f"{name}: {20 * np.log10(gain):.2f} dB of the convolution; 1/8 over the root of the energy: {20 * np.log10(expected):.2f} dB")
    assert abs(gain / expected - 1) < 1e-4
    assert np.abs(got - gain * truth).max() < 1e-5 * np.abs(got).max(), "but for the level it is the convolution"
PYTHON
"$folder/venv/bin/python" "$folder/program.py"
echo "As found: pedalboard's convolution has a level of its own."
