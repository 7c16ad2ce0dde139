#!/usr/bin/env bash
# samplerate 0.2.4 (python-samplerate, around libsamplerate): `Resampler.process(..., end_of_input=True)` gives at most as many
# samples as the ratio makes of that last piece, while older ones wait in the filter; further calls give none. A second of
# sound, in pieces, from 48 to 44.1 kHz with "sinc_best" comes out 143 samples short (3 ms), whatever their length.
# `samplerate.resample`, `CallbackResampler` and the whole sound in one call give all of them. Feed zeros first, and cut.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "samplerate==0.2.4" "numpy==2.4.6"

cat > "$folder/program.py" <<'PYTHON'
from importlib.metadata import version

import numpy as np
import samplerate

print("samplerate", version("samplerate"), samplerate.__libsamplerate_version__)
RATIO = 44100 / 48000
sine = np.sin(np.arange(48000) * 0.13).astype(np.float32)
whole = samplerate.resample(sine, RATIO, "sinc_best")
assert len(whole) == 44100


def streamed(piece: int, zeros: int = 0) -> tuple[np.ndarray, int]:
    given = np.concatenate([sine, np.zeros(zeros, np.float32)])
    resampler = samplerate.Resampler("sinc_best", 1)
    starts = range(0, len(given), piece)
    found = [resampler.process(given[at : at + piece], RATIO, end_of_input=at == starts[-1]) for at in starts]
    more = sum(len(resampler.process(np.zeros(0, np.float32), RATIO, end_of_input=True)) for _ in range(4))
    return np.concatenate(found), more


for piece in (64, 511, 4096):
    found, more = streamed(piece)
    print(f"pieces of {piece}: {len(found)} samples, and {more} on asking again, of {len(whole)}")
    assert len(found) < len(whole) - 100 and more == 0
    assert float(np.abs(found - whole[: len(found)]).max()) < 1e-6, "what comes is right"
assert len(streamed(48000)[0]) == len(whole), "one piece is whole"
pieces = iter(np.split(sine, 100))
callback = samplerate.CallbackResampler(lambda: next(pieces, None), RATIO, "sinc_best")
found = np.concatenate([callback.read(1000) for _ in range(46)])
print("by callback:", len(found))
assert len(found) == len(whole)
found, _ = streamed(511, zeros=400)
assert float(np.abs(found[: len(whole)] - whole)[:-200].max()) < 1e-6
assert len(found) >= len(whole)
PYTHON
"$folder/venv/bin/python" "$folder/program.py"
echo "As found: the end of a stream stays in the filter."
