"""What resampling does to sound: signal-to-noise, flatness, aliases, images, pitch; beside libsoxr's best."""

import pytest
import torch

from neutone_like import SampleQueueWrapper
from neutone_like.validate.measure import (
    cents,
    delay_samples,
    strongest_component_db,
    tone_frequency,
    tone_gain_db,
    tone_snr_db,
)
from support.host_models import DelayModel, Recorder, inside, noise, play_regularly, scripted, tone, whole_blocks

FREQUENCIES = (100.0, 440.0, 1000.0, 5000.0, 10000.0, 15000.0, 18000.0)
RATES = (16000, 22050, 44100, 48000, 88200, 96000)


def round_trip(frequency: float, host_rate: int, model_rate: int, quality: str = "high") -> torch.Tensor:
    wrapper = SampleQueueWrapper(DelayModel(37, sample_rates=(model_rate,), block_sizes=(512,)), quality)
    wrapper.set_daw_sample_rate_and_buffer_size(host_rate, 512)
    settled = wrapper.latency_samples() + 2000
    y = play_regularly(wrapper, tone(frequency, host_rate, whole_blocks(settled + 8192, 512)), 512)
    return y[0, settled : settled + 8192]


@pytest.mark.parametrize("rates", [(48000, 44100), (44100, 48000)])
@pytest.mark.parametrize(("quality", "least"), [("high", 110.0), ("fast", 95.0)])
def test_round_trip_is_clean_and_flat(rates: tuple[int, int], quality: str, least: float) -> None:
    for frequency in FREQUENCIES:
        y = round_trip(frequency, *rates, quality)
        assert tone_snr_db(y, rates[0], frequency) >= least, frequency
        assert abs(tone_gain_db(y, rates[0], frequency, 0.5)) <= 0.1, frequency


@pytest.mark.parametrize("rates", [(48000, 44100), (44100, 48000)])
def test_20_khz_is_within_half_a_decibel(rates: tuple[int, int]) -> None:
    y = round_trip(20000.0, *rates)
    assert abs(tone_gain_db(y, rates[0], 20000.0, 0.5)) <= 0.5


@pytest.mark.parametrize(
    ("frequency", "host_rate", "model_rate"),
    [(23000.0, 48000, 44100), (30000.0, 96000, 48000), (30000.0, 96000, 44100)],
)
def test_what_the_model_cannot_hold_does_not_alias(frequency: float, host_rate: int, model_rate: int) -> None:
    model = Recorder(sample_rates=(model_rate,))
    wrapper = SampleQueueWrapper(model)
    wrapper.set_daw_sample_rate_and_buffer_size(host_rate, 512)
    play_regularly(wrapper, tone(frequency, host_rate, 20480, amplitude=1.0), 512)
    heard = torch.cat(model.heard, 1)[0, 2000:]
    assert strongest_component_db(heard, model_rate, 20.0, model_rate / 2) < -100.0
    # Positive control: what is below the model's Nyquist frequency is there.
    model.heard.clear()
    play_regularly(wrapper, tone(10000.0, host_rate, 20480, amplitude=1.0), 512)
    assert strongest_component_db(torch.cat(model.heard, 1)[0, 2000:], model_rate, 20.0, model_rate / 2) > -1.0


@pytest.mark.parametrize(("host_rate", "model_rate"), [(48000, 44100), (96000, 48000), (96000, 44100), (48000, 16000)])
def test_images_on_the_way_up_are_inaudible(host_rate: int, model_rate: int) -> None:
    """The model's own tone, near the top of its band, has no mirror image above its Nyquist frequency."""
    frequency = round(0.45 * model_rate)
    y = round_trip(float(frequency), host_rate, model_rate)
    assert strongest_component_db(y, host_rate, model_rate / 2 + 100.0, host_rate / 2) < -100.0
    assert strongest_component_db(y, host_rate, 20.0, model_rate / 2) > -12.0


@pytest.mark.parametrize("host_rate", RATES)
@pytest.mark.parametrize("model_rate", RATES)
def test_a_tone_has_its_pitch_inside_the_model(host_rate: int, model_rate: int) -> None:
    wrapper = scripted(Recorder(sample_rates=(model_rate,)))
    for block in (1, 7, 32, 64, 100, 256, 441, 512, 2048, 4096):
        wrapper.set_daw_sample_rate_and_buffer_size(host_rate, block)
        play_regularly(wrapper, tone(1000.0, host_rate, whole_blocks(4096, block)), block)
        heard = torch.cat(list(inside(wrapper).heard), 1)[0]
        settled = heard[round(heard.size(0) * 0.15) :]
        assert abs(cents(tone_frequency(settled, model_rate), 1000.0)) <= 0.01, block


@pytest.mark.parametrize(("host", "model", "block"), [(48000, 44100, 4096), (48000, 96000, 4096), (96000, 44100, 2048)])
def test_soxr_is_aligned_for_long_model_blocks(host: int, model: int, block: int) -> None:
    pytest.importorskip("soxr")
    wrapper = SampleQueueWrapper(DelayModel(0, sample_rates=(model,), block_sizes=(block,)), "soxr")
    wrapper.set_daw_sample_rate_and_buffer_size(host, 64)
    x = torch.zeros(2, 12000)
    x[:, 5000] = 1.0
    assert int(wrapper.forward_offline(x)[0].abs().argmax()) == 5000


def test_soxr_is_the_same_signal_only_later() -> None:
    pytest.importorskip("soxr")
    for block_sizes in ((), (512,)):
        model = DelayModel(37, sample_rates=(44100,), block_sizes=block_sizes)
        x = torch.zeros(2, 24000)
        x[:, 4000:20000] = noise(16000)
        # Below both filters' edges they must agree.
        spectrum = torch.fft.rfft(x)
        spectrum[:, int(18000 / 24000 * spectrum.size(1)) :] = 0.0
        x = torch.fft.irfft(spectrum, n=24000)
        ours = SampleQueueWrapper(model, "high")
        oracle = SampleQueueWrapper(model, "soxr")
        assert oracle.latency_samples() >= 0
        ours.set_daw_sample_rate_and_buffer_size(48000, 512)
        oracle.set_daw_sample_rate_and_buffer_size(48000, 512)
        assert oracle.latency_samples() > ours.latency_samples()
        expected = oracle.forward_offline(x)
        y = ours.forward_offline(x)
        assert abs(delay_samples(expected[0], y[0])) < 0.01
        middle = slice(4000, 20000)
        torch.testing.assert_close(y[:, middle], expected[:, middle], atol=2e-4, rtol=0)
        torch.testing.assert_close(y[:, middle], x[:, middle], atol=5e-6, rtol=0)
