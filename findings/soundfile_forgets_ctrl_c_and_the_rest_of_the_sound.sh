#!/usr/bin/env bash
# soundfile 0.14.0 (cffi 2.1.1): reading or writing a file object calls its methods from libsndfile's C code. Python runs the
# handlers of signals there too, so that Ctrl-C (or any that raises, such as one for SIGTERM) is printed and forgotten: no
# KeyboardInterrupt comes out. As the moment wants it, the program goes on as if nothing had happened, a WAV file gives fewer
# samples than it holds without an error, or LibsndfileError tells of a damaged file. A program that reads an open file or
# BytesIO in its main thread may go on with part of a sound. In another thread no handler runs, and all is well.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "soundfile==0.14.0" "cffi==2.1.1" "numpy==2.4.6"

cat > "$folder/program.py" <<'PYTHON'
import io
import os
import signal
import threading
from importlib.metadata import version

import numpy as np
import soundfile

print("soundfile", version("soundfile"), "libsndfile", soundfile.__libsndfile_version__, "cffi", version("cffi"))
SAMPLES = 96000


class Pressed(io.BytesIO):
    """Somebody presses Ctrl-C while the given call of a method runs."""

    def __init__(self, content, method, at):
        super().__init__(content)
        self.method, self.at, self.calls = method, at, 0

    def come_by(self, method):
        if method == self.method:
            self.calls += 1
            if self.calls == self.at:
                os.kill(os.getpid(), signal.SIGINT)

    def readinto(self, buffer):
        self.come_by("readinto")
        return super().readinto(buffer)

    def tell(self):
        self.come_by("tell")
        return super().tell()


def read(content, method="readinto", at=0):
    file = Pressed(content, method, at)
    samples = 0
    with soundfile.SoundFile(file) as opened:
        while len(x := opened.read(4096)):
            samples += len(x)
    return samples, file.calls


outcomes = set()
for format in ("WAV", "FLAC"):
    encoded = io.BytesIO()
    sound = np.random.default_rng(1).uniform(-0.5, 0.5, SAMPLES)
    soundfile.write(encoded, sound, 48000, format=format, subtype="PCM_16")
    content = encoded.getvalue()
    for method in ("readinto", "tell"):
        whole, calls = read(content, method)
        assert whole == SAMPLES, "the control"
        seen = []
        for at in range(calls // 4, calls, max(1, calls // 8)):
            try:
                samples = read(content, method, at)[0]
                seen.append("all" if samples == SAMPLES else "fewer")
            except KeyboardInterrupt:
                seen.append("KeyboardInterrupt")
            except soundfile.LibsndfileError:
                seen.append("LibsndfileError")
        print(f"{format}, Ctrl-C in {method}, read in blocks:", *seen)
        outcomes.update(seen)
assert "KeyboardInterrupt" not in outcomes, "it comes out now"
assert {"all", "fewer"} <= outcomes, "otherwise now"

heard, ended = [], threading.Event()


def read_apart():
    heard.append(read(content, "readinto", 5)[0])
    ended.set()


try:
    threading.Thread(target=read_apart).start()
    ended.wait()
    raise SystemExit("no KeyboardInterrupt came to the main thread")
except KeyboardInterrupt:
    ended.wait()
print("read in another thread:", *heard, "and KeyboardInterrupt in the main one")
assert heard == [SAMPLES]
PYTHON
"$folder/venv/bin/python" "$folder/program.py" 2> "$folder/printed"
grep --quiet "KeyboardInterrupt" "$folder/printed"
echo "As found: Ctrl-C inside soundfile's callbacks is printed and forgotten, and the sound ends there."
