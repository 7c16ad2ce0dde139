#!/usr/bin/env bash
# auraloss 0.4.0: the A-weighting that its losses put before the spectra (`perceptual_weighting=True`, `FIRFilter("aw")`) has 101
# taps at every rate, too few to be low where the curve is. At 48 kHz it passes 50 Hz 12 dB louder than IEC 61672 says, and 20 Hz
# 32 dB; at 96 kHz 50 Hz 20 dB louder. At 48 kHz 16 kHz is 6 dB softer, with any number of taps. A loss "as heard" listens to
# hum and rumble. With `ntaps=8001` it is within half a decibel from 50 Hz to 4 kHz.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "auraloss==0.4.0" "numpy==2.4.6" "scipy==1.17.1" "torch==2.13.0"

cat > "$folder/program.py" <<'PYTHON'
from importlib.metadata import version

import numpy as np
from auraloss.perceptual import FIRFilter

print("auraloss", version("auraloss"))
FREQUENCIES = np.array([20.0, 31.5, 50.0, 100.0, 1000.0, 4000.0, 16000.0])


def standard_db(f: np.ndarray) -> np.ndarray:
    """IEC 61672-1, annex E."""
    gain = 12194**2 * f**4 / ((f**2 + 20.6**2) * np.sqrt((f**2 + 107.7**2) * (f**2 + 737.9**2)) * (f**2 + 12194**2))
    return 20 * np.log10(gain) + 2.0


def error_db(rate: int, taps: int) -> np.ndarray:
    filter = FIRFilter(filter_type="aw", fs=rate, ntaps=taps)
    impulse = filter.fir.weight.detach().numpy()[0, 0].astype(np.float64)
    angles = 2 * np.pi * FREQUENCIES / rate
    response = np.exp(-1j * np.outer(angles, np.arange(len(impulse)))) @ impulse
    error = 20 * np.log10(np.abs(response)) - standard_db(FREQUENCIES)
    print(f"{rate} Hz, {taps} taps:", ", ".join(f"{f:g} Hz {e:+.1f} dB" for f, e in zip(FREQUENCIES, error)))
    return error


as_it_is = error_db(48000, 101)
assert as_it_is[0] > 30 and as_it_is[2] > 11 and as_it_is[-1] < -5
assert np.abs(as_it_is[4:6]).max() < 0.5, "in the middle it is right"
assert error_db(96000, 101)[2] > 19
assert np.abs(error_db(48000, 8001)[2:6]).max() < 0.5, "the control"
PYTHON
"$folder/venv/bin/python" "$folder/program.py"
echo "As found: A-weighting with 101 taps hears the bass."
