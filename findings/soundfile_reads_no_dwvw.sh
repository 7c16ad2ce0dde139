#!/usr/bin/env bash
# soundfile 0.14.0 with libsndfile 1.2.2: an AIFF that soundfile itself wrote with the subtype DWVW_16 can't be read back by
# it: the read ends in a LibsndfileError with an empty message. libsndfile calls the file seekable and can't seek in it, and
# soundfile seeks after every read. A subclass whose `seekable` says no reads all samples.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "soundfile==0.14.0" "numpy==2.4.6"

cat > "$folder/program.py" <<'PYTHON'
import sys

import numpy as np
import soundfile

print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__)
path = sys.argv[1]
written = np.sin(np.arange(30000) * 0.05) * 0.5
soundfile.write(path, written, 48000, subtype="DWVW_16")


class OneWay(soundfile.SoundFile):
    def seekable(self) -> bool:
        return False


with soundfile.SoundFile(path) as file:
    says_seekable = file.seekable()
    try:
        outcome = f"{len(file.read())} samples"
    except soundfile.LibsndfileError as error:
        outcome = repr(error)
with OneWay(path) as file:
    read = file.read(30000)
print("seekable:", says_seekable, "| read:", outcome, "| read as one that can't seek:", len(read), "samples")
assert says_seekable
assert outcome.startswith("LibsndfileError"), outcome
assert len(read) == 30000
assert float(np.abs(read - written).max()) < 1e-4
PYTHON
"$folder/venv/bin/python" "$folder/program.py" "$folder/sound.aiff"
echo "As found: what was written is not read back."
