"""What every example does to sound, against physics, scipy and loops written the slow way."""

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor
from typer.testing import CliRunner

from support.places import EXAMPLES

if str(EXAMPLES) not in sys.path:
    sys.path.append(str(EXAMPLES))

overdrive, echo, tone_control, lstm_amp, amp_training, train_lstm_amp = (
    importlib.import_module(name)
    for name in ("overdrive", "echo", "tone_control", "lstm_amp", "amp_training", "train_lstm_amp")
)


def prepared(module: Any, sample_rate: int, block_size: int = 512) -> Any:
    model = module.build_model()
    model.prepare_model(sample_rate, block_size)
    model.reset_model()
    return model


def noise(channels: int, total: int, level: float = 0.3) -> Tensor:
    return level * torch.randn(channels, total, generator=torch.Generator().manual_seed(7))


# Overdrive


@pytest.mark.parametrize("drive_db", [0.0, 12.0, 36.0])
def test_overdrive_amplifies_small_signals_by_its_drive(drive_db: float) -> None:
    x = noise(2, 4800, level=1e-5)
    y = overdrive.build_model()(x, {"drive": torch.tensor([drive_db])})
    gain_db = 20.0 * torch.log10(y.square().mean().sqrt() / x.square().mean().sqrt())
    assert float(gain_db) == pytest.approx(drive_db, abs=0.001)


def test_overdrive_clips_and_adds_odd_harmonics_only() -> None:
    x = 0.5 * torch.sin(2 * torch.pi * 480 * torch.arange(48000) / 48000).expand(2, -1)
    y = overdrive.build_model()(x, {"drive": torch.tensor([24.0])})[0]
    assert float(y.abs().max()) <= 1.0
    harmonics = torch.fft.rfft(y.double()).abs()[480 : 480 * 8 : 480]
    assert bool((harmonics[2::2] > 0.05 * harmonics[0]).all())
    assert bool((harmonics[1::2] < 1e-6 * harmonics[0]).all())


# Echo


def echo_parameters(total: int, time_ms: float, feedback: float, mix: float) -> dict[str, Tensor]:
    return {
        "time": torch.full((total,), time_ms),
        "feedback": torch.full((total,), feedback),
        "mix": torch.full((total,), mix),
    }


