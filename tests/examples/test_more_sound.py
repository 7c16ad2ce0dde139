"""What those examples do to sound: against physics, statistics, and the same thing computed another way."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor
from typer.testing import CliRunner

from neutone_like import SampleQueueWrapper
from support.places import EXAMPLES

if str(EXAMPLES) not in sys.path:
    sys.path.append(str(EXAMPLES))

amp_training, tcn_amp, train_tcn_amp, spectral_gate, stereo_widener, speech_denoiser, linear_phase_shelf = (
    importlib.import_module(name)
    for name in (
        "amp_training", "tcn_amp", "train_tcn_amp", "spectral_gate", "stereo_widener", "speech_denoiser",
        "linear_phase_shelf",
    )
)  # fmt: skip


def noise(channels: int, total: int, level: float = 0.2, seed: int = 7) -> Tensor:
    return level * torch.randn(channels, total, generator=torch.Generator().manual_seed(seed))


def level_db(x: Tensor) -> float:
    return 10 * float(torch.log10(x.square().mean()))


# TCN amp


def error_of_the_amp(dry: Tensor, wet: Tensor) -> float:
    """Played in blocks, as a host does."""
    model = tcn_amp.build_model()
    y = torch.cat([model.do_forward_pass(block, {}) for block in dry.split(480, dim=1)], dim=1)
    return float((wet - y).square().sum() / wet.square().sum())


def test_tcn_amp_has_the_error_that_it_states() -> None:
    stated = tcn_amp.load_training_report()["held_out_esr"]
    assert stated < 0.02
    pair = amp_training.held_out_pair()
    assert error_of_the_amp(pair.dry, pair.wet) == pytest.approx(stated, rel=0.05)
    assert f"{stated:.4f}" in tcn_amp.build_model().metadata.technical_description


def test_tcn_amp_is_as_good_on_another_riff_of_notes_it_never_heard() -> None:
    pair = amp_training.riff_pair(4.0, seed=77, held_out=True)
    assert error_of_the_amp(pair.dry, pair.wet) < 0.02
    assert error_of_the_amp(pair.dry, pair.dry) > 0.1  # Positive control: the rig does something.


@pytest.mark.parametrize("block", [1, 7, 64, 4096])
def test_tcn_amp_streams_what_its_convolutions_give_for_the_whole(block: int) -> None:
    model = tcn_amp.build_model()
    x = noise(1, 600 if block == 1 else 6000)
    expected = model.model.whole(x.unsqueeze(0)).squeeze(0)
    y = torch.cat([model.do_forward_pass(part, {}) for part in x.split(block, dim=1)], dim=1)
    torch.testing.assert_close(y, expected, atol=1e-6, rtol=0)


def test_tcn_amp_forgets_exactly_what_is_older_than_its_field() -> None:
    model = tcn_amp.build_model()
    field = model.model.receptive_field_samples
    assert field == 1 + 8 * (1 + 4 + 16 + 64 + 256)
    silence = torch.zeros(1, field + 100)
    click = silence.clone()
    click[0, 10] = 1.0
    heard = (model.model.whole(click.unsqueeze(0)) - model.model.whole(silence.unsqueeze(0)))[0, 0].nonzero()
    assert int(heard[0]) == 10
    assert int(heard[-1]) <= 10 + field - 1
    assert int(heard[-1]) > field // 2


def test_tcn_training_script_learns_and_writes_what_the_example_loads(tmp_path: Path) -> None:
    app = importlib.import_module("typer").Typer()
    app.command()(train_tcn_amp.main)
    weights = tmp_path / "quick.pt"
    arguments = ["--epochs", "2", "--seconds", "10", "--channels", "4", "--threads", "1", "--out", str(weights)]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    report = tcn_amp.load_training_report(weights)
    assert f"Held-out error-to-signal ratio {report['held_out_esr']:.4f}" in result.stdout
    untrained = tcn_amp.TcnNetwork(4)
    pair = amp_training.held_out_pair()
    before = amp_training.error_to_signal_ratio(train_tcn_amp.run(untrained, pair.dry), pair.wet)
    assert report["held_out_esr"] < 0.9 * float(before)
    assert tcn_amp.build_model(weights).past_shapes[:2] == [(1, 8), (4, 32)]


# Spectral gate


def gate(x: Tensor, threshold_db: float, reduction_db: float) -> Tensor:
    """Offline through the wrapper, aligned with the input."""
    params = torch.tensor([[(threshold_db + 100.0) / 100.0], [reduction_db / 60.0]]).expand(2, x.size(1))
    return SampleQueueWrapper(spectral_gate.build_model()).forward_offline(x, params)


def tone(hertz: float, amplitude: float, total: int = 12288, rate: int = 48000) -> Tensor:
    return amplitude * torch.sin(2 * torch.pi * hertz * torch.arange(total) / rate).expand(2, -1)


@pytest.mark.parametrize(("threshold_db", "reduction_db"), [(-100.0, 60.0), (0.0, 0.0)])
def test_an_open_gate_is_an_exact_delay(threshold_db: float, reduction_db: float) -> None:
    x = noise(2, 8192)
    torch.testing.assert_close(gate(x, threshold_db, reduction_db), x, atol=1e-5, rtol=0)
    model = spectral_gate.build_model()
    values = {"threshold": torch.tensor([threshold_db]), "reduction": torch.tensor([reduction_db])}
    padded = torch.nn.functional.pad(x, (model.look_behind_samples, 0))
    blocks = padded.unfold(1, model.look_behind_samples + 512, 512).unbind(1)
    raw = torch.cat([model.do_forward_pass(block, values) for block in blocks], dim=1)
    assert model.model_delay_samples() == 768
    assert float(raw[:, :768].abs().max()) < 1e-5
    torch.testing.assert_close(raw[:, 768:], x[:, :-768], atol=1e-5, rtol=0)


@pytest.mark.parametrize("reduction_db", [6.0, 24.0, 60.0])
def test_noise_below_the_threshold_is_turned_down_by_the_amount_that_is_set(reduction_db: float) -> None:
    x = noise(2, 12288, level=1e-4)
    y = gate(x, -40.0, reduction_db)
    torch.testing.assert_close(y, x * 10 ** (-reduction_db / 20), atol=1e-9, rtol=1e-4)


@pytest.mark.parametrize("hertz", [93.75, 1000.0, 7777.0])
def test_a_tone_opens_the_gate_at_the_threshold_and_is_down_below_the_knee(hertz: float) -> None:
    inside = slice(2048, -2048)
    loud = tone(hertz, 10 ** (-28.0 / 20))  # 2 dB above: a window between two lines sees 1.4 dB less
    torch.testing.assert_close(
        gate(loud, -30.0, 40.0)[:, inside], loud[:, inside], atol=0.02 * float(loud.max()), rtol=0
    )
    quiet = tone(hertz, 10 ** (-37.0 / 20))
    lost = level_db(quiet[:, inside]) - level_db(gate(quiet, -30.0, 40.0)[:, inside])
    assert lost == pytest.approx(40.0, abs=0.1)


def test_a_tone_passes_while_the_noise_beside_it_goes() -> None:
    x = tone(1000.0, 0.2, total=48000)
    hiss = noise(2, 48000, level=1e-3)
    left = gate(x + hiss, -40.0, 30.0) - x
    window = np.hanning(40960)
    spectrum = np.abs(np.fft.rfft(left[0, 4096:45056].double().numpy() * window)) ** 2
    before = np.abs(np.fft.rfft(hiss[0, 4096:45056].double().numpy() * window)) ** 2
    hertz = np.fft.rfftfreq(40960, 1 / 48000)
    near, far = np.abs(hertz - 1000.0) < 30.0, np.abs(hertz - 1000.0) > 500.0
    assert 10 * np.log10(np.median(spectrum[far] / before[far])) == pytest.approx(-30.0, abs=0.5)
    assert 10 * np.log10(spectrum[near].mean() / before[near].mean()) < 3.0


def test_the_gate_treats_both_channels_alike() -> None:
    x = tone(1000.0, 0.2)
    x = torch.stack((x[0], 1e-3 * x[0]))
    y = gate(x, -30.0, 40.0)
    torch.testing.assert_close(y[1, 2048:-2048], x[1, 2048:-2048], atol=4e-6, rtol=0)


# Stereo widener


def widened(x: Tensor, width: float, rate: int = 48000, block: int = 700) -> Tensor:
    """``[1, N]`` to ``[2, N]`` in blocks."""
    model = stereo_widener.build_model()
    model.prepare_model(rate, block)
    return torch.cat([model.do_forward_pass(b, {"width": torch.tensor([width])}) for b in x.split(block, dim=1)], dim=1)


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("width", [0.0, 35.0, 100.0])
def test_the_average_of_both_sides_is_the_input(width: float, rate: int) -> None:
    x = noise(1, 6000)
    y = widened(x, width, rate)
    torch.testing.assert_close(y.mean(0, keepdim=True), x, atol=1e-6, rtol=0)
    assert torch.equal(y[0], y[1]) == (width == 0.0)


def test_a_mono_host_gets_its_input_back() -> None:
    x = noise(1, 6000)
    wrapper = SampleQueueWrapper(stereo_widener.build_model())
    torch.testing.assert_close(wrapper.forward_offline(x), x, atol=1e-6, rtol=0)
    assert wrapper.forward_offline(x.repeat(2, 1)).shape == (2, 6000)


@pytest.mark.parametrize("width", [0.0, 50.0, 100.0])
def test_the_sides_are_as_unlike_as_the_width_says(width: float) -> None:
    """Middle ``x`` and side ``w * h(x)`` are uncorrelated, of power 1 and w^2: their correlation follows."""
    y = widened(noise(1, 200_000), width)
    correlation = float(torch.corrcoef(y)[0, 1])
    w = width / 100.0
    assert correlation == pytest.approx((1 - w**2) / (1 + w**2), abs=0.02)
    assert level_db(y[0]) == pytest.approx(level_db(y[1]), abs=0.1)


@pytest.mark.parametrize("rate", [44100, 96000])
def test_the_side_signal_is_velvet_noise(rate: int) -> None:
    impulse = torch.zeros(1, rate // 10)
    impulse[0, 0] = 1.0
    y = widened(impulse, 100.0, rate, block=64)
    side = 0.5 * (y[0] - y[1])
    places = side.nonzero().flatten()
    assert places.numel() == stereo_widener.IMPULSES
    assert (places - 1).div(rate / 1000, rounding_mode="floor").tolist() == pytest.approx(
        list(range(stereo_widener.IMPULSES)), abs=1
    )
    assert float(side.square().sum()) == pytest.approx(1.0, abs=1e-5)
    power = torch.fft.rfft(side.double()).abs().square()
    thirds = [float(part.mean()) for part in power[20:].tensor_split(12)]
    assert max(thirds) / min(thirds) < 10 ** (3 / 10)


# Speech denoiser


def in_noise(clean: Tensor, snr: float, seed: int = 1, *, colour: float = 0.0) -> Tensor:
    """With noise at a signal-to-noise ratio in dB; ``colour`` is the pole of a low-pass filter on the noise."""
    hiss = noise(1, clean.size(1), seed=seed).double().numpy()
    hiss = torch.from_numpy(scipy.signal.lfilter([1.0], [1.0, -colour], hiss)).float()
    return clean + hiss * (clean.square().mean() / hiss.square().mean()).sqrt() * 10 ** (-snr / 20)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("snr", "colour"), [(0.0, 0.0), (5.0, 0.0), (0.0, 0.7)])
def test_speech_in_noise_comes_out_six_decibels_better(seed: int, snr: float, colour: float) -> None:
    clean = speech_denoiser.speech_like(6.0, seed=seed)
    noisy = in_noise(clean, snr, seed + 10, colour=colour)
    assert speech_denoiser.snr_db(noisy, clean) == pytest.approx(snr, abs=0.01)
    y = SampleQueueWrapper(speech_denoiser.build_model()).forward_offline(noisy)
    assert speech_denoiser.snr_db(y, clean) >= snr + 6.0


@pytest.mark.parametrize("host_rate", [44100, 48000])
def test_the_same_at_a_host_of_another_rate(host_rate: int) -> None:
    clean = speech_denoiser.speech_like(6.0)
    noisy = in_noise(clean, 0.0)

    def at_the_host(x: Tensor) -> Tensor:
        divisor = np.gcd(host_rate, 16000)
        y = scipy.signal.resample_poly(x[0].double().numpy(), host_rate // divisor, 16000 // divisor)
        return torch.from_numpy(y).float().unsqueeze(0)

    wrapper = SampleQueueWrapper(speech_denoiser.build_model())
    wrapper.set_daw_sample_rate_and_buffer_size(host_rate, 512)
    assert wrapper.is_resampling()
    assert wrapper.current_model_sample_rate() == 16000
    y = wrapper.forward_offline(at_the_host(noisy))
    before = speech_denoiser.snr_db(at_the_host(noisy), at_the_host(clean))
    assert speech_denoiser.snr_db(y, at_the_host(clean)) >= before + 6.0


def test_without_reduction_the_denoiser_is_its_delay() -> None:
    x = noise(1, 8000)
    y = SampleQueueWrapper(speech_denoiser.build_model()).forward_offline(x, torch.zeros(1, 8000))
    torch.testing.assert_close(y, x, atol=1e-6, rtol=0)


def test_steady_noise_alone_goes_down_by_the_reduction_and_no_further() -> None:
    x = noise(1, 64000)
    for reduction in (10.0, 24.0):
        params = torch.full((1, 64000), reduction / 40.0)
        y = SampleQueueWrapper(speech_denoiser.build_model()).forward_offline(x, params)
        lost = level_db(x[:, 16000:]) - level_db(y[:, 16000:])
        assert 0.6 * reduction < lost <= reduction + 0.1


def test_noise_that_grows_by_twenty_decibels_is_followed_within_three_seconds() -> None:
    x = torch.cat((noise(1, 48000, level=0.01), noise(1, 96000, level=0.1)), dim=1)
    y = SampleQueueWrapper(speech_denoiser.build_model()).forward_offline(x)
    assert level_db(x[:, 96000:]) - level_db(y[:, 96000:]) > 10.0


def test_the_test_signal_is_like_speech() -> None:
    x = speech_denoiser.speech_like(10.0)[0]
    frames = x.unfold(0, 320, 320).square().mean(1)
    silent = float((frames < 1e-4 * frames.max()).float().mean())
    assert 0.1 < silent < 0.5  # pauses
    spectrum = torch.fft.rfft(x.double()).abs().square()
    assert float(spectrum[10 * 4200 :].sum() / spectrum.sum()) < 0.01
    assert float(x.square().mean().sqrt()) == pytest.approx(0.1, abs=0.001)


# Linear-phase shelf


@pytest.mark.parametrize("bass_db", [-24.0, 6.0])
def test_the_shelf_is_an_impulse_and_a_low_pass_of_linear_phase(bass_db: float) -> None:
    model, x = linear_phase_shelf.build_model(), noise(2, 4000)
    late = model.model_delay_samples()
    assert late == 255
    blocks = [model.do_forward_pass(block, {"bass": torch.full((block.size(1),), bass_db)}) for block in x.split(97, 1)]
    y = torch.cat(blocks, 1)
    taps = np.asarray(scipy.signal.firwin(513, 400.0, window="hann", fs=48000), np.float64)[
        1:-1
    ]  # scipy's window begins and ends with 0
    low = np.stack([np.convolve(channel, taps)[:4000] for channel in x.double().numpy()])
    straight = np.pad(x.double().numpy(), ((0, 0), (late, 0)))[:, :4000]
    expected = straight + (10 ** (bass_db / 20) - 1.0) * low
    assert not y[:, :late].any(), "before the sound there is none"
    np.testing.assert_allclose(y.numpy()[:, late:], expected[:, late:], atol=1e-6)
