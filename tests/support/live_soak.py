"""``make live``: a model on JACK's dummy driver in a process with a Python thread that never rests, and a callback that
does nothing in such a process: by turns, so that what else the machine does meets both, and neither meets the other.

Ends with 1 where the model's device lost sound more often than that of the callback which does nothing, and not by
chance: were both alike, each turn's counts might as well be exchanged, and hardly any exchange would give as much.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from itertools import product
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
from support.programs import ends_with_us
from support.sound_servers import jack

RATE = 48000
TURNS = 8  # of each
SMALLEST_CHANCE = 0.01
_COUNTS = ("callbacks", "largest_block", "overloads")


def nothing(seconds: float) -> dict[str, Any]:
    """A stream that no model was ever attached to: its callback writes silence."""
    found = choose_device(devices(), None, inputs=True)
    plan = stream_plan(find_portaudio(), found.index, found.index, Channels((0, 1), (0, 1), 2, 2), RATE)
    stream = native_module().LiveStream(plan)
    stream.start()
    time.sleep(1.0)
    before = stream.device_xruns
    time.sleep(seconds)
    counts = {name: getattr(stream, name) for name in _COUNTS}
    counts["xruns"] = stream.device_xruns - before
    stream.close()
    return counts


def model(path: Path, seconds: float) -> dict[str, Any]:
    with LiveStream(path, mode="inline") as live:
        live.wait(1.0)
        before = live.status().device_xruns
        live.wait(seconds)
        xruns = live.status().device_xruns - before
        report = live.close()
    told = report.to_dict()
    return {"largest_block": told["block_size"], **told, "xruns": xruns}


def rest_never() -> None:
    while True:
        sum(range(1000))


def child(path: str, seconds: float) -> None:
    threading.Thread(target=rest_never, daemon=True).start()
    print(json.dumps(model(Path(path), seconds) if path else nothing(seconds)), flush=True)
    os._exit(0)  # the busy thread is in the way of an ordinary end


def chance_of_as_many(more: Sequence[int]) -> float:
    """How likely the model has as many xruns more, or more than that, where both are alike.

    Xruns come in bursts, so nothing is assumed of them but this: in each turn either might have had the other's.

    Args:
        more: Of each turn, the model's less those of the callback that does nothing.
    """
    exchanged = [sum(sign * each for sign, each in zip(signs, more, strict=True)) for signs in _signs(len(more))]
    return sum(each >= sum(more) for each in exchanged) / len(exchanged)


def _signs(count: int) -> list[tuple[int, ...]]:
    return list(product((1, -1), repeat=count))


def turn(name: str, of: str, seconds: float) -> dict[str, Any]:
    """One of them on a server of its own."""
    with jack(name) as (_, environment):
        words = [sys.executable, __file__, "--child", of, "--seconds", str(seconds)]
        environment = {**os.environ, **environment, "PYTHONPATH": f"{PROJECT}:{PROJECT / 'tests'}"}
        done = subprocess.run(
            ends_with_us(words), env=environment, stdout=subprocess.PIPE, text=True, timeout=seconds + 120, check=True
        )
    return json.loads(done.stdout)


def soak(path: Path, seconds: float) -> bool:
    """Whether the model lost no more than nothing does."""
    both = {"no-op": "", path.name: str(path)}
    told: dict[str, list[dict[str, Any]]] = {name: [] for name in both}
    for number in range(TURNS):
        for name in sorted(both, reverse=number % 2 == 1):  # who is first takes turns, too
            told[name].append(turn(name, both[name], seconds / TURNS))
            print(f"turn {number + 1} of {TURNS}, {name}: {told[name][-1]['xruns']} xruns", flush=True)
    for name, turns in told.items():
        xruns = [each["xruns"] for each in turns]
        over = sum(each["overloads"] for each in turns)
        callbacks = sum(each["callbacks"] for each in turns)
        block = max(each["largest_block"] for each in turns)
        print(
            f"{name}: {sum(xruns)} xruns in {seconds:.0f} s, {60.0 * sum(xruns) / seconds:.1f} a minute "
            f"(by turns {xruns}); {callbacks} callbacks of {block} samples, {over} over their time"
        )
    played = told[path.name]
    underruns = sum(each["underruns"] for each in played)
    p99, longest = (max(each["callback_time"][name] for each in played) for name in ("p99_us", "max_us"))
    print(f"{path.name}: load {max(each['load'] for each in played):.3f}, p99 {p99:.0f} us, longest {longest:.0f} us")
    nothings = told["no-op"]
    chance = chance_of_as_many([mine["xruns"] - its["xruns"] for mine, its in zip(played, nothings, strict=True)])
    print(f"{path.name}: {underruns} underruns; chance of as many xruns more, were both alike: {chance:.3f}")
    return chance >= SMALLEST_CHANCE and underruns == 0


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