@pytest.mark.parametrize("sample_rate", [22050, 44100, 48000, 96000])
@pytest.mark.parametrize("block", [64, 100_000])
def test_echo_of_an_impulse_repeats_in_time_and_fades_by_feedback(sample_rate: int, block: int) -> None:
    model = prepared(echo, sample_rate)
    total = sample_rate
    x = torch.zeros(2, total)
    x[0, 0], x[1, 5] = 1.0, -0.5
    blocks = x.split(block, dim=1)
    y = torch.cat([model.do_forward_pass(b, echo_parameters(b.size(1), 200.0, 0.5, 0.25)) for b in blocks], dim=1)
    expected = torch.zeros(2, total)
    for repeat in range(5):
        level = 0.75 if repeat == 0 else 0.25 * 0.5 ** (repeat - 1)
        expected[0, repeat * sample_rate // 5] = level
        expected[1, repeat * sample_rate // 5 + 5] = -0.5 * level
    torch.testing.assert_close(y, expected, atol=1e-6, rtol=0)


def test_echo_between_two_samples_has_its_centre_at_the_stated_time() -> None:
    model = prepared(echo, 44100)
    x = torch.zeros(2, 2000)
    x[:, 0] = 1.0
    y = model.do_forward_pass(x, echo_parameters(2000, 20.01, 0.0, 1.0))[0].double()
    centre = float((y * torch.arange(2000)).sum() / y.sum())
    assert centre == pytest.approx(20.01e-3 * 44100, abs=1e-3)
    assert int((y != 0).sum()) == 2


def echo_by_the_sample(x: np.ndarray, params: dict[str, Tensor], sample_rate: int) -> np.ndarray:
    """The recursion of the example's docstring, one sample at a time."""
    line, y = np.zeros_like(x), np.zeros_like(x)
    time, feedback, mix = (params[key].double().numpy() for key in ("time", "feedback", "mix"))
    for n in range(x.shape[1]):
        delay = time[n] * sample_rate / 1000
        whole, fraction = int(delay), delay - int(delay)
        newer = line[:, n - whole] if n >= whole else 0.0
        older = line[:, n - whole - 1] if n >= whole + 1 else 0.0
        repeat = (1 - fraction) * newer + fraction * older
        line[:, n] = x[:, n] + feedback[n] * repeat
        y[:, n] = (1 - mix[n]) * x[:, n] + mix[n] * repeat
    return y


def test_echo_with_moving_knobs_is_the_recursion() -> None:
    total, rate = 9000, 16000
    t = torch.arange(total) / rate
    params = {
        "time": 10.0 + 120.0 * (0.5 - 0.5 * torch.cos(2 * torch.pi * 3.0 * t)),
        "feedback": 0.95 * (0.5 + 0.5 * torch.sin(2 * torch.pi * 2.0 * t)),
        "mix": 0.5 + 0.5 * torch.sin(2 * torch.pi * 5.0 * t),
    }
    x = noise(2, total)
    expected = torch.from_numpy(echo_by_the_sample(x.double().numpy(), params, rate))
    y = prepared(echo, rate).do_forward_pass(x, params)
    torch.testing.assert_close(y.double(), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("sample_rate", [8000, 192000])
def test_echo_reaches_its_longest_time(sample_rate: int) -> None:
    model = prepared(echo, sample_rate, block_size=100)
    x = torch.zeros(2, sample_rate + 10)
    x[:, 3] = 1.0
    blocks = [model.do_forward_pass(b, echo_parameters(b.size(1), 1000.0, 0.9, 1.0)) for b in x.split(3000, dim=1)]
    assert torch.cat(blocks, dim=1)[0].nonzero().flatten().tolist() == [sample_rate + 3]


# Tone control


def high_shelf(tone_db: float, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """The same tilt from the audio EQ cookbook's high shelf (direct form), scaled so that the pivot stays at 0 dB."""
    a = 10 ** (2 * tone_db / 40)
    w = 2 * np.pi * tone_control.PIVOT_HZ / sample_rate
    alpha = np.sin(w) / 2 * np.sqrt(2)
    c, s = np.cos(w), 2 * np.sqrt(a) * alpha
    numerator = a * np.array([(a + 1) + (a - 1) * c + s, -2 * ((a - 1) + (a + 1) * c), (a + 1) + (a - 1) * c - s])
    denominator = np.array([(a + 1) - (a - 1) * c + s, 2 * ((a - 1) - (a + 1) * c), (a + 1) - (a - 1) * c - s])
    return numerator / a, denominator


@pytest.mark.parametrize("sample_rate", [44100, 96000])
@pytest.mark.parametrize("tone_db", [-12.0, -3.5, 0.0, 12.0])
def test_tone_control_that_stands_still_is_scipys_biquad(sample_rate: int, tone_db: float) -> None:
    x = noise(2, 3000)
    model = prepared(tone_control, sample_rate)
    blocks = [model.do_forward_pass(b, {"tone": torch.full((b.size(1),), tone_db)}) for b in x.split(777, dim=1)]
    expected = scipy.signal.lfilter(*high_shelf(tone_db, sample_rate), x.double().numpy(), axis=1)
    torch.testing.assert_close(torch.cat(blocks, dim=1).double(), torch.from_numpy(expected), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("tone_db", [-9.0, 6.0])
def test_tone_control_tilts_about_its_pivot(tone_db: float) -> None:
    impulse = torch.zeros(2, 48000)
    impulse[:, 0] = 1.0
    y = prepared(tone_control, 48000).do_forward_pass(impulse, {"tone": torch.full((48000,), tone_db)})
    level_db = 20 * torch.log10(torch.fft.rfft(y[0].double()).abs())  # one bin a hertz
    assert float(level_db[0]) == pytest.approx(-tone_db, abs=0.01)
    assert float(level_db[int(tone_control.PIVOT_HZ)]) == pytest.approx(0.0, abs=0.01)
    assert float(level_db[-1]) == pytest.approx(tone_db, abs=0.01)
    assert bool((level_db.diff() * np.sign(tone_db) >= -1e-6).all()), "a tilt has no bump"


def state_variable_filter_by_the_sample(x: np.ndarray, tone_db: np.ndarray, sample_rate: int) -> np.ndarray:
    """Two trapezoidal integrators solved by hand at each sample, giving ``high``, ``band``, ``low``."""
    first, second = np.zeros(x.shape[0]), np.zeros(x.shape[0])
    y, k = np.zeros_like(x), np.sqrt(2)
    for n in range(x.shape[1]):
        amount = 10 ** (tone_db[n] / 20)
        g = np.tan(np.pi * tone_control.PIVOT_HZ / sample_rate) * np.sqrt(amount)
        high = (x[:, n] - (g + k) * first - second) / (1 + g * (g + k))
        band = g * high + first
        low = g * band + second
        first, second = g * high + band, g * band + low
        y[:, n] = amount * high + k * band + low / amount
    return y


@pytest.mark.parametrize("knob", ["audio rate", "jumps"])
def test_tone_control_that_moves_is_the_loop_over_samples(knob: str) -> None:
    total, rate = 4000, 48000
    t = torch.arange(total) / rate
    tone = 12.0 * torch.sin(2 * torch.pi * 1500.0 * t)
    if knob == "jumps":
        tone = 12.0 * tone.sign()
    x = noise(2, total)
    expected = state_variable_filter_by_the_sample(x.double().numpy(), tone.double().numpy(), rate)
    y = prepared(tone_control, rate).do_forward_pass(x, {"tone": tone})
    torch.testing.assert_close(y.double(), torch.from_numpy(expected), atol=2e-6, rtol=2e-6)


def test_tone_control_stays_stable_for_twenty_seconds_of_abuse() -> None:
    model = prepared(tone_control, 48000)
    generator = torch.Generator().manual_seed(3)
    y = torch.zeros(2, 1)
    for _ in range(20):
        tone = 12.0 * (2.0 * torch.rand(48000, generator=generator) - 1.0)
        y = model.do_forward_pass(torch.randn(2, 48000, generator=generator).clamp(-1.0, 1.0), {"tone": tone})
    assert float(y.abs().max()) < 16.0
    for _ in range(3):
        y = model.do_forward_pass(torch.zeros(2, 48000), {"tone": torch.zeros(48000)})
    assert float(y.abs().max()) == 0.0
    assert float(model.state.abs().max()) == 0.0, "the state must end in zeros, not in denormal numbers"


# LSTM amp


def error_of_the_amp(dry: Tensor, wet: Tensor) -> float:
    """Played in blocks, as a host does."""
    model = prepared(lstm_amp, 48000)
    y = torch.cat([model.do_forward_pass(block, {}) for block in dry.split(480, dim=1)], dim=1)
    return float((wet - y).square().sum() / wet.square().sum())


def test_lstm_amp_has_the_error_that_it_states() -> None:
    stated = lstm_amp.load_training_report()["held_out_esr"]
    assert stated < 0.02
    pair = amp_training.held_out_pair()
    assert error_of_the_amp(pair.dry, pair.wet) == pytest.approx(stated, rel=0.05)
    assert f"{stated:.4f}" in lstm_amp.build_model().metadata.technical_description


def test_lstm_amp_is_as_good_on_another_riff_of_notes_it_never_heard() -> None:
    pair = amp_training.riff_pair(4.0, seed=77, held_out=True)
    assert error_of_the_amp(pair.dry, pair.wet) < 0.02
    # Positive control: the rig does something, and a wrong target is noticed.
    assert error_of_the_amp(pair.dry, pair.dry) > 0.1


def test_held_out_notes_are_in_no_other_set(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: dict[bool, set[int]] = {False: set(), True: set()}

    def listen(strums: Any, sample_rate: int, seconds: float) -> Tensor:
        heard[now_held_out].update(note for strum in strums for note in strum.notes)
        return torch.zeros(1, round(seconds * sample_rate))

    monkeypatch.setattr(amp_training, "play_strums", listen)
    for now_held_out in (False, True):
        amp_training.random_riff(torch.Generator().manual_seed(1), 200.0, held_out=now_held_out)
    assert heard[True]
    assert {note % 12 for note in heard[True]} == {1, 6, 8}
    assert {note % 12 for note in heard[False]} == set(range(12)) - {1, 6, 8}


def test_training_script_learns_and_writes_what_the_example_loads(tmp_path: Path) -> None:
    app = importlib.import_module("typer").Typer()
    app.command()(train_lstm_amp.main)
    weights = tmp_path / "quick.pt"
    arguments = ["--epochs", "2", "--seconds", "10", "--hidden-size", "8", "--threads", "1", "--out", str(weights)]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    report = lstm_amp.load_training_report(weights)
    assert f"Held-out error-to-signal ratio {report['held_out_esr']:.4f}" in result.stdout
    untrained = train_lstm_amp.LstmNetwork(8)
    pair = amp_training.held_out_pair()
    before = amp_training.error_to_signal_ratio(train_lstm_amp.run(untrained, pair.dry), pair.wet)
    assert report["held_out_esr"] < 0.8 * float(before)
    model = lstm_amp.build_model(weights)
    assert model.hidden.shape == (1, 1, 8)
