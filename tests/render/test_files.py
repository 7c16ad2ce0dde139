"""Files through models: exact length, exact alignment, every format, every channel count."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pedalboard
import pytest
import soundfile
import torch
from scipy import signal
from torch import nn

from neutone_like import AudioError
from neutone_like.host import SampleQueueWrapper
from neutone_like.render import Board, ModelPlugin, RenderResult, render_file
from support.render_models import Downmix, Echo, PureDelay, Spread, Square, Volume

Audio = npt.NDArray[np.float32]


def noise(channels: int, samples: int, rate: int = 48000) -> Audio:
    """Band-limited to 5 kHz, so that resampling keeps it as it is."""
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal((channels, samples)))
    spectrum[:, np.fft.rfftfreq(samples, 1 / rate) > 5000] = 0.0
    fade = np.minimum(1.0, np.minimum(np.arange(samples), np.arange(samples)[::-1]) / (0.1 * samples))
    return (0.2 * (0.5 - 0.5 * np.cos(np.pi * fade)) * np.fft.irfft(spectrum, samples)).astype(np.float32)


def write(path: Path, x: Audio, rate: int = 48000, **options: Any) -> Path:
    if path.suffix == ".wav" and not options:
        options = {"subtype": "FLOAT"}
    soundfile.write(path, x.T, rate, **options)
    return path


def read(path: Path) -> Audio:
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T


def rendered(tmp_path: Path, model: Any, x: Audio, rate: int = 48000, **options: Any) -> tuple[Audio, RenderResult]:
    source = write(tmp_path / "in.wav", x, rate)
    result = render_file(model, source, tmp_path / "out.wav", **options)
    return read(tmp_path / "out.wav"), result


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("model_rate", [44100, 48000])
@pytest.mark.parametrize("model_blocks", [(), (480,)])
def test_an_impulse_stays_where_it_was(
    tmp_path: Path, rate: int, model_rate: int, model_blocks: tuple[int, ...]
) -> None:
    x = np.zeros((2, 30011), dtype=np.float32)
    x[0, 12345], x[1, 30001] = 0.5, -0.25
    y, result = rendered(tmp_path, PureDelay((model_rate,), model_blocks), x, rate)
    assert y.shape == x.shape
    assert np.abs(y).argmax(axis=1).tolist() == [12345, 30001]
    assert result.latency_samples >= 37 * rate // model_rate
    if rate == model_rate:
        np.testing.assert_array_equal(y, x)


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_resampled_audio_lies_on_the_input(tmp_path: Path, rate: int) -> None:
    x = noise(2, rate // 2, rate)
    for model_rate in (44100, 48000):
        y, _ = rendered(tmp_path, PureDelay((model_rate,)), x, rate)
        assert y.shape == x.shape
        assert np.abs(y - x).max() < 2e-4 * np.abs(x).max()


@pytest.mark.parametrize("samples", [1, 2, 3, 255, 256, 257, 65535, 65536, 65537])
def test_any_length(tmp_path: Path, samples: int) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (2, samples)).astype(np.float32)
    y, result = rendered(tmp_path, PureDelay(), x)
    np.testing.assert_array_equal(y, x)
    assert result.samples == samples


@pytest.mark.parametrize("block_size", [1, 33, 256, 100_000])
def test_the_block_size_changes_nothing(tmp_path: Path, block_size: int) -> None:
    x = noise(2, 3000)
    params = {"feedback": [(0.0, 0.0), (0.05, 0.9)]}
    whole, _ = rendered(tmp_path, Echo(), x, params=params)
    y, _ = rendered(tmp_path, Echo(), x, params=params, block_size=block_size)
    assert np.abs(y - whole).max() < 1e-6


def test_equals_forward_offline(tmp_path: Path) -> None:
    x = noise(2, 70_000, 44100)
    y, _ = rendered(tmp_path, PureDelay((48000,), (512,)), x, 44100)
    wrapper = SampleQueueWrapper(PureDelay((48000,), (512,)))
    wrapper.set_daw_sample_rate_and_buffer_size(44100, 512)
    expected = wrapper.forward_offline(torch.from_numpy(x)).numpy()
    assert np.abs(y - expected).max() < 1e-6


def test_best_resampler_offline(tmp_path: Path) -> None:
    x = noise(2, 20_000, 44100)
    y, result = rendered(tmp_path, SampleQueueWrapper(PureDelay((48000,)), quality="soxr"), x, 44100)
    assert result.latency_samples > 1000
    assert np.abs(y - x).max() < 1e-5


# ---------------------------------------------------------------------- parameters


def test_a_jump_lands_on_its_sample(tmp_path: Path) -> None:
    x = np.full((2, 48000), 0.25, dtype=np.float32)
    y, _ = rendered(tmp_path, Volume(nn.Identity()), x, params={"polarity": [(0.0, "normal"), (0.5, "inverted")]})
    # The model is called on a grid while a block-rate choice moves: never early, and at most one step late.
    first = int(np.argmax(y[0] < 0))
    assert 24000 <= first <= 24000 + 32
    np.testing.assert_array_equal(y[:, :first], x[:, :first])
    np.testing.assert_array_equal(y[:, first:], -x[:, first:])


@pytest.mark.parametrize("rate", [48000, 44100])
def test_a_curve_acts_on_the_audio_it_belongs_to(tmp_path: Path, rate: int) -> None:
    class Volume48(Volume):
        sample_rates = (48000,)

    x = noise(2, rate)
    y, _ = rendered(tmp_path, Volume48(nn.Identity()), x, rate, params={"gain": [(0.25, 0.0), (0.75, 4.0)]})
    gain = np.interp(np.arange(rate) / rate, [0.25, 0.75], [0.0, 4.0])
    assert np.abs(y - gain * x).max() < 2e-4 * np.abs(gain * x).max()


def test_one_value_a_sample(tmp_path: Path) -> None:
    x = noise(2, 9000)
    gain = np.random.default_rng(2).uniform(0, 4, 9000)
    y, _ = rendered(tmp_path, Volume(nn.Identity()), x, params={"gain": gain})
    assert np.abs(y - gain * x).max() < 1e-5
    y, _ = rendered(tmp_path, Volume(nn.Identity()), x, params={"gain": torch.from_numpy(gain)})
    assert np.abs(y - gain * x).max() < 1e-5


def test_knobs_start_where_the_metadata_says(tmp_path: Path) -> None:
    x = noise(1, 3000)
    y, _ = rendered(tmp_path, Square(nn.Identity()), x)
    louder = x * 10 ** (6 / 20)  # what the model hears
    assert np.abs(y - (0.25 * louder**2 + 0.5 * x)).max() < 1e-6


def test_knobs_can_be_set(tmp_path: Path) -> None:
    x = noise(1, 3000)
    y, _ = rendered(tmp_path, Square(nn.Identity()), x, wet=1.0, dry=0.0, input_gain_db=-6.0, output_gain_db=12.0)
    assert np.abs(y - 10 ** (12 / 20) * (x * 10 ** (-6 / 20)) ** 2).max() < 1e-5


# ---------------------------------------------------------------------- channels


def test_mono_through_a_stereo_model_stays_mono(tmp_path: Path) -> None:
    x = noise(1, 5000)
    y, result = rendered(tmp_path, PureDelay(), x)
    np.testing.assert_array_equal(y, x)
    assert result.channels == 1


def test_stereo_through_a_mono_model_stays_stereo(tmp_path: Path) -> None:
    x = noise(2, 5000)
    y, _ = rendered(tmp_path, PureDelay(channels=1), x)
    assert np.abs(y - x.mean(axis=0)).max() < 1e-7
    assert y.shape == x.shape


def test_mono_through_a_spreading_model_becomes_stereo(tmp_path: Path) -> None:
    x = noise(1, 5000)
    y, result = rendered(tmp_path, Spread(nn.Identity()), x)
    assert result.channels == 2
    assert np.abs(y - np.concatenate((x, 0.5 * x))).max() < 1e-7


def test_many_channels(tmp_path: Path) -> None:
    x = noise(5, 5000)
    y, result = rendered(tmp_path, Downmix(nn.Identity()), x)
    assert result.channels == 3
    assert np.abs(y - (x[:3] + 0.5 * x[4:])).max() < 1e-6


# ---------------------------------------------------------------------- formats


@pytest.mark.parametrize(("extension", "tolerance"), [("wav", 0.0), ("flac", 2**-23), ("aiff", 2**-23)])
def test_formats_that_keep_samples(tmp_path: Path, extension: str, tolerance: float) -> None:
    x = noise(2, 30_000)
    source = write(tmp_path / "in.wav", x)
    first, second = tmp_path / f"a.{extension}", tmp_path / "b.wav"
    render_file(PureDelay(), source, first)
    assert np.abs(read(first) - x).max() <= tolerance
    render_file(PureDelay(), first, second)
    np.testing.assert_array_equal(read(second), read(first))


@pytest.mark.parametrize(("extension", "quality"), [("mp3", 320), ("mp3", None), ("ogg", "best")])
def test_formats_that_do_not(tmp_path: Path, extension: str, quality: Any) -> None:
    x = noise(2, 44_100)
    source = write(tmp_path / "in.wav", x)
    middle, last = tmp_path / f"a.{extension}", tmp_path / "b.wav"
    render_file(PureDelay(), source, middle, quality=quality)
    result = render_file(PureDelay(), middle, last)
    assert result.samples == 44_100
    y = read(last)
    # The codec's error is small only where the audio lies where it was.
    assert np.square(y - x).mean() < 0.02 * np.square(x).mean()
    correlation = signal.correlate(y[0], x[0], "full", "fft")
    assert int(correlation.argmax()) == 44_100 - 1


@pytest.mark.parametrize(("subtype", "bits"), [("PCM_16", 16), ("PCM_24", 24)])
def test_integers_come_back_bit_for_bit(tmp_path: Path, subtype: str, bits: int) -> None:
    x = noise(2, 20_000)
    x[0, 100:102] = -1.0, 1.0 - 2.0 ** (1 - bits)
    source = write(tmp_path / "in.wav", x, subtype=subtype)
    render_file(PureDelay(), source, tmp_path / "out.wav", bit_depth=bits)
    assert soundfile.info(tmp_path / "out.wav").subtype == subtype
    np.testing.assert_array_equal(
        soundfile.read(source, dtype="int32")[0], soundfile.read(tmp_path / "out.wav", dtype="int32")[0]
    )


def test_beyond_full_scale(tmp_path: Path) -> None:
    x = noise(2, 5000)
    x[0, 10] = 1.5
    source = write(tmp_path / "in.wav", x)
    kept = render_file(PureDelay(), source, tmp_path / "kept.wav")
    assert (kept.peak, kept.clipped) == (1.5, False)
    assert read(tmp_path / "kept.wav")[0, 10] == 1.5
    cut = render_file(PureDelay(), source, tmp_path / "cut.flac")
    assert (cut.peak, cut.clipped) == (1.5, True)
    assert read(tmp_path / "cut.flac")[0, 10] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(("rate", "out_rate"), [(48000, 44100), (44100, 96000)])
def test_another_rate_for_the_output(tmp_path: Path, rate: int, out_rate: int) -> None:
    samples = rate // 2 + 1
    seconds = np.arange(samples) / rate
    x = (0.5 * np.sin(2 * np.pi * 1000 * seconds) * np.hanning(samples))[None].astype(np.float32)
    y, result = rendered(tmp_path, PureDelay(channels=1), x, rate, out_sample_rate=out_rate)
    assert result.sample_rate == out_rate == soundfile.info(tmp_path / "out.wav").samplerate
    assert y.shape[1] == result.samples == round(samples * out_rate / rate)
    expected = np.interp(np.arange(y.shape[1]) / out_rate, seconds, np.hanning(samples))
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(y.shape[1]) / out_rate) * expected
    assert np.abs(y[0] - expected).max() < 1e-4


def test_real_recordings(tmp_path: Path, shared_folder: Path) -> None:
    for source in sorted((shared_folder / "audio").glob("*.flac")):
        x = read(source)
        result = render_file(PureDelay((48000,)), source, tmp_path / "out.wav")
        y = read(tmp_path / "out.wav")
        assert y.shape == x.shape
        assert result.audio_seconds == pytest.approx(x.shape[1] / soundfile.info(source).samplerate)
        lag = signal.correlate(y[0], x[0], "full", "fft").argmax() - (x.shape[1] - 1)
        assert lag == 0
        assert np.abs(y - x).max() < 0.05


def test_what_libsndfile_does_not_know_goes_to_pedalboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neutone_like.audio.decoders.open_soundfile", lambda path, view: None)
    x = noise(2, 100_000)
    y, _ = rendered(tmp_path, PureDelay(), x)
    np.testing.assert_array_equal(y, x)
    (tmp_path / "text.wav").write_text("text")
    with pytest.raises(AudioError, match=f"{tmp_path}/text.wav can't be read as audio: "):
        render_file(PureDelay(), tmp_path / "text.wav", tmp_path / "out.wav")


def test_what_pedalboard_can_t_stream_is_given_the_whole(tmp_path: Path) -> None:
    x = noise(2, 100_000)
    y, _ = rendered(tmp_path, Board([PureDelay(), pedalboard.PitchShift(0.0), PureDelay()]), x)
    assert np.abs(y - x).max() < 1e-4


# ---------------------------------------------------------------------- what else it takes and tells


def test_boards_and_plugins(tmp_path: Path) -> None:
    x = noise(2, 9000)
    expected, _ = rendered(tmp_path, Volume(nn.Identity()), x, params={"gain": 2.0})
    plugin = ModelPlugin(Volume(nn.Identity()), {"gain": 2.0})
    np.testing.assert_array_equal(rendered(tmp_path, plugin, x)[0], expected)
    np.testing.assert_array_equal(rendered(tmp_path, Board([plugin, PureDelay()]), x)[0], expected)


def test_the_user_s_model_is_left_alone(tmp_path: Path) -> None:
    model = PureDelay()
    model.train()
    rendered(tmp_path, model, noise(2, 5000))
    assert model.training
    assert not model.past.any()


def test_settings_of_torch_are_put_back(tmp_path: Path) -> None:
    class Looking(PureDelay):
        def do_forward_pass(self, x: torch.Tensor, params: dict[str, torch.Tensor]) -> torch.Tensor:
            seen.append((torch.get_num_threads(), torch.is_grad_enabled(), flushes_denormals(), self.training))
            return x

    seen: list[tuple[int, bool, bool, bool]] = []
    wrapper = SampleQueueWrapper(Looking(delay=0))
    wrapper.train()
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        rendered(tmp_path, wrapper, noise(2, 5000))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert set(seen) == {(1, False, True, False)}
    assert torch.is_grad_enabled()
    assert not flushes_denormals()
    assert all(part.training for part in wrapper.modules())


def flushes_denormals() -> bool:
    return float(torch.full((16,), 1e-39).mul(0.5).sum()) == 0.0


def test_progress_function(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    x = noise(1, 200_000)
    rendered(tmp_path, PureDelay(), x, progress=lambda done, total: calls.append((done, total)))
    done = [done for done, _ in calls]
    assert len(done) > 5
    assert done == sorted(set(done))
    assert done[-1] == 200_000
    assert {total for _, total in calls} == {200_000}


def test_result(tmp_path: Path) -> None:
    _, result = rendered(tmp_path, PureDelay(), noise(2, 4800))
    assert result.audio_seconds == pytest.approx(0.1)
    assert result.rtf == pytest.approx(result.compute_seconds / 0.1)
    assert result.nonfinite_samples == 0
    assert result.to_dict()["out_path"] == str(tmp_path / "out.wav")
