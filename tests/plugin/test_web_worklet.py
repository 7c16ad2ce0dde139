"""The page's worklet in Node: before and after in step, and switched without a click."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from support.places import EXPORTED, PROJECT
from support.web_page import NODE, PAGE, Audio, needs_node

HOST = PROJECT / "tests" / "support" / "play_worklet.mjs"
MODEL = EXPORTED / "speech_denoiser" / "model.nlc"
RATE, QUANTUM = 48000, 128
FADE_SAMPLES = 480  # 10 ms
NEVER = 10**6

pytestmark = needs_node


def plays(
    sound: Audio, after_at: int, quanta: str = str(QUANTUM), model: Path = MODEL, settings: tuple[str, ...] = ()
) -> tuple[Audio, Any]:
    """What is heard, and what the page is told."""
    words = [str(NODE), str(HOST), str(PAGE), str(model), str(RATE), quanta, str(after_at), *settings]
    done = subprocess.run(words, input=sound.tobytes(), capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return np.frombuffer(done.stdout, np.float32), json.loads(done.stderr)


def noise(blocks: int = 180) -> Audio:
    return np.random.default_rng(2).uniform(-0.5, 0.5, blocks * QUANTUM).astype(np.float32)


def latency_told(told: Any) -> int:
    return int(next(each["latency"] for each in told if "latency" in each))


def test_before_waits_for_after() -> None:
    sound = noise()
    heard, told = plays(sound, NEVER)
    latency = latency_told(told)
    assert latency > 1000
    np.testing.assert_array_equal(heard, np.concatenate([np.zeros(latency, np.float32), sound[:-latency]]))


def test_the_switch_fades_and_is_over_after_ten_milliseconds() -> None:
    sound = noise()
    before, after = plays(sound, NEVER)[0], plays(sound, 0)[0]
    switch = 100
    heard = plays(sound, switch)[0]
    first = switch * QUANTUM
    np.testing.assert_array_equal(heard[:first], before[:first])
    np.testing.assert_allclose(heard[first + FADE_SAMPLES :], after[first + FADE_SAMPLES :], atol=1e-7)
    share = np.arange(FADE_SAMPLES) / FADE_SAMPLES
    fading = slice(first, first + FADE_SAMPLES)
    np.testing.assert_allclose(heard[fading], (1 - share) * before[fading] + share * after[fading], atol=1e-6)
    assert float(np.max(np.abs(before[first:] - after[first:]))) > 0.1  # or there was nothing to hear of it


def test_a_knob_reaches_the_model() -> None:
    """``tanh(gain x)`` with its drive at 30 dB, and at its default of 12 dB before that."""
    sound, switch = 0.1 * noise(), 60
    model = EXPORTED / "overdrive" / "model.nlc"
    heard, _ = plays(sound, 0, model=model, settings=("0=30",))
    loud, soft = (np.tanh(sound * 10.0 ** (drive / 20.0)) for drive in (30.0, 12.0))
    np.testing.assert_allclose(heard[FADE_SAMPLES:], loud[FADE_SAMPLES:], atol=1e-5)
    turned, _ = plays(sound, switch, model=model, settings=("0=30",))
    settled = switch * QUANTUM + RATE // 10
    np.testing.assert_allclose(turned[settled:], loud[settled:], atol=1e-5)
    assert float(np.max(np.abs(soft - loud))) > 0.1


def test_another_quantum_than_promised_is_played() -> None:
    """At the cost of the model's past, and with the latency that is told anew."""
    sound = np.concatenate([noise(), noise(1)[:64]])
    heard, told = plays(sound, NEVER, "64,128")
    assert [each["quantum"] for each in told if "quantum" in each] == [64, 128]
    latency = latency_told(reversed(told))
    np.testing.assert_array_equal(heard[64 + latency :], sound[64:-latency])


def test_nothing_but_finite_samples_comes_out() -> None:
    sound = noise()
    sound[3000:3100] = np.nan
    sound[4000] = np.inf
    for after_at in (0, 40, NEVER):
        assert np.all(np.isfinite(plays(sound, after_at)[0]))


def test_a_damaged_model_is_said_and_the_input_passes(tmp_path: Path) -> None:
    (tmp_path / "model.nlc").write_bytes(MODEL.read_bytes()[:9000])
    sound = noise()
    heard, told = plays(sound, 0, model=tmp_path / "model.nlc")
    assert next(each["problem"] for each in told if "problem" in each).startswith("The model is no compiled model")
    np.testing.assert_array_equal(heard, sound)
