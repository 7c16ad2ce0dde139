#!/usr/bin/env bash
# libsndfile 1.2.2 (soundfile 0.14.0): in Sony Wave64 files the length that the data chunk tells is not used: everything up to
# the end of the file is sound. Names and markers that an editor writes behind the sound, as the format allows, are played as
# a burst near full scale, and `frames` counts them: 24 of them for a name. The same chunk before the sound is left out.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "soundfile==0.14.0" "numpy==2.4.6"

cat > "$folder/program.py" <<'PYTHON'
import struct
import sys
import uuid
from pathlib import Path

import numpy as np
import soundfile

print("soundfile", soundfile.__version__, "libsndfile", soundfile.__libsndfile_version__)
LIST = uuid.UUID("7473696c-912f-11cf-a5d6-28db04c10000").bytes_le
HEAD = 40  # of the file: two identifiers and a length
sound = 0.2 * np.random.default_rng(1).standard_normal(1000)
path = Path(sys.argv[1], "sound.w64")
soundfile.write(path, sound, 48000, subtype="PCM_16")
file = path.read_bytes()
start = file.index(b"data")
assert struct.unpack("<q", file[start + 16 : start + 24]) == (24 + 2 * len(sound),), "the data chunk tells its length"

name = b"INFO" + b"INAM" + struct.pack("<I", 8) + b"a name\0\0"
chunk = LIST + struct.pack("<q", 24 + len(name)) + name
chunk += bytes(-len(chunk) % 8)


def frames_of(content: bytes) -> np.ndarray:
    whole = bytearray(content)
    whole[16:24] = struct.pack("<q", len(whole))
    path.write_bytes(whole)
    return soundfile.read(path)[0]


behind, before = frames_of(file + bytes(-len(file) % 8) + chunk), frames_of(file[:HEAD] + chunk + file[HEAD:])
print(f"written {len(sound)}; read {len(before)} with the chunk before, {len(behind)} with it behind the sound")
print("read behind the sound:", behind[len(sound) :].round(2))
assert len(before) == len(sound), "the control"
assert len(behind) > len(sound) and np.abs(behind[len(sound) :]).max() > 0.5
PYTHON
"$folder/venv/bin/python" "$folder/program.py" "$folder"
echo "As found: what lies behind a Wave64 file's sound is played."
