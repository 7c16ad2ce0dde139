"""``make live``: a model on JACK's dummy driver in a process with a Python thread that never rests, and a callback that
does nothing in another. Both at once, each with a server of its own, so that what else the machine does meets both.

Ends with 1 where the model's device lost sound more often than that of the callback which does nothing.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from neutone_like.runtime.live import LiveStream
from neutone_like.runtime.live.channels import Channels
from neutone_like.runtime.live.device import choose_device, devices
from neutone_like.runtime.live.portaudio_library import find_portaudio
from neutone_like.runtime.live.stream import stream_plan
from neutone_like.runtime.native_module import native_module
from support.places import EXPORTED, PROJECT
from support.sound_servers import jack

RATE = 48000
_COUNTS = ("callbacks", "largest_block", "device_xruns", "overloads")


def nothing(seconds: float) -> dict[str, Any]:
    """A stream that no model was ever attached to: its callback writes silence."""
    found = choose_device(devices(), None, inputs=True)
    plan = stream_plan(find_portaudio(), found.index, found.index, Channels((0, 1), (0, 1), 2, 2), RATE)
    stream = native_module().LiveStream(plan)
    stream.start()
    time.sleep(seconds)
    counts = {name: getattr(stream, name) for name in _COUNTS}
    stream.close()
    return counts


def model(path: Path, seconds: float) -> dict[str, Any]:
    with LiveStream(path, mode="inline") as live:
        live.wait(seconds)
        report = live.close()
    told = report.to_dict()
    return {"largest_block": told["block_size"], **told}


def rest_never() -> None:
    while True:
        sum(range(1000))


def child(path: str, seconds: float) -> None:
    threading.Thread(target=rest_never, daemon=True).start()
    print(json.dumps(model(Path(path), seconds) if path else nothing(seconds)), flush=True)
    os._exit(0)  # the busy thread is in the way of an ordinary end


def soak(path: Path, seconds: float) -> bool:
    """Whether the model lost no more than nothing does."""
    with ExitStack() as stack:
        started: list[tuple[str, subprocess.Popen[str]]] = []
        for name, of in (("no-op", ""), (path.name, str(path))):
            _, environment = stack.enter_context(jack(name))
            words = [sys.executable, __file__, "--child", of, "--seconds", str(seconds)]
            environment = {**os.environ, **environment, "PYTHONPATH": f"{PROJECT}:{PROJECT / 'tests'}"}
            started.append((name, subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)))
        told = {name: json.loads(process.communicate(timeout=seconds + 120)[0]) for name, process in started}
    for name, of in told.items():
        print(f"{name}: " + ", ".join(f"{key} {of[key]}" for key in _COUNTS))
    played = told[path.name]
    print(f"{path.name}: load {played['load']:.3f}, {played['callback_time']}, underruns {played['underruns']}")
    return played["device_xruns"] <= told["no-op"]["device_xruns"] and played["underruns"] == 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--model", type=Path, default=EXPORTED / "lstm_amp")
    parser.add_argument("--child")
    given = parser.parse_args()
    if given.child is not None:
        child(given.child, given.seconds)
    try:
        is_as_good = soak(given.model, given.seconds)
    except pytest.skip.Exception as reason:  # which program is missing
        sys.exit(str(reason))
    sys.exit(0 if is_as_good else 1)
