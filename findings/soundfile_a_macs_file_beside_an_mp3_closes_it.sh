#!/usr/bin/env bash
# soundfile 0.14.0 with libsndfile 1.2.2: where macOS has written `._song.mp3` beside `song.mp3` (it does for every file on
# drives without room for its own attributes, and archives and servers carry them along), the MP3 can't be opened on Linux:
# "bad data offset" or "bad resource fork". Before libsndfile looks for MPEG frames it asks whether the file is a Sound Designer
# II one, whose header lies in the resource fork, and takes `._song.mp3` for that. An MP3 that begins with an ID3v2 tag, and
# every format with a magic number, is known before. Opened as a Python file, or as a descriptor, it is read as ever.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "soundfile==0.14.0" "numpy==2.4.6"

cat > "$folder/program.py" <<'PYTHON'
import struct
import sys
from pathlib import Path

import numpy as np
import soundfile

print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__)
folder = Path(sys.argv[1])
sine = np.sin(np.arange(48000) * 0.05) * 0.5
# AppleDouble, version 2: one entry, of kind 9, the 32 bytes of the Finder.
apple_double = struct.pack(">II16sHIII32x", 0x00051607, 0x00020000, b"Mac OS X        ", 1, 9, 38, 32)


def samples_of(file: object) -> str:
    try:
        return f"{len(soundfile.read(file)[0])} samples"
    except soundfile.LibsndfileError as error:
        return error.error_string


found = {}
for name in ("song.mp3", "song.wav", "song.flac", "song.ogg", "song.aiff"):
    path = folder / name
    soundfile.write(path, sine, 48000)
    alone = samples_of(path)
    (folder / f"._{name}").write_bytes(apple_double)
    with path.open("rb") as file:
        found[name] = alone, samples_of(path), samples_of(file)
    print(name, "alone:", alone, "| with ._ beside it:", found[name][1], "| opened by Python:", found[name][2])

whole = "48000 samples"
assert all(alone == whole and opened == whole for alone, _, opened in found.values())
assert found.pop("song.mp3")[1] in ("Error : bad data offset.", "Error : bad data length.", "Error : bad resource fork.")
assert all(beside == whole for _, beside, _ in found.values())
tag = b"ID3\x03\x00\x00\x00\x00\x00\x0fTIT2\x00\x00\x00\x05\x00\x00\x00Song"
(folder / "tagged.mp3").write_bytes(tag + (folder / "song.mp3").read_bytes())
(folder / "._tagged.mp3").write_bytes(apple_double)
print("tagged.mp3 with ._ beside it:", samples_of(folder / "tagged.mp3"))
assert samples_of(folder / "tagged.mp3") == whole
PYTHON
mkdir "$folder/music"
"$folder/venv/bin/python" "$folder/program.py" "$folder/music"
echo "As found: an MP3 without a tag is closed by the file that a Mac left beside it."
