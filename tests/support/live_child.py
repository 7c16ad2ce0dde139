"""A model on the sound card for tests, inside the real-time-safety checker's process: 64-sample callbacks, one after
the other, while a parameter moves, levels are asked for and both recordings run.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from neutone_like.realtime_safety.artifact_child import Checker
from neutone_like.runtime import PythonBackend
from neutone_like.runtime.live import LiveStream, stream
from support.fake_portaudio import fake_portaudio, step


def run(settings: dict[str, Any]) -> None:
    """Play, and have the report written."""
    checker = Checker()
    if checker.self_test(settings["controls"].encode()) != 0:
        raise RuntimeError("the controls can't be run")
    setattr(stream, "_SILENCE_LIMIT_SECONDS", 3600.0)  # noqa: B010
    in_python = PythonBackend(lambda x, parameters: np.tanh(x))
    model = Path(settings["model"]) if settings["model"] else in_python
    files = [Path(settings["folder"], f"{each}.wav") for each in ("input", "output")]
    with LiveStream(
        model, mode=settings["mode"], portaudio=fake_portaudio(), record_input=files[0], record_output=files[1]
    ) as live:
        checker.start(settings["report_file"], settings["warm_up_callbacks"], 10.0)
        for index in range(settings["callbacks"]):
            for parameter in live.session.parameters:
                live.session.native.set_parameter_0to1(0, index % 7 / 6)
                assert parameter.name
            step(64, 0x04 if index % 50 == 0 else 0)
            if index % 20 == 0:
                live.status()
        checker.finish()
        live.close()


if __name__ == "__main__":
    run(json.loads(sys.argv[1]))
