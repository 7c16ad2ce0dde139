#!/usr/bin/env bash
# pedalboard 0.9.26: `pedalboard.io.StreamResampler` takes the delay of its filter out to the nearest whole sample of the output
# only. A sine from 48 to 44.1 kHz comes out up to 0.4 samples early or late, from 48 to 16 kHz up to 0.33, by an amount that
# depends on the quality chosen; to 96 kHz it is in place. Two copies of one recording, one of them resampled so, don't cancel: at
# 5 kHz 0.4 samples leave a difference of -11 dB. soxr leaves every sine in place.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pedalboard==0.9.26" "soxr==1.1.0" "numpy==2.4.6"

cat > "$folder/program.py" <<'PYTHON'
from importlib.metadata import version

import numpy as np
import soxr
from pedalboard import Resample
from pedalboard.io import StreamResampler

print("pedalboard", version("pedalboard"), "soxr", soxr.__version__)
FREQUENCY = 997
sine = np.sin(2 * np.pi * FREQUENCY * np.arange(48000) / 48000).astype(np.float32)


def samples_late(y: np.ndarray, rate: int) -> float:
    """By the phase of the middle, where no edge is felt."""
    at = np.arange(len(y) // 4, 3 * len(y) // 4)
    angle = 2 * np.pi * FREQUENCY * at / rate
    return float(-np.angle(1j * np.sum(y[at] * np.exp(-1j * angle))) / (2 * np.pi * FREQUENCY) * rate)


def resampled(rate: int, quality: Resample.Quality) -> np.ndarray:
    resampler = StreamResampler(48000, rate, 1, quality)
    return np.concatenate([resampler.process(sine[None]), resampler.process()], axis=1)[0]


Quality = Resample.Quality
found = {}
for rate in (44100, 16000, 96000):
    for name in ("WindowedSinc8", "WindowedSinc32", "WindowedSinc64", "WindowedSinc256"):
        found[rate, name] = samples_late(resampled(rate, getattr(Quality, name)), rate)
    control = samples_late(soxr.resample(sine, 48000, rate), rate)
    late = ", ".join(f"{found[rate, name]:+.3f} ({name})" for each, name in found if each == rate)
    print(f"48000 to {rate} Hz, samples late: {late}; soxr {control:+.3f}")
    assert abs(control) < 0.002
expected = {
    (44100, "WindowedSinc8"): -0.3,
    (44100, "WindowedSinc32"): -0.2,
    (44100, "WindowedSinc64"): -0.4,
    (44100, "WindowedSinc256"): 0.4,
    (16000, "WindowedSinc64"): -0.333,
    (16000, "WindowedSinc32"): 0.333,
}
assert all(abs(found[key] - value) < 0.01 for key, value in expected.items())
assert all(abs(value) < 0.01 for (rate, _), value in found.items() if rate == 96000)
PYTHON
"$folder/venv/bin/python" "$folder/program.py"
echo "As found: resampling moves sound by part of a sample."
