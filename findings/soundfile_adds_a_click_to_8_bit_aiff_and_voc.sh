#!/usr/bin/env bash
# soundfile 0.14.0 with libsndfile 1.2.2: silence of 1,001 samples, written as a mono AIFF of 8 unsigned bits, mu-law or A-law, or
# as a Creative Voice file of either law, comes back as 1,002 samples, the last of which is a click of up to full scale. AIFF
# pads a chunk of odd length with a zero byte, Creative Voice ends its blocks with one, and libsndfile counts it as sound
# while it writes, in the AIFF's count of frames and in the VOC block's length: no reader can tell. Zero is silence in signed
# samples, as far from it as can be in these. An even number of samples escapes it in AIFF, and no number does in VOC.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "soundfile==0.14.0" "numpy==2.4.6"

cat > "$folder/program.py" <<'PYTHON'
import sys
from pathlib import Path

import numpy as np
import soundfile

print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__)
path = Path(sys.argv[1])


def played(kind: str, subtype: str, samples: int) -> tuple[int, float]:
    soundfile.write(path, np.zeros(samples), 8000, format=kind, subtype=subtype)
    found, _ = soundfile.read(path)
    peak = float(np.abs(found).max())
    print(f"{kind} {subtype}: {samples} samples of silence are {len(found)}, peak {peak:.3f}")
    return len(found) - samples, peak


for kind, subtype, click in (
    ("AIFF", "PCM_U8", 1.0),
    ("AIFF", "ULAW", 0.98),
    ("AIFF", "ALAW", 0.168),
    ("VOC", "ULAW", 0.98),
    ("VOC", "ALAW", 0.168),
):
    more, peak = played(kind, subtype, 1001)
    assert more == 1 and abs(peak - click) < 1e-3
    more, peak = played(kind, subtype, 1000)
    assert (more, peak > 0.1) == ((1, True) if kind == "VOC" else (0, False))
soundfile.write(path, np.zeros(1001), 8000, "PCM_U8", format="AIFF")
header = path.read_bytes()[:64]
told = int.from_bytes(header[header.index(b"COMM") + 10 :][:4], "big")
print("frames that the AIFF's own header tells:", told)
assert told == 1002
for kind, subtype in (("WAV", "PCM_U8"), ("WAV", "ULAW"), ("AU", "ULAW"), ("VOC", "PCM_U8")):
    assert played(kind, subtype, 1001)[0] == 0, "the control"
PYTHON
"$folder/venv/bin/python" "$folder/program.py" "$folder/sound"
echo "As found: a byte that fills a gap is heard."
