#!/usr/bin/env bash
# pedalboard 0.9.26: `AudioFile` reads the MP3 files that soundfile 0.14.0 writes 1105 samples late, 25 ms at 44.1 kHz, and 1,536
# to 1,980 samples too long: the delay of encoder and decoder, and the padding, which the file's first frame tells of, stay in.
# soundfile and PyAV 18.1.0 give as many samples as were written, in place. Dry sound by one and wet sound by the other are out
# of line.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pedalboard==0.9.26" "soundfile==0.14.0" "av==18.1.0" "numpy==2.4.6"

cat > "$folder/program.py" <<'PYTHON'
import sys
from importlib.metadata import version

import av
import numpy as np
import soundfile
from pedalboard.io import AudioFile

print(*(f"{name} {version(name)}" for name in ("pedalboard", "soundfile", "av")))


def by_pedalboard(path: str) -> np.ndarray:
    with AudioFile(path) as file:
        return file.read(file.frames)[0]


def by_av(path: str) -> np.ndarray:
    with av.open(path) as file:
        return np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])


for rate in (44100, 48000, 22050):
    path = f"{sys.argv[1]}/sound_{rate}.mp3"
    noise = np.random.default_rng(1).standard_normal(rate)
    sound = 0.2 * np.convolve(noise, np.hanning(32) / 4, "same")
    soundfile.write(path, sound, rate)
    for name, read in (("soundfile", lambda path: soundfile.read(path)[0]), ("PyAV", by_av), ("pedalboard", by_pedalboard)):
        got = read(path)
        points = 2 * len(got)
        likeness = np.fft.irfft(np.fft.rfft(got, points) * np.fft.rfft(sound, points).conj(), points)
        late, longer = int(likeness[: len(got)].argmax()), len(got) - len(sound)
        print(f"{rate} Hz, {name}: {late} samples late, {longer} longer")
        assert (late, longer > 1000) == ((1105, True) if name == "pedalboard" else (0, False))
PYTHON
"$folder/venv/bin/python" "$folder/program.py" "$folder"
echo "As found: pedalboard leaves an MP3's delay and padding in."
