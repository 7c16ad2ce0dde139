#!/usr/bin/env bash
# pyloudnorm 0.2.0: the K-weighting of a Meter made with defaults is a design of its own (an audio-EQ high shelf at 1500 Hz
# and a high-pass), and not that of ITU-R BS.1770-4, whose coefficients for 48 kHz are printed in the standard. White noise
# comes out 0.04 LU softer at 48 kHz; EBU Tech 3341 allows a meter 0.1 LU. filter_class="DeMan" is the standard's filter.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pyloudnorm==0.2.0" "numpy==2.4.6" "scipy==1.17.1"

cat > "$folder/program.py" <<'PYTHON'
import numpy as np
import pyloudnorm
from scipy.signal import lfilter

SHELF = ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585])
HIGH_PASS = ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621])

noise = 0.1 * np.random.default_rng(0).standard_normal(48000 * 20)  # steady, so that no gate matters
weighted = lfilter(*HIGH_PASS, lfilter(*SHELF, noise))
standard = -0.691 + 10.0 * np.log10(np.mean(weighted**2))
default = pyloudnorm.Meter(48000).integrated_loudness(noise)
de_man = pyloudnorm.Meter(48000, filter_class="DeMan").integrated_loudness(noise)
print(f"by the standard's coefficients {standard:.4f} LUFS")
print(f"Meter(48000)                   {default:.4f} LUFS")
print(f"Meter(48000, 'DeMan')          {de_man:.4f} LUFS")
assert abs(de_man - standard) < 0.002
assert 0.03 < standard - default < 0.06
PYTHON
"$folder/venv/bin/python" "$folder/program.py"
echo "As found: the default is 0.04 LU softer, DeMan is the standard's."
