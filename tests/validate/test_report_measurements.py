"""What the report's pictures show, held against physics and against the parts that they are about."""

import base64
import io
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from neutone_like.artifact import load_artifact
from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.signal.resampler import FirResampler
from neutone_like.validate import HostSetting, measure, signals
from neutone_like.validate.html import timing
from neutone_like.validate.html.conversion import describe_conversion
from neutone_like.validate.html.figures.host_figures import impulse_figure
from neutone_like.validate.html.figures.sound_figures import sound_figures
from neutone_like.validate.html.latencies import read_latencies
from neutone_like.validate.html.response import measure_response
from neutone_like.validate.html.sounds import Sound, sounds_of, to_mp3
from neutone_like.validate.html.sweep import sweep_parameters
from neutone_like.validate.live_subject import LiveSubject
from support.report_models import AnyRate, Hostile, TooLoud
from support.validate_models import DeclaresNoDelay, Delayed, Gain


def context_of(model: Any, folder: Path, **how: bool) -> LiveSubject:
    write_artifact(model, folder, render_samples=how.get("render_samples", False))
    return LiveSubject(load_artifact(folder), quick=True)


@pytest.mark.parametrize(("in_rate", "out_rate"), [(44100, 48000), (48000, 44100), (48000, 16000), (16000, 48000)])
@pytest.mark.parametrize("quality", ["high", "fast"])
def test_the_filter_drawn_is_the_filter_that_runs(in_rate: int, out_rate: int, quality: str) -> None:
    conversion = describe_conversion(in_rate, out_rate, quality)
    slower = min(in_rate, out_rate)
    for hertz in (0.02 * slower, 0.3 * slower, conversion.half_power_hz, 0.49 * slower):
        resampler = FirResampler(1)
        resampler.prepare(in_rate, out_rate, quality)
        resampler.start(1)
        tone = torch.sin(2.0 * torch.pi * hertz * torch.arange(in_rate // 4, dtype=torch.float64) / in_rate)
        resampler.push(tone.unsqueeze(0).float())
        heard = resampler.pull(resampler.available())[:, out_rate // 20 :]
        expected = float(np.interp(hertz, conversion.frequencies, conversion.gain_db))
        assert measure.tone_gain_db(heard, out_rate, hertz, 1.0) == pytest.approx(expected, abs=0.05)


def test_the_alias_level_is_that_of_a_tone_that_folds_back() -> None:
    conversion = describe_conversion(48000, 44100, "high")
    resampler = FirResampler(1)
    resampler.prepare(48000, 44100, "high")
    levels: list[float] = []
    for hertz in np.linspace(44100 - conversion.flat_to_hz, 23999.0, 7):
        resampler.start(1)
        tone = np.sin(2.0 * np.pi * hertz * np.arange(24000) / 48000)
        resampler.push(torch.from_numpy(tone).unsqueeze(0).float())
        heard = resampler.pull(resampler.available())[:, 4410:]
        levels.append(measure.tone_gain_db(heard, 44100, 44100 - hertz, 1.0))
    assert max(levels) <= conversion.alias_db + 1.0
    assert max(levels) >= conversion.alias_db - 15.0
    assert conversion.alias_db < -100.0
    assert 22000 < conversion.stops_from_hz < 24000


def test_the_response_sits_at_the_reported_delay_and_has_the_models_gain(tmp_path: Path) -> None:
    response = measure_response(context_of(Delayed(), tmp_path), HostSetting(44100, 128))
    assert response is not None
    assert response.resampling
    assert response.strongest == response.reported
    inside = (response.frequencies > 50.0) & (response.frequencies < 18000.0)
    assert np.abs(response.gain_db[inside] + 6.0).max() < 0.1
    assert f"reported delay is {response.reported} samples" in impulse_figure(response).text


def test_a_delay_that_is_not_declared_shows(tmp_path: Path) -> None:
    response = measure_response(context_of(DeclaresNoDelay(), tmp_path), HostSetting(48000, 128))
    assert response is not None
    assert response.strongest - response.reported == 37


def test_silence_has_no_response(tmp_path: Path) -> None:
    context = context_of(AnyRate(), tmp_path)
    context.module = context.artifact.fresh_module()
    context.module.set_mix(0.0, 0.0)
    assert measure_response(context, HostSetting(48000, 128)) is None


def test_latencies_are_those_of_the_artifact(tmp_path: Path) -> None:
    context = context_of(Hostile(), tmp_path)
    table = read_latencies(context, 22050)
    assert [row[0].setting.sample_rate for row in table.rows] == [16000, 22050, 44100, 48000, 96000]
    for cell in (cell for row in table.rows for cell in row):
        module: Any = context.artifact.fresh_module()
        module.set_daw_sample_rate_and_buffer_size(cell.setting.sample_rate, cell.setting.block_size)
        assert cell.samples == module.latency_samples()
        assert cell.resampling == (cell.setting.sample_rate != 16000)
        assert sum(value for _, value in cell.parts) == pytest.approx(cell.samples)
    assert table.at(16000, 128).milliseconds == pytest.approx(1000 * (100 + 128) / 16000)


def test_a_gain_moves_level_and_every_band_by_as_much(tmp_path: Path) -> None:
    (sweep,) = sweep_parameters(context_of(Gain(), tmp_path))
    assert sweep.values[0] == -30.0
    assert sweep.values[-1] == 6.0
    assert np.diff(sweep.level_db) == pytest.approx(np.diff(sweep.values), abs=0.05)
    loud = sweep.bands_db[-1] > -60.0
    assert loud.sum() > 10
    assert sweep.bands_db[-1][loud] - sweep.bands_db[0][loud] == pytest.approx(36.0, abs=0.1)


def test_the_bands_of_a_sweep_add_up_to_its_level(tmp_path: Path) -> None:
    (sweep,) = sweep_parameters(context_of(Gain(), tmp_path))
    total = 10.0 * np.log10(np.sum(10.0 ** (sweep.bands_db / 10.0), axis=1))
    assert total == pytest.approx(sweep.level_db, abs=3.0)  # a window weighs the start less


def test_choices_are_swept_label_by_label(tmp_path: Path) -> None:
    sweeps = sweep_parameters(context_of(Hostile(), tmp_path))
    assert list(sweeps[1].values) == [0.0, 1.0, 2.0, 3.0]


def test_no_call_is_left_out_of_the_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    class OnceSlow:
        def set_daw_sample_rate_and_buffer_size(self, *_: int) -> None:
            calls.clear()

        def reset(self) -> None: ...

        def forward(self, x: Tensor) -> Tensor:
            calls.append(x.size(1))
            if len(calls) == timing.WARM_UP_CALLS + timing.FEWEST_CALLS:
                time.sleep(0.05)
            return x

    context = context_of(AnyRate(), tmp_path)
    monkeypatch.setattr(context.artifact, "fresh_module", OnceSlow)
    times = timing.time_blocks(context, 48000)
    assert [each.setting.block_size for each in times] == list(timing.BLOCK_SIZES)
    assert all(each.largest_us >= 50_000 for each in times)
    assert all(each.median_us <= each.p99_us <= each.largest_us for each in times)
    assert times[1].budget_us == pytest.approx(2666.67, abs=0.01)
    assert times[1].share(266.667) == pytest.approx(10.0, abs=0.01)


def test_sounds_are_those_beside_the_artifact_or_the_same_rendered_anew(tmp_path: Path) -> None:
    context = context_of(AnyRate(), tmp_path, render_samples=True)
    from_files = sounds_of(context)
    assert all(sound.from_files for sound in from_files)
    (tmp_path / "samples" / "drum_loop_out.wav").unlink()
    for first, second in zip(from_files, sounds_of(context), strict=True):
        assert not second.from_files
        assert np.abs(second.before - first.before).max() < 2e-4  # 16 bits
        assert np.abs(second.after - first.after).max() < 2e-4
        assert np.abs(second.after - 0.5 * second.before).max() < 1e-6
        assert second.loudness_gain == pytest.approx(2.0, rel=1e-3)


def test_a_file_that_was_made_quieter_is_shown_as_loud_as_the_sound_is(tmp_path: Path) -> None:
    context = context_of(TooLoud(), tmp_path, render_samples=True)
    for sound in sounds_of(context):
        assert sound.from_files
        assert np.abs(sound.after).max() == pytest.approx(4.0 * np.abs(sound.before).max(), rel=0.02)
        assert np.abs(sound.after).max() * sound.scale <= 0.951


def test_the_mp3s_of_both_sides_stay_in_step_and_in_proportion() -> None:
    sound = signals.changing(1, 96000).T.numpy()
    pair = Sound("x", 48000, sound, np.float32(4.0) * sound, False)
    assert pair.scale * 4.0 * np.abs(sound).max() == pytest.approx(0.95)
    assert pair.quieter_db == pytest.approx(-measure.decibels(pair.scale))
    decoded: list[np.ndarray[Any, Any]] = []
    for side in (pair.before, pair.after):
        text = to_mp3(side, 48000, pair.scale)
        decoded.append(soundfile.read(io.BytesIO(base64.b64decode(text)), dtype="float32", always_2d=True)[0])
    assert decoded[0].shape == decoded[1].shape
    assert abs(decoded[0].shape[0] - 96000) <= 2 * 1152
    assert measure.delay_samples(decoded[0][:, 0], decoded[1][:, 0]) == pytest.approx(0.0, abs=0.05)
    assert np.linalg.norm(decoded[1]) / np.linalg.norm(decoded[0]) == pytest.approx(4.0, rel=0.02)


def test_a_tone_stands_where_its_frequency_is() -> None:
    from neutone_like.validate.html.figures import sound_figures as module

    time_axis = np.arange(48000) / 48000
    tone = (0.5 * np.sin(2.0 * np.pi * 1000.0 * time_axis)).astype(np.float32).reshape(-1, 1)
    picture = module._spectrogram(tone, 48000)  # pyright: ignore[reportPrivateUsage]
    row = int(np.argmax(picture[:, module.COLUMNS // 2]))
    edges = np.geomspace(module.LOWEST_HZ, module.HIGHEST_HZ, module.ROWS + 1)
    assert edges[row - 1] < 1000.0 < edges[row + 2]
    assert picture[row].max() == pytest.approx(measure.decibels(0.5), abs=4.0)
    texts = [
        drawing.text
        for drawing in sound_figures(Sound("a_b", 48000, tone, np.float32(0.5) * tone, False), "#010203", "red")
    ]
    assert texts[0].startswith("A b before: waveform and spectrogram over 1.0 s; peak -6.0 dBFS")
    assert "peak -12.0 dBFS" in texts[1]
