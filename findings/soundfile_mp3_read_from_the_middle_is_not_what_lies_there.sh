#!/usr/bin/env bash
# soundfile 0.14.0 with libsndfile 1.2.2: a piece of an MP3 that is read with `start=` (as training loaders do for random crops),
# or after `seek`, often begins with other samples than the same place of the file read whole: up to as loud as the sound itself,
# for up to a few thousand samples. Layer III lets a frame use bits left over by earlier ones, which the decoder has not read when
# it begins there; pieces begun ten frames earlier, with those left out, are right. Steady sound at 48 kHz escapes; sound with
# pauses does not, and at 22.05 and 24 kHz every kind is hit. WAV and FLAC files are not.
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
folder = Path(sys.argv[1])
EARLIER = 10 * 1152


def distance(path: Path, whole: np.ndarray, at: int, earlier: int) -> float:
    piece = soundfile.read(path, start=at - earlier, frames=earlier + 4000)[0][earlier:]
    return float(np.abs(piece - whole[at : at + 4000]).max())


def pieces_that_differ(ending: str, rate: int, with_pauses: bool) -> tuple[int, int, float]:
    time = np.arange(20 * rate) / rate
    sound = 0.4 * np.sin(2 * np.pi * 200 * time * (1 + 0.2 * time))
    sound += 0.05 * np.random.default_rng(0).standard_normal(time.size)
    if with_pauses:
        sound *= np.sin(2 * np.pi * 1.7 * time) > 0
    path = folder / f"sound{rate}{ending}"
    soundfile.write(path, sound, rate)
    whole, _ = soundfile.read(path)
    assert len(whole) == len(sound)
    starts = range(12000, len(sound) - 5000, len(sound) // 300)
    worst = [distance(path, whole, at, 0) for at in starts]
    assert max(distance(path, whole, at, EARLIER) for at in starts) < 1e-3
    differ = sum(each > 1e-3 for each in worst)
    kind = "with pauses" if with_pauses else "steady"
    print(f"{ending} {rate} Hz, {kind}: {differ} of {len(worst)} pieces differ, by up to {max(worst):.2f}")
    return differ, len(worst), max(worst)


for rate, with_pauses in ((48000, True), (44100, True), (24000, False), (22050, False)):
    differ, pieces, worst = pieces_that_differ(".mp3", rate, with_pauses)
    assert differ > 0.02 * pieces and worst > 0.1
assert pieces_that_differ(".mp3", 48000, False)[0] == 0
assert pieces_that_differ(".flac", 22050, True)[0] == 0
assert pieces_that_differ(".wav", 22050, True)[0] == 0
PYTHON
"$folder/venv/bin/python" "$folder/program.py" "$folder" 2>"$folder/decoder" || { cat "$folder/decoder"; exit 1; }
echo "As found: reading from the middle of an MP3 is not reading what lies there."
