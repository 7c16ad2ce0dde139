#!/usr/bin/env bash
# soundfile 0.14.0 with libsndfile 1.2.2: a plain PCM WAV (format tag 1) whose samples have 24 bits and stand in places of
# 4 bytes (block align 4 for one channel) is read as packed samples of 3 bytes. The block align of the header is ignored:
# 480 samples come back as 640 of noise, without an error or a warning. Readers of such files have to compare block align
# with channels times bits, and set the header's bits to 32 before they hand it on.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "soundfile==0.14.0" "numpy==2.4.6"

cat > "$folder/program.py" <<'PYTHON'
import io
import struct

import numpy as np
import soundfile

print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__)
samples = (np.arange(480, dtype="<i4") * 1000) << 8  # 24 bits, at the upper end of 4 bytes
data = samples.tobytes()


def read(bits: int) -> np.ndarray:
    layout = struct.pack("<HHIIHH", 1, 1, 48000, 48000 * 4, 4, bits)
    chunks = b"WAVEfmt " + struct.pack("<I", 16) + layout + b"data" + struct.pack("<I", len(data)) + data
    return soundfile.read(io.BytesIO(b"RIFF" + struct.pack("<I", len(chunks)) + chunks), dtype="int32")[0]


as_written, as_32_bits = read(24), read(32)
print("written 480 samples, header 24 bits in 4 bytes: read", len(as_written), as_written[:4])
print("the same bytes, header 32 bits:                 read", len(as_32_bits), as_32_bits[:4])
assert np.array_equal(as_32_bits, samples)
assert len(as_written) == 640
PYTHON
"$folder/venv/bin/python" "$folder/program.py"
echo "As found: 480 samples are read as 640."
